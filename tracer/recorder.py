"""The seam: what every recorder is, which there are, and how one is found by its name.

A new recorder is a folder below tracer/ and a line in RECORDERS. Its module has, as far as its
line says so, `launch`, `attach` and `probe` (see the protocols here); everything behind them, from
the session to the database, is the same for all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from imptrace.errors import (
    ImptraceError,
    ProgramNotExecutableError,
    ProgramNotFoundError,
    UsageError,
)
from imptrace.tracer import dispositions
from imptrace.tracer.permission import is_privileged
from imptrace.tracer.program import Program, shown

if TYPE_CHECKING:
    from imptrace.tracer.events import Event, Notice

AUTO = "auto"
"""Stands for the first recorder that works."""
RING_SIZE = 8 << 20
"""Room for some 60,000 distinct accesses while nobody reads."""


class RecorderUnavailableError(ImptraceError):
    """A recorder does not work here: the kernel or a sandbox refuses it."""


class AttachError(Exception):
    """The kernel refuses to let `pid` be recorded."""

    def __init__(self, pid: int, number: int) -> None:
        """Keep the pid and the errno."""
        super().__init__(pid, number)
        self.pid = pid
        self.errno = number


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderOptions:
    """What is recorded, and what the program may do."""

    stats: bool = False
    """Also calls that only ask: stat, access, readlink."""
    writes_only: bool = False
    """Leave alone what cannot change a file: costs less, and shows no reads."""
    io_uring: bool = False
    """Let the program use io_uring, whose operations only bpf sees, where nothing need be let."""


class Recorder(Protocol):
    """Where events come from."""

    name: str
    started_ns: int
    """Wall clock, nanoseconds since the epoch: the moment that all times are counted from."""

    def events(self, timeout_ms: int) -> "Sequence[Event | Notice]":
        """Take the next events, in order; none if none came within the timeout.

        `AllGone` is the last. What is not taken must be kept, or counted and told as `Lost`. An
        error that is raised is said at the end of the run, which goes on.
        """

    def close(self) -> None:
        """Stop recording. What came before that can still be taken; what runs goes on."""


class Launched(Recorder, Protocol):
    """A recorder that started a program: what a module's `launch` returns."""

    program: int
    """Its pid."""
    supervisor: int
    """The pid of the child of ours that records."""

    def signals(self, number: int) -> int:
        """Tell how often a signal was sent to all of the process group since the start."""


