"""Putting kept paths in their places, as impermanence and preservation do, from a store."""

import grp
import os
import pwd
import shutil
import stat
from collections.abc import Sequence
from contextlib import suppress

from imptrace.facts.levels import Kind
from imptrace.facts.paths import parent_of, parents_of
from imptrace.facts.units import private_parent
from imptrace.kept import kernel
from imptrace.kept.regular import open_regular
from imptrace.kept.rehearse.copy_of_machine import make_like, overlay
from imptrace.kept.rehearse.model import How, Keep

_DIRECTORY, _PRIVATE = 0o755, 0o700


def put_in_place(root: bytes, store: bytes, storage: bytes, keeps: Sequence[Keep]) -> None:
    """Mount, link or copy every kept path. `store`: where it is; `storage`: as the copy sees it."""
    os.makedirs(root + storage, exist_ok=True)
    kernel.mount(store, root + storage, b"", kernel.MS_BIND)
    for keep in outermost(keeps):
        source = store + keep.path
        _make_parents(root, store, keep.path)
        if keep.kind is Kind.DIRECTORY:
            _directory(root, source, keep)
        elif keep.how is How.COPY:
            if os.path.lexists(source):
                _copy(source, root + keep.path)
        elif keep.how is How.SYMLINK or not os.path.lexists(source):
            # A file that is not there yet is linked until it is.
            _clear(root + keep.path)
            os.symlink(storage + keep.path, root + keep.path)
        else:
            _clear(root + keep.path)
            open(root + keep.path, "wb").close()
            kernel.mount(source, root + keep.path, b"", kernel.MS_BIND)


def fill_store(scratch: bytes, keeps: Sequence[Keep], *, unprivileged: bool) -> dict[bytes, bytes]:
    """Put what is there now into the store, as a move would: directories as overlays, no copies.

    Answers with where the changes to each directory are collected.
    """
    store, uppers = scratch + b"/store", {}
    for number, keep in enumerate(outermost(keeps)):
        target = store + keep.path
        if keep.kind is Kind.DIRECTORY and os.path.isdir(keep.path):
            _make_parents(store, store, keep.path)
            upper, work = (scratch + b"/kept/%d/" % number + name for name in (b"up", b"work"))
            os.makedirs(work)
            make_like(keep.path, upper)
            make_like(keep.path, target)
            overlay(keep.path, upper, work, target, unprivileged=unprivileged)
            uppers[keep.path] = upper
        elif keep.kind is Kind.FILE and os.path.isfile(keep.path):
            _make_parents(store, store, keep.path)
            _copy(keep.path, target)
    return uppers


def take_out(root: bytes, store: bytes, keeps: Sequence[Keep]) -> None:
    """Copy into the store what is kept by copying."""
    for keep in outermost(keeps):
        if keep.how is How.COPY and keep.kind is Kind.FILE and os.path.isfile(root + keep.path):
            _copy(root + keep.path, store + keep.path)


def outermost(keeps: Sequence[Keep]) -> list[Keep]:
    """Leave out what lies in a kept directory, which keeps it too."""
    tops = {keep.path for keep in keeps if keep.kind is Kind.DIRECTORY}
    found = [keep for keep in keeps if tops.isdisjoint(parents_of(keep.path))]
    return sorted(found, key=lambda keep: keep.path)


def _directory(root: bytes, source: bytes, keep: Keep) -> None:
    if not os.path.isdir(source):
        os.makedirs(source)
        os.chmod(source, _DIRECTORY if keep.mode is None else keep.mode)
        uid, gid = owner(keep)
        # An ordinary user cannot give anything away; the comparison tells of it all the same.
        with suppress(OSError):
            os.chown(source, uid, gid)
    target = root + keep.path
    if not os.path.isdir(target):
        _clear(target)
        os.mkdir(target)
    kernel.mount(source, target, b"", kernel.MS_BIND)


def owner(keep: Keep) -> tuple[int, int]:
    """Tell the numbers of a kept path's owner; -1 where it is not known."""
    uid = gid = -1
    with suppress(KeyError):
        uid = pwd.getpwnam(keep.user).pw_uid if keep.user is not None else -1
    with suppress(KeyError):
        gid = grp.getgrnam(keep.group).gr_gid if keep.group is not None else -1
    return uid, gid


def _make_parents(root: bytes, store: bytes, path: bytes) -> None:
    """Make the directories above, in the copy and in the store, as they are on the machine."""
    for parent in reversed(list(parents_of(path))):
        for top in (root, store):
            if not os.path.isdir(top + parent):
                os.mkdir(top + parent)
                with suppress(OSError):
                    st = os.stat(parent)
                    os.chown(top + parent, st.st_uid, st.st_gid)
                    os.chmod(top + parent, stat.S_IMODE(st.st_mode))
                if private_parent(parent + b"/") is not None:
                    # systemd wants it so, and makes it where it is absent.
                    os.chmod(top + parent, _PRIVATE)
                _follow_home(top, parent)


def _follow_home(top: bytes, path: bytes) -> None:
    """Give a directory that the machine has not the owner of the one above."""
    if not os.path.lexists(path):
        with suppress(OSError):
            st = os.stat(top + parent_of(path))
            os.chown(top + path, st.st_uid, st.st_gid)


def _clear(path: bytes) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError):
            os.unlink(path)


def _copy(source: bytes, target: bytes) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    _clear(target)
    if stat.S_ISREG(os.lstat(source).st_mode):
        with open(open_regular(source), "rb") as reading, open(target, "xb") as writing:
            shutil.copyfileobj(reading, writing)
        shutil.copystat(source, target, follow_symlinks=False)
    else:
        shutil.copy2(source, target, follow_symlinks=False)
    st = os.lstat(source)
    with suppress(OSError):
        os.chown(target, st.st_uid, st.st_gid, follow_symlinks=False)
