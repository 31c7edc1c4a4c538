"""The notify recorder: seccomp user notification, answered by a C process of its own.

How it works and why: docs/recorders.md. Here the recorder is started and its records are read.
"""

import errno
import os
import time
from collections.abc import Iterable

from imptrace.errors import ImptraceError
from imptrace.tracer import _native
from imptrace.tracer.permission import should_adopt_orphans
from imptrace.tracer.program import Program
from imptrace.tracer.recorder import RING_SIZE, RecorderOptions, launch_failure

SERVICE_PAGE = 4096
"""Bytes that a service's supervisor shares with the one after it: supervise.h."""


class NotifyRecording:
    """A program that runs under the notify recorder."""

    name = "notify"

    def __init__(
        self, program: Program, options: RecorderOptions, blocked_signals: Iterable[int] = ()
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

    def signals(self, number: int) -> int:
        """Tell how often a signal was sent to all of the process group since the start."""
        return self._recording.signals(number)

    def close(self) -> None:
        """Stop reading. Whatever still runs is answered by the supervisor, unrecorded."""
        self._recording.close()


class ServiceRecording:
    """A service whose processes bring themselves, each by its shim (tracer/notify/shim.c)."""

    name = "notify"

    def __init__(
        self,
        unit: str,
        options: RecorderOptions,
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
            self._recording = _native.serve(
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
    program: Program, options: RecorderOptions, blocked_signals: Iterable[int]
) -> _native.Recording:
    argv, user = list(program.argv), program.user
    environ = [name + b"=" + value for name, value in program.environ.items()]

    def launch(path: bytes, argv: list[bytes]) -> _native.Recording:
        return _native.launch(
            path,
            argv,
            environ,
            user=(user.uid, user.gid, list(user.groups)) if user else None,
            blocked_signals=list(blocked_signals),
            stats=options.stats,
            writes_only=options.writes_only,
            io_uring=options.io_uring,
            adopt_orphans=should_adopt_orphans(),
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
        raise launch_failure(str(error.filename), error, program, "notify") from error
