"""What `imptrace import` does."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import Engine

from imptrace.cli.messages import say
from imptrace.cli.naming import check_label, check_service
from imptrace.cli.output import answer_json
from imptrace.db.engine import open_database
from imptrace.db.location import shown
from imptrace.db.records import RunDetails
from imptrace.db.restore import insert_runs
from imptrace.errors import UsageError
from imptrace.evidence.file import FIRST_BYTES
from imptrace.evidence.file import read as read_evidence
from imptrace.facts.given import LARGEST
from imptrace.record.log import Imported, find_logs, import_log, read_head
from imptrace.render.imported import answer as imported_json
from imptrace.render.text import printable
from imptrace.render.words import counted
from imptrace.tracer.strace.recorder import LogOptions


def import_(
    *,
    files: list[Path],
    database: str | None,
    label: str | None,
    service: str | None,
    program: str | None,
    cwd: Path | None,
    here: bool,
    stats: bool,
    quiet: bool,
    json: bool,
) -> None:
    """Do what imptrace.cli.importing was asked, where each option is explained."""
    check_label(label)
    check_service(service)
    options = LogOptions(
        label=label,
        service=service,
        program=program,
        cwd=None if cwd is None else os.path.abspath(os.fsencode(cwd)),
        here=here,
        stats=stats,
    )
    evidence = [path for path in files if _is_evidence(path)]
    logs = find_logs([path for path in files if path not in evidence])
    runs = [run for path in evidence for run in _read_evidence(path)]
    is_told = not quiet
    with _disposed(open_database(database, create=True, read_only=False)) as engine:
        ids = insert_runs(engine, runs)
    for run_id, details in zip(ids, runs, strict=True):
        if is_told:
            say(_in_words(run_id, details))
    imported = [_import_log(database, log, options, is_told=is_told) for log in logs]
    if is_told:
        say(f"stored in {shown(database)}")
        say(f"next: {_next([*ids, *(each.run_id for each in imported)])}")
    if json:
        answer_json(imported_json(zip(ids, runs, strict=True), imported))


@contextmanager
def _disposed(engine: Engine) -> Iterator[Engine]:
    """Give the database's connections back at the end."""
    try:
        yield engine
    finally:
        engine.dispose()


def _is_evidence(path: Path) -> bool:
    return path.is_file() and read_head(path).startswith(FIRST_BYTES)


def _read_evidence(path: Path) -> list[RunDetails]:
    try:
        with path.open("rb") as lines:
            return read_evidence(iter(lambda: lines.readline(LARGEST), b""))
    except UsageError as error:
        raise UsageError(f"{str(path)!r}: {error}") from error


def _in_words(run_id: int, details: RunDetails) -> str:
    paths = counted(len(details.paths), "path")
    return f"run {run_id} ({printable(details.run.program)}): {paths} of an evidence file"


def _next(ids: Sequence[int]) -> str:
    names = " ".join(map(str, ids))
    return f"imptrace show {ids[-1]}, imptrace recommend {names}"


def _import_log(
    database: str | None, log: list[Path], options: LogOptions, *, is_told: bool
) -> Imported:
    size = sum(path.stat().st_size for path in log)
    with _progress(log[0].name, size) as advance:
        imported = import_log(database, log, options, advance)
    if is_told:
        _summarise(imported, here=options.here)
    return imported


@contextmanager
def _progress(name: str, size: int) -> Iterator[Callable[[int], None]]:
    """Show how far a file is read, if somebody is looking."""
    if not sys.stderr.isatty():
        yield lambda _size: None
        return
    columns = (
        TextColumn(escape(printable(name))),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=size)
        yield lambda read: bar.advance(task, read)


def _summarise(imported: Imported, *, here: bool) -> None:
    summary, program = imported.summary, printable(imported.program)
    say(
        f"run {imported.run_id} ({program}): {counted(summary.read, 'path')} read, "
        f"{summary.created:,} created, {summary.modified:,} modified, {summary.deleted:,} deleted, "
        f"from {counted(imported.lines, 'line')}"
    )
    if imported.not_understood:
        shown_first = ", ".join(
            f"{printable(file)}:{number}" for file, number in imported.not_understood_first
        )
        more = imported.not_understood > len(imported.not_understood_first)
        say(
            f"{counted(imported.not_understood, 'line')} not understood: {shown_first}"
            f"{', ...' if more else ''}"
        )
    if imported.relative_paths:
        how = (
            "the log tells no change of directory (-e trace=, -P and -Z leave it out): record with "
            "strace -f -y, or with -e trace=%file,%desc,%process"
            if imported.lacks_directories
            else "give --cwd DIR, or record with strace -y"
        )
        say(f"{counted(imported.relative_paths, 'call')} with a relative path left out: {how}")
    if imported.lacks_descriptors and not imported.lacks_directories:
        say(
            "this log tells nothing of descriptors (close, fchdir), so relative paths may be "
            "missing: record with strace -f -y, or with -e trace=%file,%desc,%process"
        )
    if not here:
        say("if the log is of this machine, --here also looks at what was left behind")
