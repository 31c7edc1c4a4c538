"""How a unit's names for paths differ from the host's: both are kept with its run.

Paths are recorded under the host's name (tracer/mounts.c). Where the unit has another name for a
whole mount (PrivateTmp, private directories of a dynamic user, bind mounts), the pair of names
goes into the run's properties, so that the unit's own name of a recorded path can be told.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from imptrace.tracer.events import Mount
from imptrace.tracer.mountinfo import own_mounts, parse_mountinfo

PROPERTY = "MountNames"
"""The name of the property: JSON, {the unit's name: the host's name, or null if it has none}."""


def mount_names(pid: int) -> str | None:
    """Compare the mounts of process `pid` with our own; answer with the property's value.

    None if the process is gone, or has no mounts with other names.
    """
    try:
        lines = Path(f"/proc/{pid}/mountinfo").read_bytes().splitlines()
    except OSError:
        return None
    names = other_names(parse_mountinfo(lines), own_mounts())
    texts = {os.fsdecode(inside): host and os.fsdecode(host) for inside, host in names.items()}
    return json.dumps(texts) if texts else None


def other_names(unit: Iterable[Mount], host: Sequence[Mount]) -> dict[bytes, bytes | None]:
    """List the unit's mount points that are elsewhere on the host, or (None) nowhere."""
    found = {}
    for mount in unit:
        name = _name_on(host, mount)
        if name != mount.mountpoint:
            found[mount.mountpoint] = name
    return found


def _name_on(host: Sequence[Mount], mount: Mount) -> bytes | None:
    """Find where the host has what `mount` shows; the same name, if that is one of several."""
    candidates = [
        _join(seen.mountpoint, rest)
        for seen in host
        if seen.device == mount.device and (rest := _below(mount.root, seen.root)) is not None
    ]
    if mount.mountpoint in candidates:
        return mount.mountpoint
    return candidates[0] if candidates else None


def _below(path: bytes, place: bytes) -> bytes | None:
    """Answer with the part of `path` behind `place`; None if it is not below."""
    if place == b"/":
        return path.lstrip(b"/")
    if path == place:
        return b""
    return path[len(place) + 1 :] if path.startswith(place + b"/") else None


def _join(place: bytes, rest: bytes) -> bytes:
    return place.rstrip(b"/") + b"/" + rest if rest else place
