"""The control group of a unit: by it the kernel knows what belongs to the unit."""

import os
from collections.abc import Sequence
from pathlib import Path

from imptrace.tracer import proc
from imptrace.tracer.bpf.recorder import ControlGroup

_TOPS = tuple(map(Path, ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")))


def group_of(pid: int, unit: str) -> ControlGroup | None:
    """Find the group of a unit that a process belongs to; None where cgroup v2 does not hold it."""
    parts = _parts(pid)
    return at_path(parts[: parts.index(unit) + 1]) if unit in parts else None


def at_path(parts: Sequence[str]) -> ControlGroup | None:
    """Look up a group that may not be there yet; None where there is no unified hierarchy."""
    top = _top()
    if top is None:
        return None
    own = top.joinpath(*parts)
    depth = len(parts) - len(_parts(os.getpid()))
    return ControlGroup(_id(own), _id(own.parent), depth, os.fsencode(parts[-1]))


def members(parts: Sequence[str]) -> list[int]:
    """List the processes of a group and of those below it."""
    top = _top()
    lists = [] if top is None else sorted(top.joinpath(*parts).rglob("cgroup.procs"))
    return [int(pid) for each in lists for pid in _read(each).split()]


def _top() -> Path | None:
    return next((top for top in _TOPS if (top / "cgroup.controllers").exists()), None)


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError:
        return ""


def _parts(pid: int) -> list[str]:
    return [part for part in os.fsdecode(proc.unified_cgroup(pid)).split("/") if part]


def _id(group: Path) -> int:
    try:
        return group.stat().st_ino
    except OSError:
        return 0
