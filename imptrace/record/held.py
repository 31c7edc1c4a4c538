"""What the machine's processes hold open to write, which they opened before it was watched."""

import os
from collections.abc import Callable, Iterator

from imptrace.tracer import proc
from imptrace.tracer.events import Access, AccessFlag, Event, Op, Outcome, ProcessStarted

_FIRST = 1 << 40
"""Processes are numbered from here on by their pids: recorders number theirs from 1."""
_KEPT = frozenset(
    ["HOME", "XDG_RUNTIME_DIR"]
    + [f"XDG_{each}_HOME" for each in ("CONFIG", "DATA", "STATE", "CACHE")]
)


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
    return ProcessStarted(
        process=_FIRST + pid,
        parent=None,
        previous=None,
        pid=pid,
        exe=proc.link(pid, "exe").removesuffix(b" (deleted)"),
        argv=proc.arguments(pid),
        cwd=proc.link(pid, "cwd"),
        uid=proc.rights(pid)[0],
        gid=proc.rights(pid)[1],
        cgroup=next((each for each in proc.cgroups(pid) if each != b"/"), b"/"),
        environ={
            name.decode(): value for name, _, value in words if name.decode("latin-1") in _KEPT
        },
        at=at,
    )
