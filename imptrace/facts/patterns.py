"""The pattern language of the catalogue, for paths and for names of units: read here alone.

`*` and `?` stand for characters of one name, `<name>` for the name of an instance. The instance
without a name has no separator either: of `/var/lib/keeper-<name>` it is `/var/lib/keeper`.
"""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache

INSTANCE_NAME = b"<name>"
"""Stands in the path of an instance for the instance's name."""

Pattern = re.Pattern[bytes]

_WILD = re.compile(rb"[*?]")


def is_wild(pattern: bytes) -> bool:
    """Whether it stands for more than one path."""
    return _WILD.search(pattern) is not None


@lru_cache(maxsize=4096)
def literal_prefix(pattern: bytes) -> bytes:
    """What every path begins with that a pattern without `<name>` fits."""
    return _WILD.split(pattern, maxsplit=1)[0]


def without_instance(path: bytes) -> Iterator[bytes]:
    """A path with its instance's name as a `*`, and then the nameless instance's path."""
    if INSTANCE_NAME not in path:
        yield path
        return
    yield path.replace(INSTANCE_NAME, b"*")
    before, _, after = path.partition(INSTANCE_NAME)
    yield before.rstrip(b"-/") + after


@lru_cache(maxsize=4096)
def compiled(pattern: bytes) -> Pattern:
    """Matches the paths that a pattern without `<name>` fits, and what lies below them."""
    text = re.escape(pattern).replace(rb"\*", rb"[^/]*").replace(rb"\?", rb"[^/]")
    return re.compile(rb"(?s:" + text + rb")(?=/|\Z)")


def matching_top(path: bytes, pattern: bytes) -> bytes | None:
    """The path itself, or the directory above it, that fits a pattern of the catalogue."""
    for each in without_instance(pattern):
        if not path.startswith(literal_prefix(each)):
            continue  # most patterns of a catalogue end here, before they are compiled
        found = compiled(each).match(path)
        if found is not None:
            return found[0]
    return None


def matches(path: bytes, pattern: bytes) -> bool:
    """Whether a whole path fits a pattern of the catalogue."""
    return matching_top(path, pattern) == path


def is_called(name: str, patterns: Iterable[str]) -> bool:
    """Whether a unit or program has one of these names; in any case, `*` is an instance."""
    wanted = name.lower()
    return any(_is_named(wanted, pattern.lower()) for pattern in patterns)


def _is_named(name: str, pattern: str) -> bool:
    # Most names are no patterns, and to compile thousands takes longer than all else.
    if "*" not in pattern and "?" not in pattern:
        return name == pattern
    return fnmatchcase(name, pattern.replace("[", "[[]"))
