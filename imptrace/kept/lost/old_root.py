"""Where the root from before the last wipe still is."""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from imptrace.errors import UsageError
from imptrace.facts.commands import CommandError, answer_if_any, answer_of
from imptrace.kept.btrfs import subvolume_made
from imptrace.kept.zfs import snapshots
from imptrace.tracer.events import Mount

_OLD = re.compile(
    rb"(?:old|prev|previous|backup|snapshots?).*roots?|roots?.*(?:old|prev|backup)|@old"
)
_RENAMED = re.compile(rb"[-_.@:+ ]*(?:old|prev|previous|bak|backup|last|[0-9][-_.:+ t0-9z]*)")
"""What stands behind the name of a root that was moved away."""
_SUBVOLUME = 256
"""The inode of every btrfs subvolume's own directory."""
_DEPTH = 2
_VISIBLE = b"/.zfs/snapshot"


@dataclass(frozen=True, slots=True)
class OldRoot:
    """A root from before the wipe."""

    path: bytes
    """Where it can be read now."""
    shown: str


@contextmanager
def old_root(said: bytes | None, mounts: Sequence[Mount]) -> Iterator[OldRoot | None]:
    """Find it: where the user says, else among what btrfs and ZFS keep of this root.

    A btrfs file system is mounted whole meanwhile, read-only and where nobody else sees it.
    """
    if said is not None:
        if not os.path.isdir(said):
            raise UsageError(f"{os.fsdecode(said)} is no directory")
        yield OldRoot(said, os.fsdecode(said))
        return
    root = next((mount for mount in reversed(mounts) if mount.mountpoint == b"/"), None)
    if root is not None and root.fstype == "btrfs":
        with _whole(root.source) as top:
            yield _newest(top, root) if top is not None else None
    elif root is not None and root.fstype == "zfs":
        yield newest_snapshot(root.source)
    else:
        yield None


@contextmanager
def _whole(device: bytes) -> Iterator[bytes | None]:
    """Mount the top of a btrfs file system."""
    place = tempfile.mkdtemp(prefix="imptrace-old-root-")
    command = ["mount", "-t", "btrfs", "-o", "ro,subvolid=5", "--", os.fsdecode(device), place]
    mounted = False
    try:
        with suppress(CommandError):
            answer_of(*command)
            mounted = True
        yield os.fsencode(place) if mounted else None
    finally:
        if mounted:
            answer_if_any("umount", "--lazy", "--", place)
        os.rmdir(place)


def _newest(top: bytes, root: Mount) -> OldRoot | None:
    """Choose the newest subvolume that is called like an old root, or lies in such a directory."""
    own = top + root.root
    own_name = os.path.basename(root.root)
    found = [each for each in _called_old(top, own_name, _DEPTH) if each != own and _is_root(each)]
    if not found:
        return None
    path = max(found, key=lambda each: subvolume_made(each) or 0)
    return OldRoot(path, os.fsdecode(path.removeprefix(top).lstrip(b"/")))


def _called_old(
    directory: bytes, own_name: bytes, depth: int, *, is_below: bool = False
) -> Iterator[bytes]:
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if not entry.is_dir(follow_symlinks=False):
                continue
            is_old = is_below or _is_called_old(entry.name, own_name)
            # The entry itself has the number of the subvolume.
            if is_old and entry.stat(follow_symlinks=False).st_ino == _SUBVOLUME:
                yield entry.path
            elif depth > 1 and (is_old or depth == _DEPTH):
                yield from _called_old(entry.path, own_name, depth - 1, is_below=is_old)


def _is_called_old(name: bytes, own_name: bytes) -> bool:
    """Whether a name says so, or is that of the root with a date or the like behind it."""
    behind = name.removeprefix(own_name) if own_name else name
    is_renamed = behind != name and _RENAMED.fullmatch(behind.lower()) is not None
    return is_renamed or _OLD.search(name.lower()) is not None


def newest_snapshot(dataset: bytes, visible: bytes = _VISIBLE) -> OldRoot | None:
    """Choose the newest ZFS snapshot of the root that is not the empty one.

    `visible`: where ZFS shows them. The times there are those of the root in them, not their own.
    """
    for each in reversed(snapshots(dataset)):
        path = os.path.join(visible, each.name)
        if _is_root(path):
            return OldRoot(path, os.fsdecode(path))
    return None


def _is_root(path: bytes) -> bool:
    """Whether a directory was somebody's root, and not an empty one."""
    return any(os.path.isdir(os.path.join(path, name)) for name in (b"etc", b"var", b"home"))
