"""The mount table of a process, from /proc/PID/mountinfo (proc_pid_mountinfo(5))."""

import re
from collections.abc import Iterable
from pathlib import Path

from imptrace.tracer.events import Mount

WAITING_TYPES = frozenset(
    {b"autofs", b"nfs", b"nfs4", b"cifs", b"smb3", b"9p", b"ceph", b"afs", b"coda", b"lustre"}
)
"""File systems whose lookups may wait for a server, besides all of FUSE: those of
tracer/native/mounts.c, to which a test holds them."""

_ESCAPE = re.compile(rb"\\([0-3][0-7][0-7])")


def own_mounts() -> list[Mount]:
    """Read the mounts that this process sees, in the order of mounting; none without /proc."""
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return []
    return parse_mountinfo(lines)


def parse_mountinfo(lines: Iterable[bytes]) -> list[Mount]:
    """Parse lines of a mountinfo; one that is not of its form is left out."""
    return [mount for mount in map(_parse_line, lines) if mount is not None]


def may_wait(mount: Mount) -> bool:
    """Whether a lookup on this mount may wait for a FUSE, network or automounter process."""
    return mount.mountpoint != b"/" and (
        mount.fstype.startswith("fuse") or mount.fstype.encode() in WAITING_TYPES
    )


def _parse_line(line: bytes) -> Mount | None:
    front, separator, back = line.partition(b" - ")
    fields, last = front.split(b" "), back.split(b" ")
    if not separator or len(fields) < 6 or len(last) < 2:  # noqa: PLR2004 (the form's own numbers)
        return None
    return Mount(
        mount_id=int(fields[0]),
        parent_id=int(fields[1]),
        device=fields[2].decode("ascii", "replace"),
        root=_unescape(fields[3]),
        mountpoint=_unescape(fields[4]),
        fstype=last[0].decode("ascii", "replace"),
        source=_unescape(last[1]),
        options=fields[5].decode("ascii", "backslashreplace"),
    )


def _unescape(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), text)
