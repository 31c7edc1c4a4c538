"""Who has files open in what is to be copied: programs, and the units that they belong to."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from imptrace.facts.paths import is_within

_UNIT = re.compile(r"/([^/]+\.(?:service|scope))(?:/|$)")
_SYSTEM_SLICE = "/system.slice/"
_DELETED = b" (deleted)"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has something open below a path."""

    pid: int
    program: str
    unit: str | None
    """The system's unit that it belongs to; None for a program of somebody's session."""
    path: bytes
    """One of what it has open."""
    writes: bool
    """Whether it has it open for writing, or mapped so."""


def holders(paths: Sequence[bytes]) -> list[Holder]:
    """Find who has files open below any of the paths; one holder for each process and path.

    Processes that we may not look into are not seen.
    """
    own = os.getpid()
    found = []
    for directory in Path("/proc").iterdir():
        if not directory.name.isdigit() or int(directory.name) == own:
            continue
        held: dict[bytes, tuple[bytes, bool]] = {}
        for opened, writes in _opened(directory):
            top = next((path for path in paths if is_within(opened, path)), None)
            if top is not None and (top not in held or writes):
                held[top] = (opened, writes)
        for opened, writes in held.values():
            found.append(
                Holder(int(directory.name), _program(directory), _unit(directory), opened, writes)
            )
    return sorted(found, key=lambda holder: (holder.path, holder.pid))


def _opened(directory: Path) -> Iterator[tuple[bytes, bool]]:
    """Yield what a process has open, and whether it may write to it."""
    with suppress(OSError):
        yield os.readlink(os.fsencode(directory / "cwd")), False
    try:
        descriptors = os.listdir(directory / "fd")
    except OSError:
        return
    for descriptor in descriptors:
        with suppress(OSError, ValueError, IndexError):
            path = os.readlink(os.fsencode(directory / "fd" / descriptor))
            if path.startswith(b"/") and not path.endswith(_DELETED):
                yield path, _writes((directory / "fdinfo" / descriptor).read_text())
    with suppress(OSError):
        for line in (directory / "maps").read_bytes().splitlines():
            fields = line.split(b" ", 5)
            # Shared and writable: changes reach the file.
            if len(fields) == 6 and fields[1].startswith(b"rw-s"):  # noqa: PLR2004 (proc_pid_maps)
                path = fields[5].strip()
                if path.startswith(b"/") and not path.endswith(_DELETED):
                    yield path, True


def _writes(information: str) -> bool:
    flags = next(line for line in information.splitlines() if line.startswith("flags:"))
    return bool(int(flags.split()[1], 8) & os.O_ACCMODE)


def _program(directory: Path) -> str:
    try:
        return (directory / "comm").read_text(errors="backslashreplace").strip()
    except OSError:
        return "?"


def _unit(directory: Path) -> str | None:
    """Name the service of the system's manager, in version 1 or 2 of the hierarchy."""
    try:
        text = (directory / "cgroup").read_text()
    except OSError:
        return None
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "name=systemd") and (_SYSTEM_SLICE in path):
            names = [name for name in _UNIT.findall(path) if name.endswith(".service")]
            if names:
                return str(names[0])
    return None
