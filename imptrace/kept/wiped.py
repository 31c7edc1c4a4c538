"""Which file systems the next boot wipes, and which last: with the reason for each."""

import json
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from imptrace.facts.file_systems import EPHEMERAL_TYPES, IN_MEMORY_TYPES, VIRTUAL_TYPES
from imptrace.facts.paths import is_within
from imptrace.kept.boot import Boot
from imptrace.kept.btrfs import subvolume_made
from imptrace.kept.machine import KEPT_FILE
from imptrace.kept.walk import Tree
from imptrace.kept.zfs import snapshots
from imptrace.tracer.events import Mount

_BLANK = re.compile(r"@.*(blank|empty|clean|pristine)", re.IGNORECASE)
_VOLATILE = re.compile(r"\bsystemd\.volatile=(yes|overlay|true|1)\b")
_RUNTIME = (b"/proc", b"/sys", b"/dev", b"/run", b"/tmp", b"/var/tmp")
_NOT_DATA = VIRTUAL_TYPES | {"autofs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """A mount, or a directory that somebody names: whether the next boot wipes it."""

    path: bytes
    fstype: str
    is_wiped: bool
    why: str
    is_fresh: bool = False
    """It was empty, or as an image has it, when this boot began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the user says of directories, which counts more than what can be seen."""

    ephemeral: tuple[bytes, ...] = ()
    kept: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskLayout:
    """All file systems that matter, by path, and the directories whose content is mounted over."""

    file_systems: tuple[FileSystem, ...]
    stores: tuple[bytes, ...]
    points: frozenset[bytes]
    """Every mount point: nothing is looked for beyond one that is not wiped itself."""

    @property
    def wiped(self) -> tuple[FileSystem, ...]:
        """Those that the next boot wipes."""
        return tuple(each for each in self.file_systems if each.is_wiped)


def layout(mounts: Sequence[Mount], said: Said, tree: Tree, boot: Boot) -> DiskLayout:
    """Tell the wiped file systems from the lasting ones."""
    top = {mount.mountpoint: mount for mount in mounts}
    bound = {each: store for each in top.values() if (store := store_of(each, mounts))}
    kept, stores_kept = _kept_by_configuration(tree)
    signs = _Signs(over=tuple(bound), kept=kept, tree=tree, boot=boot)
    found = {
        mount.mountpoint: _file_system(mount, signs)
        for mount in top.values()
        if mount.fstype not in _NOT_DATA
        and not any(is_within(mount.mountpoint, top) for top in _RUNTIME)
    }
    for path in said.ephemeral:
        holder = top[_point_above(path, top)] if top else None
        fstype = holder.fstype if holder else ""
        found[path] = FileSystem(
            path=path,
            fstype=fstype,
            is_wiped=True,
            why="--ephemeral says so",
            is_fresh=path in top and fstype in EPHEMERAL_TYPES,
        )
    for path in said.kept:
        found[path] = FileSystem(path=path, fstype="", is_wiped=False, why="--kept says so")
    stores = dict.fromkeys((*bound.values(), *stores_kept, *said.kept))
    return DiskLayout(
        file_systems=tuple(found[path] for path in sorted(found)),
        stores=tuple(sorted(stores)),
        points=frozenset((*top, *said.kept, *said.ephemeral)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """What tells that a file system is wiped, besides its own kind."""

    over: tuple[Mount, ...]
    """Mounts of a store's directories under the names that they have there."""
    kept: int
    """Paths that the configuration keeps elsewhere."""
    tree: Tree
    boot: Boot


def _file_system(mount: Mount, signs: _Signs) -> FileSystem:
    why = _of_kind(mount, signs) or (_of_root(mount, signs) if mount.mountpoint == b"/" else None)
    return FileSystem(
        path=mount.mountpoint,
        fstype=mount.fstype,
        is_wiped=why is not None,
        is_fresh=why is not None,
        why=why or f"{mount.fstype}, and nothing says that a boot wipes it",
    )


def _of_kind(mount: Mount, signs: _Signs) -> str | None:
    """Tell from a file system itself that it is wiped."""
    if mount.fstype in IN_MEMORY_TYPES:
        return f"{mount.fstype}: it is in memory"
    if mount.fstype == "btrfs":
        made = subvolume_made(signs.tree.real(mount.mountpoint))
        if made is not None and _is_of_boot(made, mount, signs.boot):
            return "its btrfs subvolume was made when this boot began"
    blank = _blank_snapshot(mount.source) if mount.fstype == "zfs" else None
    return f"its ZFS dataset has the snapshot {blank}, to be rolled back to" if blank else None


def _is_of_boot(made_ns: int, mount: Mount, boot: Boot) -> bool:
    """Whether a boot made it: what somebody makes later, and mounts, is there to stay."""
    if mount.mountpoint == b"/":
        return made_ns >= boot.started_ns
    return boot.started_ns <= made_ns <= boot.finished_ns


def _of_root(mount: Mount, signs: _Signs) -> str | None:
    """Tell from what surrounds the root that it is wiped."""
    over = signs.over
    if mount.fstype == "overlay":
        return "overlay: an image with a layer above it, which a new start does without"
    if _VOLATILE.search(signs.tree.read_text("/proc/cmdline")):
        return "the kernel was told systemd.volatile="
    if signs.kept:
        return f"{KEPT_FILE} lists {signs.kept} paths that are kept elsewhere"
    if over:
        first = over[0].mountpoint.decode(errors="backslashreplace")
        return f"{len(over)} paths of it are mounted from a store, {first} first"
    return None


def store_of(bound: Mount, mounts: Iterable[Mount]) -> bytes | None:
    """Find the store of which a directory is mounted under the name that it has in there.

    `/persist/var/lib/x` on `/var/lib/x` is of /persist, wherever that itself is mounted.
    """
    if bound.mountpoint == b"/" or not bound.root.endswith(bound.mountpoint):
        return None
    top = bound.root[: -len(bound.mountpoint)] or b"/"
    for mount in mounts:
        is_holder = (
            mount.device == bound.device
            and mount.mountpoint not in (b"/", bound.mountpoint)
            and is_within(top, mount.root)
        )
        if is_holder:
            below = top[len(mount.root.rstrip(b"/")) :].strip(b"/")
            return os.path.join(mount.mountpoint, below).rstrip(b"/")
    return None


def _kept_by_configuration(tree: Tree) -> tuple[int, tuple[bytes, ...]]:
    """Read what the NixOS module wrote: how many paths are kept, and in which stores."""
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = json.loads(tree.read_text(str(KEPT_FILE)))
        stores = tuple(os.fsencode(str(store)) for store in found.get("stores", ()))
        return len(found["kept"]) if found.get("backend") else 0, stores
    return 0, ()


def _blank_snapshot(dataset: bytes) -> str | None:
    """Name the snapshot that a ZFS dataset is rolled back to, as far as its name says so."""
    names = (
        (dataset + b"@" + each.name).decode(errors="surrogateescape") for each in snapshots(dataset)
    )
    return next((name for name in names if _BLANK.search(name)), None)


def _point_above(path: bytes, points: Iterable[bytes]) -> bytes:
    return max((point for point in points if is_within(path, point)), key=len, default=b"/")
