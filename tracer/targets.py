"""Which processes are meant, and why one of them cannot be attached to.

What is not there is a UsageError; what is there and may not be traced, an ImptraceError.
"""

import errno
import os
import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from imptrace.errors import ImptraceError, UsageError
from imptrace.facts.programs import program_name
from imptrace.facts.units import unit_patterns
from imptrace.tracer import proc
from imptrace.tracer.permission import is_privileged, yama_refusal
from imptrace.tracer.program import RunSubject, shown, user_name

_KERNEL_NAME_MAX = 15
_ENDED = ("Z", "X", "")


def with_pid(pid: int) -> int:
    """Return the process that `pid`, which may be a thread of it, belongs to, if it can be traced.

    Raises UsageError, ImptraceError.
    """
    process = proc.process_of(pid)
    if process is None or proc.state(process) in _ENDED:
        raise UsageError(f"there is no process {pid}")
    if process == os.getpid():
        raise UsageError(f"{pid} is imptrace itself, which cannot attach to itself")
    if proc.is_kernel_thread(process):
        raise UsageError(f"{named(process)} is a thread of the kernel: it opens no files")
    if tracer := proc.tracer(process):
        raise ImptraceError(
            f"{named(process)} is traced already, by {named(tracer)}: a process has one tracer"
        )
    if not _is_ours(process):
        raise ImptraceError(
            f"{named(process)} belongs to {user_name(proc.owner(process) or 0)}: use sudo"
        )
    return process


def with_name(name: str) -> list[int]:
    """Return the processes of a program: of its file, its command line or its own short name.

    Those of other users are left out where they may not be traced, unless there are no others.
    Raises UsageError, ImptraceError.
    """
    found = _choose(lambda pid: name in _names(pid))
    if not found:
        raise UsageError(f"no program {shown(os.fsencode(name))} runs here; see: ps -e")
    return _traceable(found)


def in_unit(pattern: str) -> dict[str, list[int]]:
    """Return the processes of the systemd units that `pattern` fits, by unit.

    Works with cgroup v1, v2 and both at once: a process belongs to a unit if it is in the unit's
    control group or below. A word without a suffix is a service. Raises ImptraceError.
    """
    (wanted,) = unit_patterns([pattern])
    found: dict[str, list[int]] = {}

    def is_meant(pid: int) -> bool:
        parts = (os.fsdecode(part) for path in proc.cgroups(pid) for part in path.split(b"/"))
        unit = next((part for part in parts if fnmatchcase(part, wanted)), None)
        if unit is not None:
            found.setdefault(unit, []).append(pid)
        return unit is not None

    traceable = set(_traceable(_choose(is_meant)))
    return {
        unit: members
        for unit, pids in found.items()
        if (members := [p for p in pids if p in traceable])
    }


def described(pid: int) -> RunSubject:
    """Describe a process that runs."""
    arguments = proc.arguments(pid) or (proc.command(pid),)
    uid = proc.owner(pid) or 0
    return RunSubject(
        program=_program(pid, arguments[0]),
        argv=arguments,
        cwd=proc.link(pid, "cwd"),
        user=user_name(uid),
        uid=uid,
    )


def named(pid: int) -> str:
    """Name a process for a message."""
    return f"process {pid} ({shown(proc.command(pid))})"


def refusal(pid: int, number: int) -> ImptraceError:
    """Say why the kernel refused, with this errno, to let a process be traced."""
    if number == errno.ESRCH:
        return UsageError(f"process {pid} has ended meanwhile")
    reason = os.strerror(number)
    if number == errno.EPERM:
        if tracer := proc.tracer(pid):
            reason = f"it is traced already, by {named(tracer)}"
        elif yama := yama_refusal():
            reason = yama
        elif is_privileged():
            reason = "the kernel allows it not even root; a container needs CAP_SYS_PTRACE"
        else:
            reason = "it hides from other processes, or has privileges of its own: use sudo"
    return ImptraceError(f"cannot attach to {named(pid)}: {reason}")


def _program(pid: int, first: bytes) -> bytes:
    """Name a program as it was called, or by the first word of a title ("postgres: checkpointer").

    Its file may have another name: many programs are links to one.
    """
    file = os.path.basename(proc.link(pid, "exe").removesuffix(b" (deleted)"))
    called = os.path.basename(first)
    if called != file:
        called = os.path.basename(re.split(rb"[\s:]", first.removeprefix(b"-"), maxsplit=1)[0])
    return program_name(called or file) or proc.command(pid)


def _choose(is_meant: Callable[[int], bool]) -> list[int]:
    return [
        pid
        for pid in proc.processes()
        if pid != os.getpid()
        and is_meant(pid)
        and not proc.is_kernel_thread(pid)
        and proc.state(pid) not in _ENDED
    ]


def _traceable(pids: list[int]) -> list[int]:
    return [with_pid(pid) for pid in [pid for pid in pids if _is_ours(pid)] or pids]


def _is_ours(pid: int) -> bool:
    return is_privileged() or proc.owner(pid) == os.geteuid()


def _names(pid: int) -> set[str]:
    file = os.path.basename(proc.link(pid, "exe").removesuffix(b" (deleted)"))
    first = os.path.basename(proc.arguments(pid)[0]) if proc.arguments(pid) else b""
    names = {file, program_name(file), first, program_name(first)}
    command = proc.command(pid)
    if len(command) < _KERNEL_NAME_MAX:  # a longer one is cut, and might be another's
        names.add(command)
    return {os.fsdecode(name) for name in names if name}
