"""Bringing back what a wipe took: with owner, mode and attributes, never over anything newer."""

import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from imptrace.errors import UsageError
from imptrace.facts.paths import parents_of
from imptrace.kept.lost.find import is_alike
from imptrace.kept.move.copying import Inodes, copy_tree, make_like, remove
from imptrace.kept.move.held_open import directory_of, inside
from imptrace.kept.move.tree import read_tree

_MAKING = b".imptrace-restoring"


@dataclass(frozen=True, slots=True)
class Step:
    """What was done about one path, or why nothing was."""

    path: bytes
    is_done: bool
    what: str


class Restorer:
    """Copies from an old root into the one that is there now."""

    def __init__(self, old: bytes, now: bytes = b"/") -> None:
        self._old = old.rstrip(b"/")
        self._now = now.rstrip(b"/")
        self._links: Inodes = {}

    def restore(self, path: bytes) -> Iterator[Step]:
        """Bring a path and all below it back; tell each thing that was done or left.

        Raises UsageError if the old root has no such path.
        """
        if not os.path.lexists(self._old + path):
            raise UsageError(f"the old root has no {os.fsdecode(path)}")
        for step in self._parents(path):
            yield step
            if not step.is_done:
                return
        yield from self._bring(path)

    def _parents(self, path: bytes) -> Iterator[Step]:
        """Make the directories above a path that are gone, as they were."""
        for each in reversed(list(parents_of(path))):
            try:
                with self._held(each) as (source, target):
                    if not os.path.lexists(target):
                        make_like(source, target)
                        yield Step(each, is_done=True, what="made, as it was")
                    elif not stat.S_ISDIR(os.lstat(target).st_mode):
                        yield Step(path, is_done=False, what=f"{_shown(each)} is no directory now")
                        return
            except OSError as error:
                yield Step(path, is_done=False, what=f"{_shown(each)}: {error.strerror}")
                return

    @contextmanager
    def _held(self, path: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Name a path in both roots, so that nobody can put a link above it. Raises OSError."""
        name = os.path.basename(path)
        with (
            directory_of(self._old or b"/", path) as old,
            directory_of(self._now or b"/", path) as now,
        ):
            yield os.path.join(old, name), os.path.join(now, name)

    def _bring(self, path: bytes) -> Iterator[Step]:
        try:
            with self._held(path) as (source, target):
                names = yield from self._bring_one(path, source, target)
        except NotADirectoryError:
            yield Step(path, is_done=False, what="something else stands above it now")
            return
        except OSError as error:
            yield Step(path, is_done=False, what=f"not restored: {error.strerror}")
            return
        for name in names:
            yield from self._bring(path + b"/" + name)

    def _bring_one(
        self, path: bytes, source: bytes, target: bytes
    ) -> Generator[Step, None, list[bytes]]:
        """Bring it back where nothing is in the way; give what is in it, where it is there."""
        was = os.lstat(source)
        try:
            there = os.lstat(target)
        except FileNotFoundError:
            yield self._put(path, source, target, "restored")
            return []
        if stat.S_ISDIR(was.st_mode) and stat.S_ISDIR(there.st_mode):
            return _names(source)
        if stat.S_ISDIR(was.st_mode) or stat.S_ISDIR(there.st_mode):
            yield Step(path, is_done=False, what="left: a directory is now what was none, or not")
        elif is_alike(source, was, target, there) and stat.S_IFMT(was.st_mode) == stat.S_IFMT(
            there.st_mode
        ):
            yield Step(path, is_done=False, what="left: it is there, and the same")
        elif there.st_mtime_ns >= was.st_mtime_ns:
            yield Step(path, is_done=False, what="left: what is there is newer")
        else:
            yield self._put(path, source, target, "restored over an older one")
        return []

    def _put(self, path: bytes, source: bytes, target: bytes, words: str) -> Step:
        """Copy beside, then rename: nobody sees half of it."""
        making = target[: -len(os.path.basename(target))] + _MAKING
        remove(making)
        try:
            tree = read_tree(source, frozenset())
            if b"" not in tree.nodes:
                return Step(
                    path, is_done=False, what="left: a socket, which its program makes anew"
                )
            with inside(making, is_directory=stat.S_ISDIR(tree.nodes[b""].kind)) as top:
                copy_tree(source, tree, top, self._links)
                os.rename(making, target)
                self._name_links(top, self._now + path)
        except OSError as error:
            remove(making)
            return Step(path, is_done=False, what=f"not restored: {error.strerror}")
        return Step(path, is_done=True, what=words)

    def _name_links(self, top: bytes, path: bytes) -> None:
        """Know by its lasting name each file that may get a further one."""
        for inode, copied in self._links.items():
            if copied == top or copied.startswith(top + b"/"):
                self._links[inode] = path + copied[len(top) :]


def _names(directory: bytes) -> list[bytes]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return sorted(map(os.fsencode, os.listdir(descriptor)))
    finally:
        os.close(descriptor)


def _shown(path: bytes) -> str:
    return os.fsdecode(path)
