"""The service recorder: the recorder of the machine is asked to tell what a program does.

How it works and why: docs/recorders.md. The program's own process asks, so that the kernel says
which one it is; the program starts when the answer has come, and nothing of ours is in it.
"""

import errno
import os
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from imptrace.facts import answering
from imptrace.tracer import _native
from imptrace.tracer.program import Program, shown
from imptrace.tracer.recorder import RecorderOptions, RecorderUnavailableError, launch_failure

if TYPE_CHECKING:
    from imptrace.tracer.events import Event, Notice

_MOST_SKEW_NS: Final = 60 * 10**9


class AskedRecorder:
    """A program that the machine's recorder tells of."""

    name = "service"

    def __init__(self, asked: _native.Asked, program: int) -> None:
        """Read what is told of `program`."""
        started = _started(asked.answer)
        self.started_ns = time.time_ns() - (time.monotonic_ns() - started)
        self.program = program
        self.supervisor = asked.witness
        from imptrace.tracer.asked.told import Told
        from imptrace.tracer.native.drained import Drained

        self._asked = asked
        self._records = Drained(Told(asked, started))

    def events(self, timeout_ms: int) -> "Sequence[Event | Notice]":
        """Take the next events; none after the timeout."""
        return self._records.events(timeout_ms)

    def signals(self, number: int) -> int:
        """Tell how often the process group that the program was started in got a signal."""
        return self._asked.signals(number)

    def close(self) -> None:
        """Listen no longer. Whatever still runs goes on."""
        self._records.close()


def launch(
    program: Program, options: RecorderOptions, blocked_signals: Iterable[int] = ()
) -> AskedRecorder:
    """Start a program: see RecorderInfo.launch."""
    if program.user is not None:
        raise RecorderUnavailableError("the service records only one's own programs")
    what = answering.WRITES if options.writes_only else answering.EVERYTHING
    what = answering.QUESTIONS if options.stats else what
    asked = _native.Asked(
        os.fsencode(answering.asked_place()), answering.FOLLOW + what + b"\n", answering.FOLLOWING
    )
    environ = [name + b"=" + value for name, value in program.environ.items()]
    blocked = list(blocked_signals)
    try:
        try:
            pid = asked.launch(program.path, list(program.argv), environ, blocked)
        except OSError as error:
            if error.errno != errno.ENOEXEC or error.filename != "exec":
                raise
            # A script without "#!" is the shell's, as for every program that searches PATH.
            script = [b"sh", program.path, *program.argv[1:]]
            pid = asked.launch(b"/bin/sh", script, environ, blocked)
    except OSError as error:
        if error.filename not in ("introduced", "filter"):
            raise launch_failure(str(error.filename), error, program, "service") from error
        raise RecorderUnavailableError(_refusal(asked.answer, error)) from error
    return AskedRecorder(asked, pid)


def probe() -> str:
    """Try it: see RecorderInfo.probe."""
    from imptrace.tracer.probe import probe_launch

    return probe_launch(launch)


def is_there() -> bool:
    """Whether somebody may answer here."""
    return os.path.exists(answering.asked_place())


def _refusal(answer: bytes, error: OSError) -> str:
    place = shown(os.fsencode(answering.asked_place()))
    if answer.startswith(answering.NO):
        said = answer.removeprefix(answering.NO).strip().decode("ascii", "replace")
        readable = "".join(each if each.isprintable() else "?" for each in said)
        return f"the machine's recorder refuses: {readable}"
    if isinstance(error, FileNotFoundError):
        return f"no recorder of the machine runs here ({place} is not there)"
    return f"the machine's recorder does not answer at {place}: {error.strerror}"


def _started(answer: bytes) -> int:
    """Tell from when on the service counts, by CLOCK_MONOTONIC."""
    now = time.monotonic_ns()
    text = answer.removeprefix(answering.FOLLOWING).strip()
    started = int(text) if text.isdigit() else now
    return started if 0 <= now - started < _MOST_SKEW_NS else now
