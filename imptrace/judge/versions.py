"""Repositories of versions, by what is in them."""

from bisect import bisect_left
from collections.abc import Sequence

from imptrace.facts.paths import is_within, name_of
from imptrace.judge.judged import Root

GIT = "git"
"""The word of a repository of versions."""
_OF_A_REPOSITORY = (b"HEAD", b"objects", b"refs")


def is_repository(root: Root) -> bool:
    """Whether a root is itself a repository of versions, of which the older are nowhere else."""
    paths = [state.path for state in root.states]
    return not root.place.area.is_cache and _holds_versions(root.path, paths)


def word_of_bare(directory: bytes, paths: Sequence[bytes]) -> str | None:
    """The word of a repository without a work tree (`settings.git`): it is no copy of another."""
    is_bare = directory.endswith(b".git") and name_of(directory) != b".git"
    return GIT if is_bare and _holds_versions(directory, paths) else None


def _holds_versions(directory: bytes, paths: Sequence[bytes]) -> bool:
    return all(_is_in(paths, directory + b"/" + name) for name in _OF_A_REPOSITORY)


def _is_in(paths: Sequence[bytes], wanted: bytes) -> bool:
    """Whether one of sorted paths is `wanted` or lies in it: such begin where that would stand."""
    for beginning in (wanted, wanted + b"/"):
        at = bisect_left(paths, beginning)
        if at < len(paths) and is_within(paths[at], wanted):
            return True
    return False
