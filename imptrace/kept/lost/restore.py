"""Bringing back what a wipe took: with owner, mode and attributes, never over anything newer."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from imptrace.errors import UsageError
from imptrace.facts.paths import parents_of
from imptrace.kept.lost.find import is_alike
from imptrace.kept.move.copying import Inodes, copy_tree, make_like, remove
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
            target = self._now + each
            if not os.path.lexists(target):
                make_like(self._old + each, target)
                yield Step(each, is_done=True, what="made, as it was")
            elif not stat.S_ISDIR(os.lstat(target).st_mode):
                yield Step(path, is_done=False, what=f"{os.fsdecode(each)} is no directory now")
                return

    def _bring(self, path: bytes) -> Iterator[Step]:
        source, target = self._old + path, self._now + path
        was = os.lstat(source)
        try:
            there = os.lstat(target)
        except FileNotFoundError:
            yield from self._put(path, "restored")
            return
        except NotADirectoryError:
            yield Step(path, is_done=False, what="something else stands above it now")
            return
        if stat.S_ISDIR(was.st_mode) and stat.S_ISDIR(there.st_mode):
            with suppress(FileNotFoundError):
                for name in sorted(os.listdir(source)):
                    yield from self._bring(path + b"/" + name)
        elif stat.S_ISDIR(was.st_mode) or stat.S_ISDIR(there.st_mode):
            yield Step(path, is_done=False, what="left: a directory is now what was none, or not")
        elif is_alike(source, was, target, there) and stat.S_IFMT(was.st_mode) == stat.S_IFMT(
            there.st_mode
        ):
            yield Step(path, is_done=False, what="left: it is there, and the same")
        elif there.st_mtime_ns >= was.st_mtime_ns:
            yield Step(path, is_done=False, what="left: what is there is newer")
        else:
            yield from self._put(path, "restored over an older one")

    def _put(self, path: bytes, words: str) -> Iterator[Step]:
        """Copy beside, then rename: nobody sees half of it."""
        source, target = self._old + path, self._now + path
        making = target[: -len(os.path.basename(target))] + _MAKING
        remove(making)
        try:
            tree = read_tree(source, frozenset())
            if b"" not in tree.nodes:
                yield Step(path, is_done=False, what="left: a socket, which its program makes anew")
                return
            copy_tree(source, tree, making, self._links)
            os.rename(making, target)
            for inode, copied in self._links.items():
                if copied == making or copied.startswith(making + b"/"):
                    self._links[inode] = target + copied[len(making) :]
        except OSError as error:
            remove(making)
            yield Step(path, is_done=False, what=f"not restored: {error.strerror}")
            return
        yield Step(path, is_done=True, what=words)
