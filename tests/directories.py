"""What stands in a directory, looked at by the tests themselves, and what became of it."""

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from imptrace.db.records import Effect


class Found(NamedTuple):
    """What the test itself finds at a path."""

    kind: int
    owner: tuple[int, int, int]
    """Permission bits, user, group."""
    inode: int
    changed_ns: int | None
    """mtime; None for a directory, whose time follows its entries."""
    content: bytes
    """Digest of a file, text of a link."""
    attributes: tuple[str, ...]
    """Names of extended attributes."""


def find(path: bytes) -> Found:
    """Look at one path without following it."""
    st = os.lstat(path)
    content = b""
    if stat.S_ISREG(st.st_mode):
        content = hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).digest()
    elif stat.S_ISLNK(st.st_mode):
        content = os.readlink(path)
    return Found(
        stat.S_IFMT(st.st_mode),
        (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid),
        st.st_ino,
        None if stat.S_ISDIR(st.st_mode) else st.st_mtime_ns,
        content,
        tuple(os.listxattr(path, follow_symlinks=False)),
    )


def contents(work: Path) -> dict[bytes, Found]:
    """Look at everything below a directory."""
    top = os.fsencode(work)
    names = [
        os.path.join(directory, name)
        for directory, directories, files in os.walk(top)
        for name in (*directories, *files)
    ]
    return {name: find(name) for name in names}


def really_changed(
    before: Mapping[bytes, Found], after: Mapping[bytes, Found]
) -> dict[bytes, Effect]:
    """Compare two looks at a directory."""
    effects = dict.fromkeys(after.keys() - before.keys(), Effect.CREATED)
    effects |= dict.fromkeys(before.keys() - after.keys(), Effect.DELETED)
    both = before.keys() & after.keys()
    return effects | {path: Effect.MODIFIED for path in both if before[path] != after[path]}
