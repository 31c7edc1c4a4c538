"""Observed paths are compared with declared ones."""

import pytest

from imptrace.facts.levels import Kind, Level
from imptrace.kept.compare import Declared, Observed, Status, compare

NORMAL, SECRET, TRANSIENT = Level.NORMAL, Level.SECRET, Level.TRANSIENT


def declared(path: bytes, level: Level | None = NORMAL, kind: Kind = Kind.DIRECTORY) -> Declared:
    """Declare a directory at level normal, unless told otherwise."""
    return Declared(path=path, kind=kind, level=level)


def observed(path: bytes, level: Level = NORMAL) -> Observed:
    """Observe a directory at level normal, unless told otherwise."""
    return Observed(path=path, kind=Kind.DIRECTORY, level=level)


@pytest.mark.parametrize(
    ("what_is_there", "seen", "expected"),
    [
        (declared(b"/a"), observed(b"/a"), Status.KEPT),
        (declared(b"/a"), observed(b"/a", SECRET), Status.LEVEL),
        (declared(b"/a", SECRET), observed(b"/a"), Status.LEVEL),
        (declared(b"/a", None), observed(b"/a", SECRET), Status.KEPT),
        (declared(b"/a"), observed(b"/a/b"), Status.KEPT),
        (declared(b"/a", SECRET), observed(b"/a/b"), Status.KEPT),
        (declared(b"/a", TRANSIENT), observed(b"/a/b"), Status.LEVEL),
        (declared(b"/a", kind=Kind.FILE), observed(b"/a/b"), Status.MISSING),
        (declared(b"/a/b"), observed(b"/a"), Status.MISSING),
        (declared(b"/a"), observed(b"/ab"), Status.MISSING),
        (declared(b"/"), observed(b"/a"), Status.KEPT),
    ],
)
def test_one_path_each(what_is_there: Declared, seen: Observed, expected: Status) -> None:
    """Kept by itself or by a directory above it, at the right level or at a more careful one."""
    found = {each.path: each.status for each in compare([what_is_there], [seen])}
    assert found[seen.path] is expected


def test_the_nearest_declaration_counts() -> None:
    """A secret inside a normal directory is kept as a secret."""
    found = compare([declared(b"/a"), declared(b"/a/b", SECRET)], [observed(b"/a/b/c", SECRET)])
    assert [(each.path, each.status) for each in found] == [(b"/a/b/c", Status.KEPT)]


def test_what_was_not_observed_is_extra() -> None:
    """Unless something in it, or a directory around it, was."""
    found = compare(
        [declared(b"/a"), declared(b"/b/c"), declared(b"/d")], [observed(b"/a/x"), observed(b"/b")]
    )
    assert [(each.path, each.status) for each in found] == [
        (b"/a/x", Status.KEPT),
        (b"/b", Status.MISSING),
        (b"/d", Status.EXTRA),
    ]
