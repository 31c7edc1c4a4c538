"""The bpf recorder: passive programs in the kernel. How it works and why: docs/recorders.md.

Here it is started, on a program, on processes that run already, or on the whole machine.
"""

import errno
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from imptrace.tracer.program import Program, heed_signals
from imptrace.tracer.recorder import (
    AttachError,
    RecorderOptions,
    RecorderUnavailableError,
    launch_failure,
)

if TYPE_CHECKING:
    from imptrace.tracer._bpf import Machine
    from imptrace.tracer.bpf.listening import Listener, Listeners
    from imptrace.tracer.events import Event, Notice

EVERYBODY = -1
_TYPES = "/sys/kernel/btf/vmlinux"
"""What the kernel's structures look like (BTF), without which no program can be loaded."""
_MACHINE_BACKLOG = 256 << 20
"""Bytes that wait in a file while the whole machine is recorded; what comes then is lost."""


class ControlGroup(NamedTuple):
    """A control group of the unified hierarchy, by what the kernel knows it by."""

    id: int
    """0: it is not there yet."""
    parent: int
    """The id of the one that it lies in; 0: of any."""
    depth: int
    """How deep it lies, counted from our own: a container does not see how deep it is itself."""
    name: bytes
    """When one of this name is made there anew, it is meant from then on."""


class Where(NamedTuple):
    """What is recorded, besides the processes that are named."""

    machine: bool = False
    """Every process there is."""
    user: int = EVERYBODY
    """Only this user's."""
    group: ControlGroup | None = None
    """All processes of this control group and below."""
    devices: tuple[int, ...] = ()
    """Only what lies on these file systems, by their devices; empty: on any."""
    below: tuple[bytes, ...] = ()
    """Only what lies below these directories; empty: anywhere."""


NAMED = Where()
"""Only processes that are named, and what they start."""


class BpfRecorder:
    """What the programs in the kernel see, until it is closed."""

    name = "bpf"

    def __init__(
        self,
        machine: "Machine",
        started_ns: int,
        program: int = 0,
        listeners: "Listeners | None" = None,
    ) -> None:
        """Read what `machine` records since `started_ns`; `listeners` read parts of it, too."""
        self.started_ns = started_ns
        self.program = program
        self.supervisor = machine.witness()
        from imptrace.tracer.native.drained import Backlog, Drained

        self._machine = machine
        self._listeners = listeners
        # Of what everybody does, nobody may fill the disk with what waits to be stored.
        backlog = Backlog(file_limit=_MACHINE_BACKLOG) if listeners else None
        self._records = Drained(listeners or machine, backlog)

    def wait_for_first(self, timeout_ms: int) -> bool:
        """Wait for something to come; whether anything has, which the next `events` returns."""
        return self._records.wait(timeout_ms)

    def events(self, timeout_ms: int) -> "Sequence[Event | Notice]":
        """Take the next events; none after the timeout."""
        return self._records.events(timeout_ms)

    def signals(self, number: int) -> int:
        """Tell how often the process group that the program was started in got a signal."""
        return self._machine.signals(number)

    def listen(self, pid: int, user: int, *, writes_only: bool, stats: bool) -> "Listener":
        """Tell somebody else what a process is about to execute. Raises Refused."""
        if self._listeners is None:
            from imptrace.tracer.bpf.listening import Refused

            raise Refused("only a part of the machine is recorded")
        return self._listeners.listen(pid, user, writes_only=writes_only, stats=stats)

    def join(
        self, pids: Mapping[int, int], user: int, *, writes_only: bool, stats: bool
    ) -> "Listener":
        """Tell somebody else what processes do that run already: pidfds by pids. Raises Refused."""
        if self._listeners is None:
            from imptrace.tracer.bpf.listening import Refused

            raise Refused("only a part of the machine is recorded")
        return self._listeners.join(pids, user, writes_only=writes_only, stats=stats)

    def ignore(self, pid: int) -> None:
        """Leave out a process that is ours, too, and all that it starts."""
        self._machine.ignore(pid)

    def renew(self) -> None:
        """Tell also of what was done before, when it is done again."""
        self._machine.renew()

    def leave(self) -> None:
        """Record no more; what was recorded can still be taken."""
        self._machine.leave()

    def close(self) -> None:
        """Stop recording. What was recorded goes on."""
        self._records.close()


