"""The service recorder: the recorder of the machine is asked to tell what programs do.

How it works and why: docs/recorders.md. The program's own process asks, so that the kernel says
which one it is; the program starts when the answer has come, and nothing of ours is in it.
"""

import errno
import os
import socket
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from imptrace.facts import answering
from imptrace.tracer import _native
from imptrace.tracer.program import Program, heed_signals, shown
from imptrace.tracer.recorder import RecorderOptions, RecorderUnavailableError, launch_failure

if TYPE_CHECKING:
    from imptrace.tracer.events import Event, Notice
    from imptrace.tracer.native.drained import RingSource

_MOST_SKEW_NS: Final = 60 * 10**9
_ANSWER_SECONDS: Final = 12.0
"""More than the service gives itself."""


class _ToldByService:
    """What the machine's recorder tells, until it is closed."""

    name = "service"

    def __init__(self, source: "RingSource", start_ns: int) -> None:
        """Read `source`, whose times count from `start_ns`, of CLOCK_MONOTONIC."""
        self.started_ns = time.time_ns() - (time.monotonic_ns() - start_ns)
        from imptrace.tracer.native.drained import Drained

        self._records = Drained(source)

    def events(self, timeout_ms: int) -> "Sequence[Event | Notice]":
        """Take the next events; none after the timeout."""
        return self._records.events(timeout_ms)

    def close(self) -> None:
        """Listen no longer. Whatever still runs goes on."""
        self._records.close()


class AskedRecorder(_ToldByService):
    """A program that the machine's recorder tells of."""

    def __init__(self, asked: _native.Asked, program: int) -> None:
        """Read what is told of `program`."""
        self.program = program
        self.supervisor = asked.witness
        from imptrace.tracer.asked.told import Told

        self._asked = asked
        started = _started(asked.answer)
        super().__init__(Told(asked, started), started)

    def signals(self, number: int) -> int:
        """Tell how often the process group that the program was started in got a signal."""
        return self._asked.signals(number)


class AskedOfRunning(_ToldByService):
    """Processes that ran already, of which the machine's recorder tells."""

    supervisor = 0

    def __init__(self, connection: socket.socket, answer: bytes) -> None:
        """Read what is told over a connection."""
        from imptrace.tracer.asked.told import ToldOfRunning

        started = _started(answer)
        self._told = ToldOfRunning(connection, started)
        super().__init__(self._told, started)

    def leave(self) -> None:
        """Let go of them; what was told can still be taken."""
        self._told.leave()


def launch(
    program: Program, options: RecorderOptions, blocked_signals: Iterable[int] = ()
) -> AskedRecorder:
    """Start a program: see RecorderInfo.launch."""
    if program.user is not None:
        raise RecorderUnavailableError("the service records only one's own programs")
    question = answering.FOLLOW + _what(options) + b"\n"
    asked = _native.Asked(os.fsencode(answering.asked_place()), question, answering.FOLLOWING)
    environ = [name + b"=" + value for name, value in program.environ.items()]
    blocked = list(blocked_signals)
    heed_signals(blocked)
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


def attach(pids: Iterable[int], options: RecorderOptions) -> AskedOfRunning:
    """Record processes that run already: see RecorderInfo.attach."""
    words = b" ".join([_what(options), *(b"%d" % pid for pid in pids)])
    question = answering.ATTACH + words + b"\n"
    if len(question) > answering.MOST_LINE:
        raise RecorderUnavailableError("the service takes no more than some twenty processes")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    answer, failure = _answer(connection, question)
    if answer.startswith(answering.FOLLOWING):
        return AskedOfRunning(connection, answer)
    connection.close()
    raise RecorderUnavailableError(_refusal(answer, failure))


def _answer(connection: socket.socket, question: bytes) -> tuple[bytes, OSError]:
    """Ask; the line that is answered, as far as it came, and why no more did."""
    answer, failure = b"", OSError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    try:
        connection.settimeout(_ANSWER_SECONDS)
        connection.connect(answering.asked_place())
        connection.sendall(question)
        while not answer.endswith(b"\n") and len(answer) < answering.MOST_LINE:
            more = connection.recv(1)  # and nothing of what is behind the line
            if not more:
                break
            answer += more
    except OSError as error:
        failure = error
    return answer, failure


def _what(options: RecorderOptions) -> bytes:
    if options.stats:
        return answering.QUESTIONS
    return answering.WRITES if options.writes_only else answering.EVERYTHING


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
