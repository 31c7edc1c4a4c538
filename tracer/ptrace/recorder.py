"""The ptrace recorder: starts or attaches to programs, with a tracer process of its own.

    imptrace --fork--> tracer [--fork--> program]

The tracer (ptrace_loop.py) stops the tracees and writes to the ring, which imptrace reads. A pipe
whose only writer is imptrace tells it to let go: by being closed, on purpose or by imptrace's
death.
"""

import contextlib
import errno
import gc
import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NoReturn

from imptrace.errors import ImptraceError
from imptrace.tracer import _native, descriptors
from imptrace.tracer.permission import is_privileged, should_adopt_orphans
from imptrace.tracer.program import Program, heed_signals
from imptrace.tracer.ptrace.loop import Tracer
from imptrace.tracer.recorder import RING_SIZE, AttachError, RecorderOptions, launch_failure

if TYPE_CHECKING:
    from imptrace.tracer.events import Event, Notice

_FLUSH_MS = 250
_END_SECONDS = 1.0
"""How long a tracer that has let go may take to end: its tracees are free only then."""
_STDERR = 2
_NAME = b"ptrace-records"
_OTHERS = signal.valid_signals() - {signal.SIGCHLD}
"""What nobody sends to this process alone."""


class PtraceRecorder:
    """Programs that run under the ptrace recorder."""

    name = "ptrace"

    def __init__(self, recording: _native.Recording, control: int, tracer: int) -> None:
        """Read `recording`, which the process `tracer` fills until `control` is closed."""
        self.started_ns = time.time_ns()
        self.supervisor = tracer
        self.program = 0
        from imptrace.tracer.native.drained import Drained

        self._recording = recording
        self._records = Drained(recording)
        self._control = control
        self._end_of_tracer = _end_of(tracer)
        self._lock = Lock()

    def events(self, timeout_ms: int) -> "Sequence[Event | Notice]":
        """Take the next events; none after the timeout."""
        return self._records.events(timeout_ms)

    def signals(self, number: int) -> int:
        """Tell how often a signal was sent to all of the process group since the start."""
        return self._recording.signals(number)

    def leave(self) -> None:
        """Let go of all tracees, which run on; what was recorded can still be read."""
        with self._lock:  # one thread may let go while another one closes
            if self._control >= 0:
                os.close(self._control)
                self._control = -1

    def close(self) -> None:
        """Let go, and stop reading. Who wants to trace the same next finds it free."""
        self.leave()
        if self._end_of_tracer is not None:
            select.select([self._end_of_tracer], [], [], _END_SECONDS)
            os.close(self._end_of_tracer)
            self._end_of_tracer = None
        self._records.close()


def launch(
    program: Program, options: RecorderOptions, blocked_signals: Iterable[int] = ()
) -> PtraceRecorder:
    """Start a program: see RecorderInfo.launch."""
    blocked = list(blocked_signals)
    heed_signals(blocked)
    recorder, report = _start(options, lambda process: process.launch(program, options, blocked))
    if report.get("stage"):
        recorder.close()
        error = OSError(report["errno"], os.strerror(report["errno"]))
        raise launch_failure(report["stage"], error, program, recorder.name)
    recorder.program = report["program"]
    return recorder


def attach(pids: Iterable[int], options: RecorderOptions) -> PtraceRecorder:
    """Trace processes that run already: see RecorderInfo.attach."""
    wanted = list(pids)
    recorder, report = _start(options, lambda process: process.attach(wanted))
    if "pid" in report:
        recorder.close()
        raise AttachError(report["pid"], report["errno"])
    return recorder


def probe() -> str:
    """Try it: see RecorderInfo.probe."""
    from imptrace.tracer.probe import probe_launch

    return probe_launch(launch)


def _start(
    options: RecorderOptions, work: Callable[["_TracerProcess"], None]
) -> tuple[PtraceRecorder, dict[str, Any]]:
    """Fork the tracer, and wait for its report: about a failure, or that all began well."""
    recording = _native.open_recording(RING_SIZE)
    read_control, control = os.pipe()
    read_report, report = os.pipe()
    reader = os.pidfd_open(os.getpid())
    start_ns = time.monotonic_ns()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    tracer = os.fork()
    if not tracer:
        os.close(control)
        os.close(read_report)
        process = _TracerProcess(read_control, report)
        process.run(lambda: _observer(recording, reader, start_ns, options), work)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    for fd in (read_control, report, reader):
        os.close(fd)
    with open(read_report, "rb") as file:
        lines = [json.loads(line) for line in file]
    merged = {key: value for line in lines for key, value in line.items()}
    self = PtraceRecorder(recording, control, tracer)
    if not merged:
        self.close()
        raise ImptraceError("cannot start the recorder: its process ended at once")
    return self, merged