def launch(
    program: Program, options: RecorderOptions, blocked_signals: Iterable[int] = ()
) -> BpfRecorder:
    """Start a program: see RecorderInfo.launch."""
    started_ns = time.time_ns()
    machine = load_machine(options)
    blocked = list(blocked_signals)
    heed_signals(blocked)  # it has taken a while
    try:
        pid = _start(machine, program, blocked)
    except OSError as error:
        machine.close()
        raise launch_failure(str(error.filename), error, program, "bpf") from error
    return BpfRecorder(machine, started_ns, pid)


def attach(pids: Iterable[int], options: RecorderOptions) -> BpfRecorder:
    """Record processes that run already: see RecorderInfo.attach."""
    return watch(options, NAMED, pids)


def watch(options: RecorderOptions, where: Where, pids: Iterable[int] = ()) -> BpfRecorder:
    """Record what `where` says, and processes that run already. Raises AttachError."""
    from imptrace.tracer.bpf.holding import tell_held

    started_ns = time.time_ns()
    machine = load_machine(options, where)
    try:
        machine.watch_signals()
        images = {pid: _follow(machine, pid, may_be_gone=where.group is not None) for pid in pids}
        for pid, image in images.items():
            if image:
                tell_held(machine, pid, image)
    except BaseException:
        machine.close()
        raise
    return BpfRecorder(machine, started_ns, listeners=_listeners(machine, where))


def _listeners(machine: "Machine", where: Where) -> "Listeners | None":
    """Prepare for those who listen to parts, where everything is recorded."""
    if not where.machine or where.user != EVERYBODY:
        return None
    from imptrace.tracer.bpf.listening import Listeners

    return Listeners(machine)


def probe() -> str:
    """Try it: see RecorderInfo.probe."""
    from imptrace.tracer.probe import probe_launch

    return probe_launch(launch)


def load_machine(
    options: RecorderOptions, where: Where = NAMED, *, portable: bool = False
) -> "Machine":
    """Put the programs into the kernel; nothing is recorded yet. Raises ImptraceError.

    `portable`: as an older kernel would have them.
    """
    try:
        from imptrace.tracer import _bpf
    except ImportError as error:
        raise RecorderUnavailableError(
            "the bpf recorder was not built: install clang and libbpf with its headers "
            "(libbpf-dev), and build imptrace again"
        ) from error
    group = where.group or ControlGroup(0, 0, 0, b"")
    scope = _bpf.SCOPE_GROUP if where.group else _bpf.SCOPE_TREE
    try:
        machine = _bpf.Machine(
            time.monotonic_ns(),
            scope=_bpf.SCOPE_MACHINE if where.machine else scope,
            stats=options.stats,
            writes_only=options.writes_only,
            only_devices=bool(where.devices),
            user=where.user,
            group=group.id,
            group_parent=group.parent,
            group_depth=group.depth,
            group_name=group.name,
            portable=portable,
        )
    except OSError as error:
        raise _unavailable(error) from error
    for device in where.devices:
        machine.want(os.major(device) << 20 | os.minor(device))
    for path in where.below:
        machine.only_below(path)
    return machine


def _unavailable(error: OSError) -> RecorderUnavailableError:
    if error.errno in (errno.EPERM, errno.EACCES) and os.geteuid() != 0:
        return RecorderUnavailableError("the bpf recorder needs root")
    reason = error.strerror or "no reason given"
    if error.errno == errno.ESRCH and not os.path.exists(_TYPES):
        reason = f"there is no {_TYPES}: mount /sys, or boot a kernel with CONFIG_DEBUG_INFO_BTF"
    return RecorderUnavailableError(
        f"the kernel refuses the bpf recorder ({error.filename}: {reason}); see: imptrace doctor"
    )


def _start(machine: "Machine", program: Program, blocked: list[int]) -> int:
    user = program.user
    environ = [name + b"=" + value for name, value in program.environ.items()]
    identity = (user.uid, user.gid, list(user.groups)) if user else None
    argv = list(program.argv)
    try:
        return machine.launch(program.path, argv, environ, identity, blocked)
    except OSError as error:
        if error.errno != errno.ENOEXEC or error.filename != "exec":
            raise
        # A script without "#!" is the shell's, as for every program that searches PATH.
        script = [b"sh", program.path, *argv[1:]]
        return machine.launch(b"/bin/sh", script, environ, identity, blocked)


def _follow(machine: "Machine", pid: int, *, may_be_gone: bool) -> int:
    """Record a process; the number of its image, 0 if it is one of a group and has ended."""
    try:
        status = os.stat(f"/proc/{pid}")
        return machine.follow(pid, status.st_uid, status.st_gid)
    except OSError as error:
        if may_be_gone and error.errno in (errno.ENOENT, errno.ESRCH):
            return 0
        raise AttachError(pid, error.errno or errno.ESRCH) from error
