"""What the machine's processes hold open to write, which they opened before it was watched."""

import os
from collections.abc import Callable, Iterator

from imptrace.tracer import proc
from imptrace.tracer.events import (
    KEPT_VARIABLES,
    Access,
    AccessFlag,
    Event,
    Op,
    Outcome,
    ProcessStarted,
)

_FIRST = 1 << 40
"""Processes are numbered from here on by their pids: recorders number theirs from 1."""


def held(is_wanted: Callable[[bytes], bool], at: int = 0) -> Iterator[Event]:
    """Tell of each wanted file that is open to be written, and of the process that holds it."""
    for pid in proc.processes():
        if pid == os.getpid() or proc.is_kernel_thread(pid):
            continue
        paths = dict.fromkeys(
            path
            for _, flags, path in proc.descriptors(pid)
            if flags & os.O_ACCMODE != os.O_RDONLY and _has_name(path) and is_wanted(path)
        )
        if not paths:
            continue
        yield _process(pid, at)
        for path in paths:
            yield Access(
                _FIRST + pid,
                Op.WRITE,
                path,
                None,
                Outcome.OK,
                at,
                flags=AccessFlag.ALREADY_OPEN,
            )


def _has_name(path: bytes) -> bool:
    return path.startswith(b"/") and not path.endswith(b" (deleted)")


def _process(pid: int, at: int) -> ProcessStarted:
    words = (each.partition(b"=") for each in proc.environ(pid))
    named = ((name.decode("latin-1"), value) for name, _, value in words)
    uid, gid = proc.rights(pid)
    return ProcessStarted(
        process=_FIRST + pid,
        parent=None,
        previous=None,
        pid=pid,
        exe=proc.link(pid, "exe").removesuffix(b" (deleted)"),
        argv=proc.arguments(pid),
        cwd=proc.link(pid, "cwd"),
        uid=uid,
        gid=gid,
        cgroup=next((each for each in proc.cgroups(pid) if each != b"/"), b"/"),
        environ={name: value for name, value in named if name in KEPT_VARIABLES},
        at=at,
    )
