"""The notify recorder: seccomp user notification, answered by a C process of its own.

How it works and why: docs/recorders.md. Here the recorder is started and its records are read.
"""

import errno
import os
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from imptrace.errors import ImptraceError
from imptrace.tracer import _native, descriptors
from imptrace.tracer.permission import should_adopt_orphans
from imptrace.tracer.program import Program, heed_signals
from imptrace.tracer.recorder import RING_SIZE, RecorderOptions, launch_failure

if TYPE_CHECKING:
    from imptrace.tracer.events import Event, Notice

SERVICE_PAGE = 4096
"""Bytes that a service's supervisor shares with the one after it: supervise.h."""


class NotifyRecorder:
    """A program that runs under the notify recorder."""

    name = "notify"

    def __init__(self, recording: _native.Recording, started_ns: int) -> None:
        """Read `recording`, whose program was started at `started_ns`."""
        self.started_ns = started_ns
        self.supervisor = recording.supervisor
        self.program = recording.program
        from imptrace.tracer.native.drained import Drained

        self._recording = recording
        self._records = Drained(recording)

    def events(self, timeout_ms: int) -> "Sequence[Event | Notice]":
        """Take the next events; none after the timeout."""
        return self._records.events(timeout_ms)

    def signals(self, number: int) -> int:
        """Tell how often a signal was sent to all of the process group since the start."""
        return self._recording.signals(number)

    def close(self) -> None:
        """Stop reading. Whatever still runs is answered by the supervisor, unrecorded."""
        self._records.close()


def launch(
    program: Program, options: RecorderOptions, blocked_signals: Iterable[int] = ()
) -> NotifyRecorder:
    """Start a program: see RecorderInfo.launch."""
    started_ns = time.time_ns()
    blocked = list(blocked_signals)
    heed_signals(blocked)
    return NotifyRecorder(start_recording(program, options, blocked), started_ns)


def probe() -> str:
    """Try it: see RecorderInfo.probe."""
    from imptrace.tracer.probe import probe_launch

    return probe_launch(launch)


class ServiceRecorder:
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
        from imptrace.tracer.native.drained import Drained

        self._records = Drained(self._recording)

    def wait_for_first(self, timeout_ms: int) -> bool:
        """Whether anything was recorded so far, after waiting for it."""
        return self._records.wait(timeout_ms)

    def events(self, timeout_ms: int) -> "Sequence[Event | Notice]":
        """Take the next events; none after the timeout."""
        return self._records.events(timeout_ms)

    def leave(self) -> None:
        """Let no more processes in; the supervisor ends when none is left."""
        self._recording.leave()

    def close(self) -> None:
        """Stop reading. Whatever still runs is answered by the supervisor, unrecorded."""
        self._records.close()


def start_recording(
    program: Program, options: RecorderOptions, blocked_signals: Iterable[int] = ()
) -> _native.Recording:
    """Start a program; what is returned are its records, as the supervisor writes them."""
    argv, user = list(program.argv), program.user
    environ = [name + b"=" + value for name, value in program.environ.items()]

    def start(path: bytes, argv: list[bytes]) -> _native.Recording:
        return _native.launch(
            path,
            argv,
            environ,
            user=(user.uid, user.gid, list(user.groups)) if user else None,
            blocked_signals=list(blocked_signals),
            closed=list(descriptors.closed()),
            stats=options.stats,
            writes_only=options.writes_only,
            io_uring=options.io_uring,
            adopt_orphans=should_adopt_orphans(),
            privileged=os.geteuid() == 0,
            start_ns=time.monotonic_ns(),
            ring_size=RING_SIZE,
        )

    try:
        return start(program.path, argv)
    except OSError as error:
        if error.errno == errno.ENOEXEC and error.filename == "exec":
            # A script without "#!" is the shell's, as for every program that searches PATH.
            return start(b"/bin/sh", [b"sh", program.path, *argv[1:]])
        raise launch_failure(str(error.filename), error, program, "notify") from error