def _end_of(process: int) -> int | None:
    """Open what tells of the end of a child; None: it has ended.

    Nothing is left of it to be waited for where our parent has us ignore the end of children.
    """
    try:
        return os.pidfd_open(process)
    except ProcessLookupError:
        return None


def _observer(
    recording: _native.Recording, reader: int, start_ns: int, options: RecorderOptions
) -> _native.Observer:
    return _native.Observer(
        recording,
        reader=reader,
        stats=options.stats,
        writes_only=options.writes_only,
        privileged=is_privileged(),
        start_ns=start_ns,
    )


class _TracerProcess:
    """The process that traces: all signals blocked, and nobody's terminal or directory in use."""

    def __init__(self, control: int, report: int) -> None:
        """Report to the pipe `report`; go on until `control` is closed."""
        self._control = control
        self._report = report

    def run(
        self, begin: Callable[[], _native.Observer], work: Callable[["_TracerProcess"], None]
    ) -> NoReturn:
        """Do the work and end. Nothing is ever raised into the code that forked."""
        status = 1
        try:
            gc.disable()  # every pause would be a tracee's
            self._observer = begin()
            work(self)
            status = 0
        finally:
            os._exit(status)

    def launch(self, program: Program, options: RecorderOptions, blocked: list[int]) -> None:
        """Fork the program, let it execute under trace, and trace until nothing is left."""
        ready, go = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(go)
            _Candidate(self._report).become(program, options, blocked, ready)
        self._observer.settle(_NAME, [self._control, self._report, go])
        tracer = Tracer(self._observer, program=pid)
        try:
            tracer.follow(pid)
        except OSError as error:
            os.kill(pid, signal.SIGKILL)
            _tell(self._report, stage="filter", errno=error.errno)
            return
        _tell(self._report, program=pid)
        os.write(go, b"!")
        os.close(go)
        if should_adopt_orphans():
            _native.adopt_orphans()
        self._trace(tracer)

    def attach(self, pids: list[int]) -> None:
        """Trace processes that run already, until nothing of them is left."""
        os.setsid()  # what the terminal sends is not for this process
        self._observer.settle(_NAME, [self._control, self._report])
        tracer = Tracer(self._observer)
        try:
            tracer.attach(pids)
        except OSError as error:
            _tell(self._report, pid=error.filename, errno=error.errno)
            return
        _tell(self._report, attached=True)
        self._trace(tracer)

    def _trace(self, tracer: Tracer) -> None:
        os.close(self._report)
        Thread(target=self._watch, args=(tracer,), daemon=True).start()
        tracer.run()
        self._observer.close()

    def _watch(self, tracer: Tracer) -> None:
        """Let go of everything when nobody holds the other end of the control pipe any more."""
        control = select.poll()
        control.register(self._control)
        while not control.poll(_FLUSH_MS):
            self._observer.flush()
            self._count_signals()
        tracer.leave()

    def _count_signals(self) -> None:
        """Count first and take then: whoever asks for the one and the other misses none."""
        while came := signal.sigpending() & _OTHERS:
            for number in came:
                self._observer.signalled(number)
                signal.sigtimedwait({number}, 0)


class _Candidate:
    """The process that is about to execute the program."""

    def __init__(self, report: int) -> None:
        """Report failures to the pipe `report`, which closes by itself at an exec."""
        self._report = report

    def become(
        self, program: Program, options: RecorderOptions, blocked: list[int], ready: int
    ) -> NoReturn:
        """Execute the program as soon as the tracer says so on the pipe `ready`."""
        self._stage = "start"
        try:
            if os.read(ready, 1):
                self._execute(program, options, blocked)
        except OSError as error:
            _tell(self._report, stage=self._stage, errno=error.errno)
        finally:
            os._exit(127)

    def _execute(self, program: Program, options: RecorderOptions, blocked: list[int]) -> None:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if not options.io_uring:
            # Where no filter is allowed, the tracer warns when io_uring is used.
            with contextlib.suppress(OSError):
                _native.refuse_io_uring()
        self._stage = "user"
        if program.user is not None:
            # Neither our terminal, to type into, nor what is open.
            os.setsid()
            _native.close_at_exec(_STDERR + 1)
            os.setgroups(program.user.groups)
            os.setresgid(*[program.user.gid] * 3)
            os.setresuid(*[program.user.uid] * 3)
        self._stage = "exec"
        for fd in descriptors.closed():
            os.close(fd)
        try:
            os.execve(program.path, program.argv, program.environ)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            # A script without "#!" is the shell's, as for every program that searches PATH.
            script = [b"sh", program.path, *program.argv[1:]]
            os.execve(b"/bin/sh", script, program.environ)


def _tell(report: int, **facts: object) -> None:
    os.write(report, json.dumps(facts).encode() + b"\n")
