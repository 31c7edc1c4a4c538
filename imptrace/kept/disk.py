"""What exists now of what is recommended, and whether the store has room for it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from stat import S_ISDIR

from imptrace.facts.paths import parents_of
from imptrace.judge.model import Kind, Method, Recommendation, Scope

_BLOCK = 512
"""Bytes in a block of st_blocks, whatever the file system's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A recommended path that exists now."""

    recommendation: Recommendation
    size: int
    """Bytes that it takes on disk, with all below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What there is to copy, and where to."""

    storage: bytes
    present: tuple[Present, ...]
    absent: tuple[Recommendation, ...]
    free: int | None
    """Bytes that the store has left; None if nothing is there that could be asked."""
    needs_root: bool
    """Whether something belongs to others, or the store may not be written."""

    @property
    def needed(self) -> int:
        """Bytes that the copies will take."""
        return sum(each.size for each in self.present)


def survey(
    recommendations: Iterable[Recommendation], storage: bytes, *, with_replaced: bool = False
) -> Survey:
    """Look at every owned path that is not below another one."""
    owned = [
        each
        for each in recommendations
        # What its program replaces has an entry only among a service's own options.
        if each.scope is Scope.OWNED and (with_replaced or each.method is not Method.NONE)
    ]
    directories = {each.path for each in owned if each.kind is Kind.DIRECTORY}
    outermost = [each for each in owned if directories.isdisjoint(parents_of(each.path))]
    sizes = {each.path: _size(each.path) for each in outermost}
    return Survey(
        storage=storage,
        present=tuple(
            Present(recommendation=each, size=size)
            for each in outermost
            if (size := sizes[each.path]) is not None
        ),
        absent=tuple(each for each in outermost if sizes[each.path] is None),
        free=_free(storage),
        needs_root=_needs_root([path for path, size in sizes.items() if size is not None], storage),
    )


def _needs_root(paths: Iterable[bytes], storage: bytes) -> bool:
    there = next(path for path in (storage, *parents_of(storage), b"/") if os.path.isdir(path))
    own = os.geteuid()
    return not os.access(there, os.W_OK) or any(os.lstat(path).st_uid != own for path in paths)


def _size(path: bytes) -> int | None:
    """Bytes on disk; None if nothing is there, or it may not be looked at."""
    try:
        st = os.lstat(path)
    except OSError:
        return None
    size = st.st_blocks * _BLOCK
    if S_ISDIR(st.st_mode):
        for directory, names, files in os.walk(path):
            size += sum(_own_size(os.path.join(directory, name)) for name in (*names, *files))
    return size


def _own_size(path: bytes) -> int:
    try:
        return os.lstat(path).st_blocks * _BLOCK
    except OSError:
        return 0


def _free(storage: bytes) -> int | None:
    try:
        found = os.statvfs(storage)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
