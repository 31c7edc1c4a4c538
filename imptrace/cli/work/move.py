"""What `imptrace move` does."""

import os
import shlex
import sys
from pathlib import Path

from imptrace.cli.asked import asked, declared, nothing_known
from imptrace.cli.messages import say
from imptrace.cli.output import answer, answer_json
from imptrace.db.location import default_path
from imptrace.errors import ImptraceError, UsageError
from imptrace.judge.model import Method
from imptrace.kept.move.moving import Moved
from imptrace.kept.move.session import MoveOptions, MoveReport, NeedsRootError, undo_move
from imptrace.kept.move.session import move as do_move
from imptrace.render import moved as shown

SOMETHING_LEFT = 1


def move(
    *,
    what: list[str] | None,
    store: str,
    config: Path | None,
    stop: bool,
    live: bool,
    dry_run: bool,
    undo: bool,
    json: bool,
    database: str | None,
) -> int:
    """Do what imptrace.cli.move was asked, where each option is explained."""
    storage = _store(store)
    if undo:
        report = _undone(storage, what or [], json=json)
    else:
        paths, units = _paths(what or [], config, database)
        wanted = MoveOptions(
            paths=paths, storage=storage, units=units, stop=stop, live=live, dry_run=dry_run
        )
        try:
            report = do_move(wanted, _silent if json else _tell)
        except NeedsRootError as error:
            raise ImptraceError(f"{error}: {_with_sudo(database)}") from error
    if json:
        answer_json(shown.answer(report))
    _end(report)
    return 0 if report.is_done else SOMETHING_LEFT


def _store(store: str) -> bytes:
    names = store.strip("/").split("/")
    if not store.startswith("/") or not set(names).isdisjoint(("", ".", "..")):
        raise UsageError(f"--store must be the absolute path of a store, and {store!r} is not")
    return os.fsencode(store.rstrip("/"))


def _paths(
    what: list[str], config: Path | None, database: str | None
) -> tuple[tuple[bytes, ...], tuple[str, ...]]:

    if not what and config is None:
        raise UsageError("name what to move: programs, services, runs or paths; or --config FILE")
    found = asked(what, database)
    if unknown := list(nothing_known(found)):
        raise UsageError("; ".join(unknown))
    paths = [
        each.path
        for one in found
        for each in one.recommendations
        # Only the options of a service can keep what its program replaces.
        if each.method is not Method.NONE or (one.entry and one.entry.option)
    ]
    if config is not None:
        paths += declared(config)
    return tuple(paths), tuple(unit for one in found for unit in one.units)


def _undone(storage: bytes, what: list[str], *, json: bool) -> MoveReport:

    paths = [os.fsencode(os.path.abspath(os.path.expanduser(each))) for each in what]
    return undo_move(storage, paths, _silent if json else _tell)


def _with_sudo(database: str | None) -> str:

    words = ["sudo", *sys.argv]
    if database is None and os.path.exists(default_path()):
        words += ["--db", str(default_path())]
    return shlex.join(words)


def _tell(moved: Moved) -> None:

    answer(shown.line(moved), pager=False)


def _silent(_: Moved) -> None:
    """Say nothing: the answer is JSON."""


def _end(report: MoveReport) -> None:

    for line in (*shown.holding(report.holders), *shown.advice(report)):
        say(line)
