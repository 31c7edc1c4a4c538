"""One path into the store: a temporary name, a check, and only then the real one."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from imptrace.facts.paths import parents_of
from imptrace.kept import kernel
from imptrace.kept.move.copying import Inodes, copy_tree, make_like, remove
from imptrace.kept.move.held_open import directory_of, inside
from imptrace.kept.move.journal import Journal, fingerprint
from imptrace.kept.move.tree import MovedTree, difference, digest, fixed, read_tree

_ATTEMPTS = 3


class MoveOutcome(StrEnum):
    """What became of a path."""

    COPIED = "copied"
    UPDATED = "updated"
    """The store had an older state of it."""
    THERE = "there"
    """The store has exactly this already."""
    ABSENT = "absent"
    """There is nothing to copy."""
    NEWER = "newer"
    """The store has what is newer, or not from here: left as it is."""
    IN_USE = "in-use"
    """A program writes to it."""
    FAILED = "failed"
    REMOVED = "removed"
    """Taken out of the store again."""
    WOULD_COPY = "would-copy"
    WOULD_UPDATE = "would-update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of one path, and why if that is not plain."""

    path: bytes
    outcome: MoveOutcome
    size: int = 0
    note: str = ""
    left_out: tuple[tuple[bytes, str], ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be done about it."""
        return self.outcome not in (MoveOutcome.NEWER, MoveOutcome.IN_USE, MoveOutcome.FAILED)


@dataclass(slots=True)
class Mover:
    """Copies into one store, and remembers which files have several names."""

    journal: Journal
    mounts: frozenset[bytes]
    links: Inodes

    def target(self, path: bytes) -> bytes:
        """Name the place of a path in the store."""
        return self.journal.storage.rstrip(b"/") + path

    def look(self, path: bytes) -> tuple[Moved, MovedTree | None]:
        """Say what would have to be done, and read what there is to copy. Raises OSError."""
        self._restore(path)
        try:
            source = read_tree(path, self.mounts)
        except FileNotFoundError:
            return Moved(path=path, outcome=MoveOutcome.ABSENT), None
        if not source.nodes:
            return Moved(path=path, outcome=MoveOutcome.ABSENT, note="a socket is no state"), None
        target = self.target(path)
        if not os.path.lexists(target):
            return self._found(path, source, MoveOutcome.WOULD_COPY), source
        if is_mounted(path, target):
            return Moved(
                path=path, outcome=MoveOutcome.THERE, note="the store is mounted here"
            ), None
        return self._compared(path, source, target), source

    def _compared(self, path: bytes, source: MovedTree, target: bytes) -> Moved:
        kept = read_tree(target, frozenset())
        if self._is_same(path, source, kept):
            self._remember(source, target)
            return self._found(path, source, MoveOutcome.THERE)
        if not self.is_ours(path, kept) and (why := _newer(source, kept)):
            return Moved(path=path, outcome=MoveOutcome.NEWER, note=why)
        return self._found(path, source, MoveOutcome.WOULD_UPDATE)

    def needed(self, path: bytes, source: MovedTree) -> int:
        """Bytes that the copy of a path will take, beyond what an earlier attempt has copied."""
        try:
            part = read_tree(_part(self.target(path)), frozenset())
        except OSError:
            return source.disk
        whole = [
            node.disk
            for name, node in source.nodes.items()
            if name in part.nodes and part.nodes[name].traits == node.traits
        ]
        return max(source.disk - sum(whole), 0)

    def copy(self, path: bytes, source: MovedTree, found: Moved) -> Moved:
        """Copy, check, and give the copy its name; again if the source changed meanwhile."""
        target = self.target(path)
        self._make_parents(path)
        with directory_of(self.journal.storage, path) as place:
            there = os.path.join(place, os.path.basename(target))
            part = _part(there)
            why = self._make_part(path, source, part)
            if why is not None:
                remove(part)
                return Moved(
                    path=path, outcome=MoveOutcome.FAILED, note=f"it changes meanwhile: {why}"
                )
            source = read_tree(path, self.mounts)
            mark = fingerprint(read_tree(part, frozenset()))
            self.journal.copies[path] = [*self.journal.copies.get(path, ()), mark]
            self.journal.save()
            _put(part, there)
        self.journal.copies[path] = [mark]
        self.journal.save()
        self._remember(source, target)
        is_update = found.outcome is MoveOutcome.WOULD_UPDATE
        source = source._replace(left_out=(*source.left_out, *fixed(path, source)))
        return self._found(path, source, MoveOutcome.UPDATED if is_update else MoveOutcome.COPIED)

    def tidy(self, path: bytes) -> None:
        """Remove what an interrupted exchange has left beside a copy that is whole."""
        if os.path.lexists(_part(self.target(path))):
            self._remove(path, part_only=True)

    def _make_part(self, path: bytes, source: MovedTree, part: bytes) -> str | None:
        """Make a whole copy under a temporary name; say what keeps changing if that cannot be."""
        why = None
        with inside(part, is_directory=stat.S_ISDIR(source.nodes[b""].kind)) as top:
            for attempt in range(_ATTEMPTS):
                if attempt:
                    source = read_tree(path, self.mounts)
                links = dict(self.links)
                copy_tree(path, source, top, links)
                _sync(part)
                why = self._wrong(path, source, top)
                if why is None:
                    break
        return why

    def is_ours(self, path: bytes, kept: MovedTree) -> bool:
        """Whether what the store has is a copy that was made here, and unchanged since."""
        return fingerprint(kept) in self.journal.copies.get(path, ())

    def undo(self, path: bytes) -> Moved:
        """Remove a copy, unless it is more than that by now. Raises OSError."""
        target = self.target(path)
        self._restore(path)
        if not os.path.lexists(target):
            self._remove(path, part_only=True)
            return Moved(path=path, outcome=MoveOutcome.ABSENT)
        if is_mounted(path, target):
            return Moved(path=path, outcome=MoveOutcome.NEWER, note="the switch has happened")
        kept = read_tree(target, frozenset())
        if not self.is_ours(path, kept):
            return Moved(path=path, outcome=MoveOutcome.NEWER, note="it was changed in the store")
        self._remove(path)
        return Moved(path=path, outcome=MoveOutcome.REMOVED, size=kept.disk)

    def _remove(self, path: bytes, *, part_only: bool = False) -> None:
        """Remove a copy, and what of one was left behind."""
        with suppress(FileNotFoundError), directory_of(self.journal.storage, path) as place:
            there = os.path.join(place, os.path.basename(path))
            remove(_part(there))
            if not part_only:
                remove(there)

    def _found(self, path: bytes, source: MovedTree, outcome: MoveOutcome) -> Moved:
        return Moved(path=path, outcome=outcome, size=source.disk, left_out=source.left_out)

    def _is_same(self, path: bytes, source: MovedTree, kept: MovedTree) -> bool:
        """Whether the store has exactly the source; contents are read unless the copy is ours."""
        if difference(source, kept) is not None:
            return False
        if self.is_ours(path, kept):
            return True
        return _unlike(path, source, self.target(path)) is None

    def _wrong(self, path: bytes, source: MovedTree, part: bytes) -> str | None:
        """Say in what a copy is not what the source is now."""
        now = read_tree(path, self.mounts)
        return (
            difference(now, source)
            or difference(source, read_tree(part, frozenset()))
            or _unlike(path, source, part)
        )

    def _make_parents(self, path: bytes) -> None:
        """Make what is missing above a path, each directory as that of the source, in one step."""
        storage = self.journal.storage
        if not os.path.isdir(storage):
            os.makedirs(storage, exist_ok=True)
        for parent in reversed(list(parents_of(path))):
            with directory_of(storage, parent) as place:
                there = os.path.join(place, os.path.basename(parent))
                if os.path.lexists(there):
                    continue
                part = _part(there)
                make_like(parent, part)
                self.journal.made.append(parent)
                self.journal.save()
                os.rename(part, there)

    def _restore(self, path: bytes) -> None:
        """Put back what an interrupted exchange has left without its name."""
        if not os.path.lexists(_old(self.target(path))):
            return
        with directory_of(self.journal.storage, path) as place:
            there = os.path.join(place, os.path.basename(path))
            old = _old(there)
            if os.path.lexists(there):
                remove(old)
            else:
                os.rename(old, there)

    def _remember(self, source: MovedTree, target: bytes) -> None:
        for name, node in source.nodes.items():
            if node.links > 1 and not stat.S_ISDIR(node.kind):
                self.links[node.inode] = os.path.join(target, name) if name else target


def is_mounted(path: bytes, target: bytes) -> bool:
    """Whether a path leads into the store already: by a mount, or by a link."""
    try:
        return os.path.samefile(path, target)
    except OSError:
        return False


def _put(part: bytes, there: bytes) -> None:
    """Give a checked copy its name; what had the name before is removed after that."""
    if not os.path.lexists(there):
        os.rename(part, there)
        _sync(there)
        return
    old = _old(there)
    remove(old)
    try:
        kernel.exchange(part, there)
    except OSError:
        # Not every file system can exchange: `_restore` puts it right if we end in between.
        os.rename(there, old)
        os.rename(part, there)
    else:
        os.rename(part, old)
    _sync(there)
    remove(old)


def _part(target: bytes) -> bytes:
    return _beside(target, b".imptrace-part")


def _old(target: bytes) -> bytes:
    return _beside(target, b".imptrace-old")


def _beside(target: bytes, ending: bytes) -> bytes:
    directory, _, name = target.rpartition(b"/")
    # A name may be as long as the file system allows: its head tells it well enough from others.
    return directory + b"/." + name[: 255 - 1 - len(ending)] + ending


def _newer(source: MovedTree, kept: MovedTree) -> str | None:
    """Say what the store has that the source has not, or has older."""
    for name, node in kept.nodes.items():
        if stat.S_ISDIR(node.kind):
            continue
        shown = os.fsdecode(name) or "it"
        origin = source.nodes.get(name)
        if origin is None:
            return f"the store has {shown}, which is not here"
        if node.mtime_ns > origin.mtime_ns and node.traits != origin.traits:
            return f"the store has a newer {shown}"
        if node.mtime_ns == origin.mtime_ns and node.size != origin.size:
            return f"the store has another {shown}"
    return None


def _unlike(path: bytes, source: MovedTree, copy: bytes) -> str | None:
    """Say which file has other contents than its copy."""
    for name in _files(source):
        one = os.path.join(path, name) if name else path
        other = os.path.join(copy, name) if name else copy
        if digest(one, source.nodes[name].inode) != digest(other):
            return f"{os.fsdecode(name) or 'its contents'} differs"
    return None


def _files(tree: MovedTree) -> Iterator[bytes]:
    seen = set()
    for name, node in tree.nodes.items():
        if stat.S_ISREG(node.kind) and node.inode not in seen:
            seen.add(node.inode)
            yield name


def _sync(path: bytes) -> None:
    """Write the file system that a path is on; what fails to be written is told here."""
    descriptor = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        kernel.sync_file_system(descriptor)
    finally:
        os.close(descriptor)
