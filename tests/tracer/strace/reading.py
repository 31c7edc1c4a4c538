"""Helpers of the tests about logs of strace."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from imptrace.tracer.events import Access, Event, Op, Outcome
from imptrace.tracer.strace.files import read_log
from imptrace.tracer.strace.log import StraceLog

needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")

Change = tuple[Op, bytes, bytes | None]


def told(lines: bytes, **options: object) -> list[Event]:
    """Read a log that is given as text."""
    log = StraceLog(**options)
    log.feed(lines.splitlines())
    log.finish()
    return log.take()


def accesses(lines: bytes, **options: object) -> list[Access]:
    """Read the accesses of a log that is given as text."""
    return [event for event in told(lines, **options) if isinstance(event, Access)]


def read_files(paths: Sequence[Path], **options: object) -> tuple[StraceLog, list[Event]]:
    """Read the files of one log."""
    log = StraceLog(**options)
    return log, [event for batch in read_log(paths, log, lambda _: None) for event in batch]


def changed(events: Sequence[Event]) -> list[bytes]:
    """Name what was changed, sorted."""
    done = [
        each
        for each in events
        if isinstance(each, Access) and each.op.changes and each.outcome is Outcome.OK
    ]
    return sorted({path for each in done for path in (each.path, each.path2) if path})


def changes(events: Sequence[Event], below: Path) -> set[Change]:
    """Return what was changed below a directory: op, path, other path, from there."""
    top = bytes(below) + b"/"
    return {
        (
            event.op,
            event.path.removeprefix(top),
            event.path2.removeprefix(top) if event.path2 is not None else None,
        )
        for event in events
        if isinstance(event, Access)
        and event.op.changes
        and event.outcome is Outcome.OK
        and event.path.startswith(top)
    }


def strace(options: Sequence[str], command: Sequence[str], cwd: Path, log: Path) -> None:
    """Run a command under the real strace."""
    subprocess.run(
        ["strace", *options, "-o", str(log), "--", *command], cwd=cwd, check=False, timeout=60
    )


def strace_on_stderr(options: Sequence[str], command: Sequence[str], cwd: Path, log: Path) -> None:
    """Run a command under the real strace, whose log is its stderr, and the command's."""
    with log.open("wb") as stderr:
        subprocess.run(
            ["strace", *options, "--", *command], cwd=cwd, stderr=stderr, check=False, timeout=60
        )


def compiled(source: str, directory: Path, *options: str) -> str:
    """Compile a small tracee."""
    program = directory / "tracee"
    file = directory / "tracee.c"
    file.write_text(source)
    subprocess.run(["gcc", "-w", "-o", str(program), str(file), *options], check=True, timeout=60)
    return str(program)
