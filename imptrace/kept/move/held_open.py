"""Places in the store that nobody can put a link in the way of, while root writes there.

What lies in a store belongs to users as well: whoever owns a directory can replace what is in it.
So directories are opened, none of them through a link, and named through their descriptors.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from imptrace.facts.paths import parent_of
from imptrace.kept.move.copying import remove

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE = 0o700
_OTHERS = 0o077


@contextmanager
def directory_of(storage: bytes, path: bytes) -> Iterator[bytes]:
    """Name the directory of the store that holds a path's copy. Raises OSError at a link."""
    descriptor = os.open(storage, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in parent_of(path).split(b"/"):
            if name:
                inner = os.open(name, _FLAGS, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
        yield _name(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def inside(part: bytes, *, is_directory: bool) -> Iterator[bytes]:
    """Name a copy that is being made; a directory is made here, for its maker alone."""
    if not is_directory:
        yield part
        return
    descriptor = _own_directory(part)
    try:
        yield _name(descriptor)
    finally:
        os.close(descriptor)


def _own_directory(part: bytes) -> int:
    """Open what an earlier attempt has left, or make it anew where others could change it."""
    for _ in range(2):
        with suppress(FileExistsError):
            os.mkdir(part, _PRIVATE)
        with suppress(NotADirectoryError):
            descriptor = os.open(part, _FLAGS)
            st = os.fstat(descriptor)
            if st.st_uid == os.geteuid() and not st.st_mode & _OTHERS:
                return descriptor
            os.close(descriptor)
        remove(part)
    raise OSError(errno.ESTALE, "somebody else makes it meanwhile", part)


def _name(descriptor: int) -> bytes:
    # The dot makes it the directory itself, where the number alone is a link to it.
    return b"/proc/self/fd/%d/." % descriptor
