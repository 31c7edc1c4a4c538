"""Trying a recorder: what `doctor` does with each that starts programs."""

import time
from collections.abc import Callable

from imptrace.errors import ImptraceError
from imptrace.tracer.events import Event, Notice, ProgramEnded
from imptrace.tracer.program import Program
from imptrace.tracer.recorder import Launched, RecorderOptions

PROBE_SECONDS = 5.0
_PROGRAM = Program(path=b"/bin/sh", argv=(b"sh", b"-c", b": < /dev/null"), environ={})


def probe_launch(launch: Callable[[Program, RecorderOptions], Launched]) -> str:
    """Record a program that reads a file; what came of it. Raises ImptraceError."""
    recorder = launch(_PROGRAM, RecorderOptions())
    seen: list[Event | Notice] = []
    until = time.monotonic() + PROBE_SECONDS
    while not any(isinstance(item, ProgramEnded) for item in seen) and time.monotonic() < until:
        seen += recorder.events(100)
    recorder.close()
    if not any(isinstance(item, ProgramEnded) and item.status == 0 for item in seen):
        raise ImptraceError("a program did not end under it")
    return f"recorded a program ({len(seen)} events)"
