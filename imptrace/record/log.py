"""Importing logs of strace: what they tell goes into the database as runs."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imptrace.errors import ImptraceError, UsageError
from imptrace.record.session import RecordingRequest, Session
from imptrace.tracer.events import RunScope
from imptrace.tracer.strace.files import HEAD_SIZE, is_strace_log, one_log_each
from imptrace.tracer.strace.recorder import LogOptions, LogRecorder

if TYPE_CHECKING:
    from imptrace.db.records import RunSummary


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
    lacks_directories: bool
    """Nothing shows that the log tells of changes of the working directory."""
    lacks_descriptors: bool
    """The log holds no call about a descriptor: directories may have changed unseen."""


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
    if not read_head(path):
        raise UsageError(f"{str(path)!r} is empty")
    try:
        is_log = is_strace_log(path)
    except OSError as error:
        raise UsageError(f"{str(path)!r}: {error.strerror}") from error
    if not is_log:
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
    place: str | None, paths: Sequence[Path], options: LogOptions, progress: Callable[[int], None]
) -> Imported:
    """Store what a log (all files of one) tells as a run; an import that fails leaves none.

    `place` is the database. `progress` is told the number of bytes read since the last call.
    Raises ImptraceError.
    """
    recorder = LogRecorder(paths, options, progress)
    request = RecordingRequest(
        subject=recorder.subject,
        label=options.label,
        service=options.service,
        scope=RunScope.LOG,
        database=place,
        wait_for_children=True,
        here=options.here,
    )
    session = Session(recorder, request)
    try:
        session.run()
    except BaseException:
        _remove(place, session)
        raise
    result, log = session.result(), recorder.log
    if result.failure is not None:
        _remove(place, session)
        raise result.failure
    assert result.run_id is not None  # noqa: S101 (or there was a failure)
    assert result.summary is not None  # noqa: S101 (the same)
    return Imported(
        run_id=result.run_id,
        program=recorder.subject.program,
        summary=result.summary,
        lines=log.total_lines,
        not_understood=log.not_understood,
        not_understood_first=tuple(log.not_understood_first),
        relative_paths=log.relative_paths,
        lacks_directories=log.lacks_directories,
        lacks_descriptors=log.lacks_descriptors,
    )


def _remove(place: str | None, session: Session) -> None:
    """Leave no run of it. What is not finished shows as interrupted, where that fails."""
    from imptrace.db.engine import writing
    from imptrace.db.queries import delete_runs

    run_id = session.abandon()
    if run_id is not None:
        with suppress(ImptraceError), writing(place) as engine:
            delete_runs(engine, [run_id])