class Attached(Recorder, Protocol):
    """A recorder of what ran already: what a module's `attach` returns."""

    supervisor: int

    def leave(self) -> None:
        """Let go of everything; what was recorded can still be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderInfo:
    """A recorder that there is. The texts are those of docs/recorders.md and of `doctor`."""

    name: str
    module: str
    """Imported only when it is wanted."""
    launches: bool = False
    """Starts programs: `launch(program, options, blocked_signals) -> Launched`."""
    attaches: bool = False
    """Records what runs already: `attach(pids, options) -> Attached`. Raises AttachError."""
    whole_machine: bool = False
    """Records units or the machine: its module says how."""
    is_asked: bool = False
    """Somebody else records: where there is none (its module's `is_there`), `auto` passes by."""
    probes: bool = True
    """`probe() -> str` tries it and says what it saw. Raises ImptraceError where it does not."""
    privileged: bool = False
    """Only root can use it: `auto` passes it by for others."""
    command: str
    needs: str
    costs: str

    def load(self) -> Any:  # the seam itself: what a module has, its line says
        """Import its module."""
        return import_module(f"imptrace.tracer.{self.module}")

    def launch(
        self, program: Program, options: RecorderOptions, blocked_signals: Iterable[int] = ()
    ) -> Launched:
        """Start `program` with `blocked_signals` as its signal mask; returns when it was executed.

        To be called while this process has one thread. Raises ProgramNotFoundError,
        ProgramNotExecutableError, RecorderUnavailableError.
        """
        dispositions.hand_on()
        started: Launched = self.load().launch(program, options, blocked_signals)
        dispositions.expect_children()
        return started

    def attach(self, pids: Iterable[int], options: RecorderOptions) -> Attached:
        """Record processes that run already; returns when all are. Raises AttachError."""
        attached: Attached = self.load().attach(pids, options)
        dispositions.expect_children()
        return attached

    def probe(self) -> str:
        """Try it; what it saw. Raises ImptraceError."""
        return str(self.load().probe())


RECORDERS = (
    RecorderInfo(
        name="bpf",
        module="bpf.recorder",
        launches=True,
        attaches=True,
        privileged=True,
        whole_machine=True,
        command="`imptrace run` and `imptrace attach` as root, `imptrace watch`",
        needs="root, Linux 5.15 or newer with BTF, and imptrace built where clang and libbpf are",
        costs="nothing waits: some tenths of a microsecond per traced call",
    ),
    RecorderInfo(
        name="service",
        module="asked.recorder",
        launches=True,
        attaches=True,
        is_asked=True,
        command="`imptrace run` and `imptrace attach`, where the machine is recorded",
        needs="that the machine's recorder runs (`imptrace watch --socket`); no privilege",
        costs="as bpf",
    ),
    RecorderInfo(
        name="notify",
        module="notify.recorder",
        launches=True,
        command="`imptrace run`, `imptrace service`",
        needs="Linux 5.19 or newer, and a container that allows seccomp; no privilege",
        costs="one hand-off per traced call",
    ),
    RecorderInfo(
        name="ptrace",
        module="ptrace.recorder",
        launches=True,
        attaches=True,
        command="`imptrace attach`, `imptrace run --recorder ptrace`",
        needs="Linux 5.3 or newer, and a container that allows ptrace; "
        "to attach: one's own process, or root",
        costs="two stops per call, of whatever kind",
    ),
    RecorderInfo(
        name="strace",
        module="strace.recorder",
        probes=False,
        command="`imptrace import`",
        needs="a log that strace wrote",
        costs="that of strace",
    ),
)
"""All recorders; `auto` takes the first that works."""

LAUNCHERS = tuple(info.name for info in RECORDERS if info.launches)
"""What `run --recorder` takes, besides AUTO."""

ATTACHERS = tuple(info.name for info in RECORDERS if info.attaches)
"""What `attach --recorder` takes, besides AUTO."""


def find_recorder(name: str) -> RecorderInfo:
    """Return the recorder of that name. Raises UsageError."""
    for info in RECORDERS:
        if info.name == name:
            return info
    raise UsageError(f"there is no recorder {name!r}; there are {', '.join(LAUNCHERS)}")


def launchers(name: str = AUTO) -> Iterator[RecorderInfo]:
    """Yield the recorders to start a program with, in the order in which to try them."""
    if name == AUTO:
        yield from (info for info in RECORDERS if info.launches and _is_fit(info))
    else:
        yield find_recorder(name)


def _is_fit(info: RecorderInfo) -> bool:
    """Whether `auto` should try a recorder at all."""
    if info.is_asked:
        return bool(info.load().is_there())
    return is_privileged() or not info.privileged


def attachers(name: str = AUTO) -> Iterator[RecorderInfo]:
    """Yield the recorders to attach with, in the order in which to try them. Raises UsageError."""
    if name == AUTO:
        yield from (info for info in RECORDERS if info.attaches and _is_fit(info))
    else:
        yield find_recorder(name)


def launch_failure(stage: str, error: OSError, program: Program, recorder: str) -> ImptraceError:
    """Say why a program could not be started.

    `stage` is how far it came: "filter" (the recorder was set up), "user", "exec", or another
    word for the time before.
    """
    name, reason = shown(program.path), error.strerror
    if stage == "exec" and isinstance(error, FileNotFoundError):
        return ProgramNotFoundError(f"{name}: its interpreter is not there")
    if stage == "exec":
        return ProgramNotExecutableError(f"{name}: {reason}")
    if stage == "filter":
        return RecorderUnavailableError(
            f"the kernel refuses the {recorder} recorder ({reason}); see: imptrace doctor"
        )
    if stage == "user":
        return ImptraceError(f"cannot become the user: {reason}")
    return ImptraceError(f"cannot start the recorder: {reason}")
