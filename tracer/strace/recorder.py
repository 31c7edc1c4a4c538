"""The strace recorder: it reads a log that strace wrote, as fast as it is asked to."""

import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from imptrace.errors import ImptraceError
from imptrace.tracer.events import AllGone, Event, Notice, ProgramEnded, Warned
from imptrace.tracer.program import RunSubject, user_name
from imptrace.tracer.strace.files import Progress, read_log
from imptrace.tracer.strace.log import StraceLog
from imptrace.tracer.strace.paths import read_link_here

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


class LogRecorder:
    """The events of one log: a file, or the files of one `strace -ff`."""

    name = "strace"

    def __init__(self, paths: Sequence[Path], options: LogOptions, progress: Progress) -> None:
        """Read as far as the start of the program, which the run is named for.

        `progress` is told the number of bytes read since the last call. Raises ImptraceError.
        """
        owner = paths[0].stat()
        self.log = StraceLog(
            cwd=options.cwd,
            uid=owner.st_uid,
            gid=owner.st_gid,
            stats=options.stats,
            look=read_link_here if options.here else None,
        )
        self._items = self._all_items(read_log(paths, self.log, progress))
        self._first: Sequence[Event | Notice] | None = next(self._items)
        self.started_ns = _started_ns(self.log, owner.st_mtime_ns)
        process = self.log.first_process
        given = os.fsencode(options.program) if options.program else b""
        self.subject = RunSubject(
            program=given or self.log.program or os.fsencode(paths[0].name),
            argv=process.argv if process else (),
            cwd=options.cwd or b"",
            user=user_name(owner.st_uid),
            uid=owner.st_uid,
        )

    def events(self, _timeout_ms: int) -> Sequence[Event | Notice]:
        """Take the next events; after the last of them, that all are gone."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._items, (AllGone(),))

    def close(self) -> None:
        """Read no further."""
        self._items.close()

    def _all_items(
        self, batches: Iterator[list[Event]]
    ) -> "Generator[Sequence[Event | Notice], None, None]":
        try:
            yield from batches
        except OSError as error:
            raise ImptraceError(f"the log cannot be read any further: {error.strerror}") from error
        log = self.log
        yield list(_warnings(log))
        process = log.first_process
        if process is not None and process.status is not None:
            yield [ProgramEnded(process.status, 0)]
        yield [AllGone(at=0 if log.clock.start is None else log.clock.now)]


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
