"""Directories with what lstat says of all in them: a million files in a few seconds.

No link is followed and no mount entered, whatever happens to the tree meanwhile.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader
from stat import S_ISDIR
from typing import Literal, NamedTuple

from imptrace.facts.given import read_given
from imptrace.kept.regular import open_regular

_LONGEST = 4000
"""Bytes of a path that one call may name; the kernel takes 4,095."""


@dataclass(frozen=True)
class Files:
    """A piece of a directory: what is in it besides directories, and those by name alone."""

    directories: list[bytes]
    names: list[bytes]
    _columns: tuple[bytes, ...]

    @cached_property
    def modes(self) -> "memoryview[int]":
        """Type and permissions of each name."""
        return self._column(0, "I")

    @cached_property
    def uids(self) -> "memoryview[int]":
        """Owner of each."""
        return self._column(1, "I")

    @cached_property
    def gids(self) -> "memoryview[int]":
        """Group of each."""
        return self._column(2, "I")

    @cached_property
    def links(self) -> "memoryview[int]":
        """How many names each has."""
        return self._column(3, "I")

    @cached_property
    def sizes(self) -> "memoryview[int]":
        """Bytes that each seems to have."""
        return self._column(4, "q")

    @cached_property
    def held(self) -> "memoryview[int]":
        """Bytes that each takes on its file system."""
        return self._column(5, "q")

    @cached_property
    def mtimes(self) -> "memoryview[int]":
        """When the content of each changed, in nanoseconds."""
        return self._column(6, "q")

    @cached_property
    def ctimes(self) -> "memoryview[int]":
        """When anything about each changed, in nanoseconds."""
        return self._column(7, "q")

    @cached_property
    def inodes(self) -> "memoryview[int]":
        """Inode number of each."""
        return self._column(8, "Q")

    def size(self, index: int) -> int:
        """Tell how much one holds: of a large file with holes, what is not a hole."""
        return content_size(self.sizes[index], self.held[index])

    def _column(self, number: int, form: Literal["I", "Q", "q"]) -> "memoryview[int]":
        return memoryview(self._columns[number]).cast(form)


def content_size(size: int, held: int) -> int:
    """Tell how much a file holds, holes left out; a small one takes more room than it holds."""
    return held if held < size // 2 else size


class Tree:
    """A file system as it is below a directory, with paths as if that were the root."""

    def __init__(self, base: bytes = b"/") -> None:
        self.base = base.rstrip(b"/")
        self._root = os.open(base, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._root)

    def real(self, path: bytes) -> bytes:
        """Give the name that a path of the tree has here."""
        return self.base + path if path != b"/" else self.base or b"/"

    def open(self, path: bytes) -> int:
        """Open a directory for `read`. Raises OSError."""
        from imptrace.tracer import _scan  # noqa: PLC0415 (C, which a fresh clone lacks)

        below = path.strip(b"/") or b"."
        directory, opened = self._root, -1
        while len(below) > _LONGEST:
            cut = below.rfind(b"/", 0, _LONGEST)
            try:
                deeper = _scan.open_directory(directory, below[:cut])
            finally:
                if opened >= 0:
                    os.close(opened)
            directory = opened = deeper
            below = below[cut + 1 :]
        try:
            return _scan.open_directory(directory, below)
        finally:
            if opened >= 0:
                os.close(opened)

    def open_file(self, path: bytes) -> BufferedReader:
        """Open a file to read, through no link, and nothing else. Raises OSError."""
        parent, _, name = path.rpartition(b"/")
        directory = self.open(parent or b"/")
        try:
            return open(open_regular(name, directory=directory), "rb")
        finally:
            os.close(directory)

    def lstat(self, path: bytes) -> os.stat_result | None:
        """Look at one path; None if nothing is there, or it cannot be told."""
        with suppress(OSError, ValueError):
            return os.lstat(self.real(path))
        return None

    def read_text(self, path: str) -> str:
        """Read a file of the system; empty where there is none that can be read."""
        with suppress(OSError):
            return read_given(self.real(os.fsencode(path))).decode(errors="surrogateescape")
        return ""


class Weight(NamedTuple):
    """What a directory holds, with all below it."""

    size: int
    files: int
    mtime_ns: int


def weigh(tree: Tree, path: bytes) -> Weight:
    """Add up what lies at a path and below it, on its own file system or not."""
    st = tree.lstat(path)
    if st is None or not S_ISDIR(st.st_mode):
        return Weight(0, 0, 0) if st is None else Weight(st.st_size, 1, st.st_mtime_ns)
    size, count, newest, waiting = 0, 0, 0, [path]
    while waiting:
        each = waiting.pop()
        with suppress(OSError):
            directory = tree.open(each)
            try:
                for files in read(directory):
                    waiting += [each.rstrip(b"/") + b"/" + name for name in files.directories]
                    size += sum(map(files.size, range(len(files.names))))
                    count += len(files.names)
                    newest = max(newest, max(files.mtimes, default=0))
            finally:
                os.close(directory)
    return Weight(size, count, newest)


class DirectoryEntry(NamedTuple):
    """What lies in a directory, with the sum of what is below it."""

    path: bytes
    is_directory: bool
    size: int


def entries_of(tree: Tree, path: bytes) -> list[DirectoryEntry]:
    """List a directory, the largest first; nothing if it cannot be read."""
    found: list[DirectoryEntry] = []
    with suppress(OSError):
        directory = tree.open(path)
        try:
            for files in read(directory):
                prefix = path.rstrip(b"/") + b"/"
                found += [
                    DirectoryEntry(
                        prefix + name, is_directory=True, size=weigh(tree, prefix + name).size
                    )
                    for name in files.directories
                ]
                found += [
                    DirectoryEntry(prefix + name, is_directory=False, size=files.size(index))
                    for index, name in enumerate(files.names)
                ]
        finally:
            os.close(directory)
    return sorted(found, key=lambda each: (-each.size, each.path))


def read(directory: int) -> Iterator[Files]:
    """Read an open directory, in pieces. Raises OSError."""
    from imptrace.tracer import _scan  # noqa: PLC0415 (as above)

    more = True
    while more:
        directories, names, *columns, more = _scan.read_piece(directory)
        yield Files(directories, names, tuple(columns))
