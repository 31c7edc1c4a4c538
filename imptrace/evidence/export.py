"""Making evidence: the runs reduced and anonymised, and tried to give the answer they give here."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

from imptrace.catalogue import EntryPlace
from imptrace.db.records import PathRecord, ProcessRecord, RunDetails, RunStatus
from imptrace.errors import UsageError
from imptrace.evidence import file as evidence_file
from imptrace.evidence.anonymise import Renaming, anonymised, anonymised_machine, renaming
from imptrace.evidence.machine import Elsewhere, to_json
from imptrace.evidence.provenance import private_names_of, run_system, run_version
from imptrace.facts.paths import parents_of
from imptrace.judge.advise import advise
from imptrace.judge.model import Advice, Facts, Why

Keeps = Callable[[PathRecord], bool]
Answer = frozenset[tuple[object, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What would leave the machine."""

    text: str
    runs: int
    paths: int
    left_out: int
    """Paths of the runs that no verdict rests on."""
    is_faithful: bool
    """Whether it leads to the same recommendations as the runs themselves."""


def make_evidence(facts: Facts) -> Evidence:
    """Choose the fewest paths that give the same answer, and write them without private names.

    Raises UsageError where there is nothing to write.
    """
    _check(facts.runs)
    rename = renaming(private_names_of(facts.runs), facts.runs, _machine(facts, facts.runs))
    advice = advise(facts, with_declared=False)
    expected = _answer(advice, rename)
    for keeps in choices(advice):
        leaving, found = _attempt(facts, keeps, rename)
        if found == expected:
            break
    text = "".join(evidence_file.lines(leaving, {"imptrace": version("imptrace")}))
    kept = sum(len(details.paths) for details in leaving)
    return Evidence(
        text=text,
        runs=len(leaving),
        paths=kept,
        left_out=sum(len(details.paths) for details in facts.runs) - kept,
        is_faithful=found == expected,
    )


def _check(runs: Sequence[RunDetails]) -> None:
    if not runs:
        raise UsageError("nothing is recorded of it: there is no evidence to export")
    for details in runs:
        if details.run.status is RunStatus.RECORDING:
            raise UsageError(f"run {details.run.id} is still being recorded: wait for its end")


def _attempt(given: Facts, keeps: Keeps, rename: Renaming) -> tuple[list[RunDetails], Answer]:
    """Reduce and rename the runs, and judge what came of it as another machine would."""
    smaller = [reduced(details, keeps) for details in given.runs]
    machine = anonymised_machine(_machine(given, smaller), rename)
    leaving = [anonymised(details, rename) for details in smaller]
    facts = Facts(
        runs=tuple(leaving),
        users=machine.users,
        groups=machine.groups,
        entry=given.entry,
        entries=given.entries,
        other_uses=machine.other_uses,
        directories=machine.directories,
        unit_properties=leaving[-1].run.properties,
    )
    answer = _answer(advise(facts), None)
    return [_with_machine(details, machine, given) for details in leaving], answer


def _with_machine(details: RunDetails, machine: Elsewhere, facts: Facts) -> RunDetails:
    own = next(each for each in facts.runs if each.run.id == details.run.id)
    entry = facts.entry
    programs = entry.programs if entry else ()
    known = replace(machine, system=run_system(own), version=run_version(own, programs))
    # Which service it is may have been said by whoever asked here, and nobody says it there.
    service = entry.id if entry and entry.place is EntryPlace.SERVICE else None
    run = replace(
        details.run,
        elsewhere=json.dumps(to_json(known)),
        service=details.run.service or service,
    )
    return replace(details, run=run)


def _machine(facts: Facts, runs: Sequence[RunDetails]) -> Elsewhere:
    """Collect what the judgement of these runs needs to know of the machine."""
    paths = {path.path for details in runs for path in details.paths}
    above = {parent for path in paths for parent in parents_of(path)}
    directories = {path: state for path, state in facts.directories.items() if path in above}
    uids, gids = _owners(runs)
    uids |= {state.uid for state in directories.values()}
    gids |= {state.gid for state in directories.values()}
    return Elsewhere(
        users=tuple(user for user in facts.users if user.uid in uids),
        groups={gid: name for gid, name in facts.groups.items() if gid in gids},
        directories=directories,
        other_uses={path: uses for path, uses in facts.other_uses.items() if path in paths},
    )


def _owners(runs: Sequence[RunDetails]) -> tuple[set[int], set[int]]:
    """Collect the uids and gids that occur."""
    uids, gids = {details.run.uid for details in runs}, set()
    for details in runs:
        uids |= {process.uid for process in details.processes}
        gids |= {process.gid for process in details.processes}
        for path in details.paths:
            for state in (path.before, path.after):
                if state is not None:
                    uids.add(state.uid)
                    gids.add(state.gid)
    return uids, gids


def _answer(advice: Advice, rename: Renaming | None) -> Answer:
    """Reduce an advice to what must be the same on both sides."""

    def path(name: bytes) -> bytes:
        return rename.path(name) if rename else name

    def text(name: str | None) -> str | None:
        return rename.text(name) if rename and name is not None else name

    return frozenset(
        (
            path(each.path),
            each.kind,
            each.scope,
            each.level,
            text(each.user),
            text(each.group),
            each.mode,
            each.method,
            tuple(sorted(path(name) for name in each.used_by)),
        )
        for each in advice.recommendations
    )


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
