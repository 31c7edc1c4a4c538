"""The part of a run that its verdicts rest on. Pure functions."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from imptrace.db.records import PathRecord, ProcessRecord, RunDetails
from imptrace.judge.model import Advice, Why

Keeps = Callable[[PathRecord], bool]

# Belong to the machine rather than to what the program keeps.
_MACHINE = frozenset({Why.VIRTUAL, Why.STORE, Why.PACKAGE, Why.DEVICE})


def choices(advice: Advice) -> tuple[Keeps, ...]:
    """Give ways to choose paths, each keeping more than the one before, the last one all."""
    machine = {each.path for each in advice.set_aside if each.why in _MACHINE}
    return (
        lambda path: path.effect is not None,
        lambda path: path.path not in machine,
        lambda _: True,
    )


def reduced(details: RunDetails, keeps: Keeps) -> RunDetails:
    """Keep some of the paths, and the processes that used them or led to one that did."""
    paths = tuple(path for path in details.paths if keeps(path))
    users = {access.process for path in paths for access in path.accesses}
    return replace(details, paths=paths, processes=_with_ancestors(details.processes, users))


def _with_ancestors(
    processes: Iterable[ProcessRecord], wanted: set[int]
) -> tuple[ProcessRecord, ...]:
    known = {process.id: process for process in processes}
    kept: set[int] = set()
    # The first process is the program that was asked for.
    waiting = [*wanted, *list(known)[:1]]
    while waiting:
        process = known.get(waiting.pop())
        if process is not None and process.id not in kept:
            kept.add(process.id)
            waiting += [each for each in (process.parent, process.previous) if each is not None]
    return tuple(process for process in known.values() if process.id in kept)
