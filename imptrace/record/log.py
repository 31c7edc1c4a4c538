"""Importing logs of strace: what they tell goes into the database as runs."""

import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from imptrace.errors import ImptraceError, UsageError
from imptrace.tracer.events import Event, Warned
from imptrace.tracer.mountinfo import own_mounts
from imptrace.tracer.program import user_name
from imptrace.tracer.snapshot import snapshots
from imptrace.tracer.strace.files import is_strace_log, one_log_each, read_log
from imptrace.tracer.strace.log import StraceLog
from imptrace.tracer.strace.paths import read_link_here

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from imptrace.db.records import RunStart, RunSummary
    from imptrace.db.writer import RunWriter

RECORDER = "strace"
HEAD_SIZE = 1 << 16
"""Bytes from the beginning of a file that tell what it is."""
COMMIT_SECONDS = 1.0
_NANOSECONDS = 1_000_000_000
_LATEST = (1 << 62) - 1
"""Far in the future; no clock shows more, whatever a log claims."""
_DAY = 24 * 3600 * _NANOSECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """What the user knows about logs that the logs do not tell."""

    label: str | None = None
    service: str | None = None
    program: str | None = None
    """Name of the program, for a log that does not begin with its start."""
    cwd: bytes | None = None
    """Directory in which strace was started."""
    here: bool = False
    """The logs were written on this machine, whose files look as they were left."""
    stats: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a log."""

    run_id: int
    program: bytes
    """As the run is named."""
    summary: "RunSummary"
    lines: int
    not_understood: int
    not_understood_first: tuple[tuple[str, int], ...]
    """File and line number of the first few of them."""
    relative_paths: int
    """Calls that named a path relative to a directory that the log does not tell."""


def find_logs(names: Sequence[Path]) -> list[list[Path]]:
    """Find the files of each log; `strace -ff -o NAME` makes NAME.PID for each thread.

    Raises UsageError for what is not there, cannot be read, or was not written by strace.
    """
    logs = one_log_each([path for name in names for path in _files_of(name)])
    for log in logs:
        for path in log:
            _check(path)
    return logs


def _files_of(name: Path) -> list[Path]:
    if name.exists():
        return [name]
    of_process = re.compile(re.escape(name.name) + r"\.\d{1,7}")
    try:
        found = [path for path in name.parent.iterdir() if of_process.fullmatch(path.name)]
    except OSError:
        found = []
    if not found:
        raise UsageError(f"there is no file {str(name)!r}")
    return sorted(found)


def _check(path: Path) -> None:
    if not path.is_file():
        raise UsageError(f"{str(path)!r} is not a file; write the log to one with strace -o FILE")
    head = read_head(path)
    if not head:
        raise UsageError(f"{str(path)!r} is empty")
    if not is_strace_log(head):
        raise UsageError(
            f"{str(path)!r} is neither a log of strace nor an evidence file; to record a log: "
            "strace -f -y -ttt -o FILE PROGRAM"
        )


def read_head(path: Path) -> bytes:
    """Read the beginning of a file. Raises UsageError where that is refused."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_SIZE)
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error.strerror}") from error


def import_log(
    engine: "Engine", paths: Sequence[Path], options: LogOptions, progress: Callable[[int], None]
) -> Imported:
    """Store what a log (all files of one) tells as a run; an import that fails leaves none.

    `progress` is told the number of bytes read since the last call. Raises ImptraceError.
    """
    from imptrace.db.removal import delete_runs  # noqa: PLC0415 (SQLAlchemy is slow to import)

    owner = paths[0].stat()
    log = StraceLog(
        cwd=options.cwd,
        uid=owner.st_uid,
        gid=owner.st_gid,
        stats=options.stats,
        look=read_link_here if options.here else None,
    )
    batches = _readable(read_log(paths, log, progress))
    # The first batch holds the start of the program, which the run is named for.
    first = next(batches, [])
    start = _run_start(log, paths[0], options)
    writer = _writer(engine, start, options)
    try:
        _store(writer, first, batches)
        imported = _finish(writer, log, options, start)
    except BaseException:
        # Only what is finished can be removed; if even that fails it shows as interrupted.
        with suppress(ImptraceError):
            writer.finish(time.time_ns(), None, None)
            delete_runs(engine, [writer.run_id])
        raise
    else:
        return imported
    finally:
        writer.close()


def _readable(batches: Iterator[list[Event]]) -> Iterator[list[Event]]:
    try:
        yield from batches
    except OSError as error:
        raise ImptraceError(f"the log cannot be read any further: {error.strerror}") from error


def _writer(engine: "Engine", start: "RunStart", options: LogOptions) -> "RunWriter":
    from imptrace.db.writer import RunWriter  # noqa: PLC0415 (as above)

    return RunWriter(engine, start, own_mounts() if options.here else ())


def _run_start(log: StraceLog, path: Path, options: LogOptions) -> "RunStart":
    from imptrace.db.records import RunStart  # noqa: PLC0415 (as above)

    process = log.first_process
    given = os.fsencode(options.program) if options.program else b""
    owner = path.stat()
    return RunStart(
        program=given or log.program or os.fsencode(path.name),
        argv=process.argv if process else (),
        cwd=options.cwd or b"",
        user=user_name(owner.st_uid),
        uid=owner.st_uid,
        host=socket.gethostname() if options.here else "",
        started_ns=_started_ns(log, owner.st_mtime_ns),
        recorder=RECORDER,
        label=options.label,
        service=options.service,
    )


def _started_ns(log: StraceLog, modified_ns: int) -> int:
    """Tell the wall clock of the first line: exactly with -ttt, else going by the file's age."""
    start = log.clock.start
    if not start:
        return modified_ns
    if log.clock.is_absolute:
        return min(start, _LATEST)
    midnight = datetime.fromtimestamp(modified_ns // _NANOSECONDS).astimezone()
    midnight = midnight.replace(hour=0, minute=0, second=0, microsecond=0)
    started = int(midnight.timestamp()) * _NANOSECONDS + start
    return started if started <= modified_ns else started - _DAY


def _store(writer: "RunWriter", first: list[Event], batches: Iterator[list[Event]]) -> None:
    writer.feed(first)
    committed = time.monotonic()
    for events in batches:
        writer.feed(events)
        if time.monotonic() - committed > COMMIT_SECONDS:
            writer.commit()
            committed = time.monotonic()


def _finish(
    writer: "RunWriter", log: StraceLog, options: LogOptions, start: "RunStart"
) -> Imported:
    process = log.first_process
    status = process.status if process else None
    code = None if status is None else os.waitstatus_to_exitcode(status)
    writer.feed(_warnings(log))
    writer.finish(
        min(start.started_ns + (0 if log.clock.start is None else log.clock.now), _LATEST),
        code if code is not None and code >= 0 else None,
        -code if code is not None and code < 0 else None,
        snapshots=snapshots(writer.changed_paths()) if options.here else (),
    )
    if writer.failure is not None:
        raise writer.failure
    return Imported(
        run_id=writer.run_id,
        program=start.program,
        summary=writer.summary(),
        lines=log.total_lines,
        not_understood=log.not_understood,
        not_understood_first=tuple(log.not_understood_first),
        relative_paths=log.relative_paths,
    )


def _warnings(log: StraceLog) -> Iterator[Event]:
    if log.not_understood:
        yield Warned(
            "log-not-understood", f"{log.not_understood:,} lines of the log were not understood"
        )
    if log.relative_paths:
        yield Warned(
            "log-relative-paths",
            f"{log.relative_paths:,} calls named paths relative to a directory that the log does "
            "not tell",
        )
