"""The notify recorder: seccomp user notification, answered by a C process of its own.

How it works and why: docs/recorders.md. Here the recorder is started and its records are read.
"""

import errno
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from imptrace.errors import (
    ImptraceError,
    ProgramNotExecutableError,
    ProgramNotFoundError,
)
from imptrace.tracer import _notify
from imptrace.tracer.program import Program

RING_SIZE = 8 << 20
"""Room for some 60,000 distinct accesses while nobody reads."""

SERVICE_PAGE = 4096
"""Bytes that a service's supervisor shares with the one after it: supervise.h."""


class RecorderUnavailableError(ImptraceError):
    """A recorder does not work here: the kernel or a sandbox refuses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyOptions:
    """What is recorded, and what the program may do."""

    stats: bool = False
    """Also calls that only ask: stat, access, readlink."""
    writes_only: bool = False
    """Leave alone what cannot change a file: costs less, and shows no reads."""
    io_uring: bool = False
    """Let the program use io_uring, whose operations this recorder cannot see."""


class NotifyRecording:
    """A program that runs under the notify recorder."""

    name = "notify"

    def __init__(
        self, program: Program, options: NotifyOptions, blocked_signals: Iterable[int] = ()
    ) -> None:
        """Start `program` with `blocked_signals` as its signal mask; returns when it was executed.

        To be called while this process has one thread. Raises ProgramNotFoundError,
        ProgramNotExecutableError, RecorderUnavailableError.
        """
        self.started_ns = time.time_ns()
        self._recording = _launch(program, options, blocked_signals)
        self.supervisor = self._recording.supervisor
        self.program = self._recording.program

    def read(self, timeout_ms: int) -> bytes:
        """Take what was recorded, as whole records for `wire.Decoder`; empty after the timeout."""
        return self._recording.read(timeout_ms)

    def close(self) -> None:
        """Stop reading. Whatever still runs is answered by the supervisor, unrecorded."""
        self._recording.close()


class ServiceRecording:
    """A service whose processes bring themselves, each by its shim (tracer/shim.c)."""

    name = "notify"

    def __init__(
        self,
        unit: str,
        options: NotifyOptions,
        *,
        door: int,
        page: int,
        adopted: list[int],
        user_manager: bool,
    ) -> None:
        """Begin to answer at `door`, a listening socket.

        `page` is a memfd of SERVICE_PAGE bytes, and `adopted` the listeners, that a supervisor
        before this one has left. To be called while this process has one thread.
        Raises ImptraceError.
        """
        self.started_ns = time.time_ns()
        self._first = b""
        try:
            self._recording = _notify.serve(
                door,
                unit,
                adopted,
                page,
                user_manager=user_manager,
                stats=options.stats,
                writes_only=options.writes_only,
                io_uring=options.io_uring,
                privileged=os.geteuid() == 0,
                start_ns=time.monotonic_ns(),
                ring_size=RING_SIZE,
            )
        except OSError as error:
            raise ImptraceError(f"cannot start the recorder: {error.strerror}") from error
        self.supervisor = self._recording.supervisor

    def wait_for_first(self, timeout_ms: int) -> bool:
        """Whether anything was recorded so far, after waiting for it. The next read returns it."""
        self._first = self._first or self._recording.read(timeout_ms)
        return bool(self._first)

    def read(self, timeout_ms: int) -> bytes:
        """Take what was recorded, as whole records for `wire.Decoder`; empty after the timeout."""
        if self._first:
            first, self._first = self._first, b""
            return first
        return self._recording.read(timeout_ms)

    def leave(self) -> None:
        """Let no more processes in; the supervisor ends when none is left."""
        self._recording.leave()

    def close(self) -> None:
        """Stop reading. Whatever still runs is answered by the supervisor, unrecorded."""
        self._recording.close()


def _launch(
    program: Program, options: NotifyOptions, blocked_signals: Iterable[int]
) -> _notify.Recording:
    argv, user = list(program.argv), program.user
    environ = [name + b"=" + value for name, value in program.environ.items()]

    def launch(path: bytes, argv: list[bytes]) -> _notify.Recording:
        return _notify.launch(
            path,
            argv,
            environ,
            user=(user.uid, user.gid, list(user.groups)) if user else None,
            blocked_signals=list(blocked_signals),
            stats=options.stats,
            writes_only=options.writes_only,
            io_uring=options.io_uring,
            adopt_orphans=_should_adopt_orphans(),
            privileged=os.geteuid() == 0,
            start_ns=time.monotonic_ns(),
            ring_size=RING_SIZE,
        )

    try:
        return launch(program.path, argv)
    except OSError as error:
        if error.errno == errno.ENOEXEC and error.filename == "exec":
            # A script without "#!" is the shell's, as for every program that searches PATH.
            return launch(b"/bin/sh", [b"sh", program.path, *argv[1:]])
        raise _explained(error, program) from error


def _should_adopt_orphans() -> bool:
    """Whether daemons could not be read any more once they left the supervisor's family."""
    try:
        scope = Path("/proc/sys/kernel/yama/ptrace_scope").read_text("ascii")
    except OSError:
        return False
    return scope.strip() != "0" and os.geteuid() != 0


def _explained(error: OSError, program: Program) -> ImptraceError:
    name = repr(os.fsdecode(program.path))
    stage, reason = error.filename, error.strerror
    if stage == "exec" and isinstance(error, FileNotFoundError):
        return ProgramNotFoundError(f"{name}: its interpreter is not there")
    if stage == "exec":
        return ProgramNotExecutableError(f"{name}: {reason}")
    if stage == "filter":
        return RecorderUnavailableError(
            f"the kernel refuses the notify recorder ({reason}); see: imptrace doctor"
        )
    if stage == "user":
        return ImptraceError(f"cannot become the user: {reason}")
    return ImptraceError(f"cannot start the recorder: {reason}")
