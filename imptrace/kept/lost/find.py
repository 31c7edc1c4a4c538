"""The old root against what is there now."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import BinaryIO

from sqlalchemy import Engine

from imptrace.facts.levels import Kind
from imptrace.facts.paths import is_within
from imptrace.kept.boot import this_boot
from imptrace.kept.leaks import rules
from imptrace.kept.leaks.answer import LeaksQuestion, answer
from imptrace.kept.leaks.model import Leak
from imptrace.kept.lost.model import LostAnswer, LostItem
from imptrace.kept.lost.saved import Saved
from imptrace.kept.regular import open_regular
from imptrace.kept.walk import Tree, read
from imptrace.kept.wiped import Said, layout
from imptrace.tracer.mountinfo import own_mounts

_CHUNK = 1 << 16
_SNAPSHOTS = b"snapshot"
"""What lies in a directory that is called so is a copy."""


@dataclass(slots=True)
class _Sums:
    missing: int = 0
    older: int = 0
    size: int = field(default=0)


def in_old_root(old: bytes, shown: str, now: bytes, engine: Engine | None) -> LostAnswer:
    """Compare the root `old` with the root `now`. Raises UsageError."""
    said = Said(ephemeral=(b"/",))
    was = answer(LeaksQuestion(base=old, said=said), engine)
    before, present = Tree(old), Tree(now)
    lasting = _lasting(present)
    paths = {leak.path for leak in was.leaks}
    found = []
    for leak in was.leaks:
        if any(is_within(leak.path, point) for point in lasting):
            continue
        sums = _Sums()
        for path in _files(before, leak, paths):
            _compare(before, present, path, sums)
        if sums.missing or sums.older:
            found.append(
                LostItem(leak=leak, missing=sums.missing, older=sums.older, size=sums.size)
            )
    before.close()
    present.close()
    return LostAnswer(
        source="old-root",
        place=shown,
        lost=tuple(found),
        counts=was.counts,
        left_out=tuple(each for each in was.left_out if _SNAPSHOTS not in each.lower()),
    )


def in_list(saved: Saved, place: bytes, now: bytes) -> LostAnswer:
    """Say what of a list that was saved before the wipe is not there now."""
    present = Tree(now)
    lost = tuple(
        LostItem(leak=leak, missing=leak.files, older=0, size=leak.size)
        for leak in saved.leaks
        if present.lstat(leak.path) is None
    )
    present.close()
    return LostAnswer(source="list", place=os.fsdecode(place), lost=lost, counts={})


def _lasting(present: Tree) -> list[bytes]:
    """Name what is mounted now and was not wiped."""
    if present.base:
        return []
    systems = layout(own_mounts(), Said(), present, this_boot()).file_systems
    return [each.path for each in systems if not each.is_wiped and each.path != b"/"]


def _files(tree: Tree, leak: Leak, others: set[bytes]) -> Iterator[bytes]:
    """Yield what is lost with a leak: each file that no deeper one is about."""
    if leak.kind is Kind.FILE:
        yield leak.path
        return
    waiting = [leak.path]
    while waiting:
        path = waiting.pop()
        with suppress(OSError):
            directory = tree.open(path)
            try:
                for files in read(directory):
                    inside = [path + b"/" + name for name in files.directories]
                    waiting += [each for each in inside if each not in others]
                    yield from (
                        each for name in files.names if (each := path + b"/" + name) not in others
                    )
            finally:
                os.close(directory)


def _compare(before: Tree, present: Tree, path: bytes, sums: _Sums) -> None:
    was, there = before.lstat(path), present.lstat(path)
    if was is None or _is_set_aside(before, path, was):
        return
    if there is None:
        sums.missing += 1
        sums.size += was.st_size
    elif was.st_mtime_ns > there.st_mtime_ns and not is_alike(
        before.real(path), was, present.real(path), there
    ):
        sums.older += 1
        sums.size += was.st_size


def _is_set_aside(tree: Tree, path: bytes, st: os.stat_result) -> bool:
    link = None
    if S_ISLNK(st.st_mode):
        with suppress(OSError):
            link = os.readlink(tree.real(path))
    facts = rules.facts_of(
        mode=st.st_mode, size=st.st_size, uid=st.st_uid, gid=st.st_gid, hint=None, link=link
    )
    return rules.set_aside(path, facts) is not None


def _opened(path: bytes, st: os.stat_result) -> BinaryIO:
    return open(open_regular(path, (st.st_dev, st.st_ino)), "rb")


def is_alike(one: bytes, st: os.stat_result, other: bytes, there: os.stat_result) -> bool:
    """Whether two files hold the same. Directories and links are, if they are of a kind."""
    if not S_ISREG(st.st_mode) or not S_ISREG(there.st_mode):
        return S_ISDIR(st.st_mode) == S_ISDIR(there.st_mode)
    if st.st_size != there.st_size:
        return False
    with suppress(OSError), _opened(one, st) as first, _opened(other, there) as second:
        while chunk := first.read(_CHUNK):
            if chunk != second.read(_CHUNK):
                return False
        return True
    return False
