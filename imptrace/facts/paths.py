"""Paths as bytes, without looking at any file system."""

from collections.abc import Iterable, Iterator

STORE = b"/nix/store"


def name_of(path: bytes) -> bytes:
    """The last component."""
    return path.rpartition(b"/")[2]


def parent_of(path: bytes) -> bytes:
    """The directory that a path lies in; the root's is the root."""
    return path.rpartition(b"/")[0] or b"/"


def parents_of(path: bytes) -> Iterator[bytes]:
    """The directories above a path, the nearest first, without the root."""
    end = path.rfind(b"/")
    while end > 0:
        yield path[:end]
        end = path.rfind(b"/", 0, end)


def is_within(path: bytes, directory: bytes) -> bool:
    """Whether `path` is `directory` or lies below it."""
    return path == directory or path.startswith(directory.rstrip(b"/") + b"/")


def lies_below(path: bytes, directory: bytes) -> bool:
    """Whether `path` lies below `directory`, and is not the directory itself."""
    return path != directory and is_within(path, directory)


def bounds_of_below(directory: bytes) -> tuple[bytes, bytes]:
    """Between what the paths below a directory stand, in order of their bytes: from, and before.

    >>> bounds_of_below(b"/etc"), bounds_of_below(b"/")
    ((b'/etc/', b'/etc0'), (b'/', b'0'))
    """
    top = directory.rstrip(b"/")
    return top + b"/", top + b"0"  # the byte after the slash


def relative_to(path: bytes, directory: bytes) -> bytes:
    """Name a path from a directory on; one that does not lie there stays as it is."""
    return path.removeprefix(directory.rstrip(b"/") + b"/")


def common_directory(paths: Iterable[bytes]) -> bytes:
    """The deepest directory that holds all of `paths`, of which there is at least one."""
    parts = [parent_of(path).split(b"/") for path in paths]
    shared = parts[0]
    for other in parts[1:]:
        length = 0
        for one, two in zip(shared, other, strict=False):
            if one != two:
                break
            length += 1
        shared = shared[:length]
    return b"/".join(shared) or b"/"
