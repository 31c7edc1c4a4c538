"""What stands in a tree: everything a copy must have too, read without following a link."""

import errno
import fcntl
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from imptrace.kept.regular import open_regular

_BLOCK = 512
_CHUNK = 1 << 20
_GET_FLAGS, _LONG = 0x80086601, 8
_IMMUTABLE, _APPEND = 0x10, 0x20
# Kept by security modules for themselves, each in its own form on each file system.
_LABELS = frozenset({"security.selinux", "security.SMACK64", "security.ima", "security.evm"})


class MovedNode(NamedTuple):
    """One file, directory, link or other thing of a tree."""

    name: bytes
    """Its path from the top of the tree; empty for the top itself."""
    kind: int
    """The type bits of its mode."""
    mode: int
    uid: int
    gid: int
    size: int
    """Of a file; 0 for all else."""
    mtime_ns: int
    device: int
    """The number of a device file."""
    link: bytes
    """The text of a symbolic link."""
    attributes: tuple[tuple[str, bytes], ...]
    """Extended attributes, ACLs among them."""
    inode: tuple[int, int]
    links: int
    disk: int
    """Bytes that it takes on disk."""
    atime_ns: int

    @property
    def traits(self) -> tuple[object, ...]:
        """All that a copy shares with it, but the contents of a file."""
        return self[:10]


class MovedTree(NamedTuple):
    """A tree, parents before what is in them."""

    nodes: dict[bytes, MovedNode]
    left_out: tuple[tuple[bytes, str], ...]
    """What is no part of a copy, or not all of it, each with the reason: sockets, file systems."""

    @property
    def disk(self) -> int:
        """Bytes on disk; files with several names count once."""
        return sum({node.inode: node.disk for node in self.nodes.values()}.values())


def read_tree(top: bytes, mounts: frozenset[bytes], skip: bytes | None = None) -> MovedTree:
    """Look at everything below a path, itself included. Raises OSError.

    `mounts`: other file systems, which are left out. `skip`: a name in no part of the tree.
    """
    nodes: dict[bytes, MovedNode] = {}
    left_out: list[tuple[bytes, str]] = []
    waiting = [b""]
    while waiting:
        name = waiting.pop()
        path = os.path.join(top, name) if name else top
        if name and path in mounts:
            left_out.append((path, "another file system is mounted there"))
            continue
        try:
            node = read_node(path, name)
        except FileNotFoundError:
            if not name:
                raise
            continue  # gone since its directory was read
        if stat.S_ISSOCK(node.kind):
            left_out.append((path, "a socket, which its program makes anew"))
            continue
        nodes[name] = node
        if stat.S_ISDIR(node.kind):
            with os.scandir(path) as found:
                names = sorted((each.name for each in found if each.name != skip), reverse=True)
            waiting += (os.path.join(name, each) for each in names)
    return MovedTree(nodes, tuple(left_out))


def read_node(path: bytes, name: bytes) -> MovedNode:
    """Look at one path. Raises OSError."""
    st = os.lstat(path)
    kind = stat.S_IFMT(st.st_mode)
    return MovedNode(
        name=name,
        kind=kind,
        mode=stat.S_IMODE(st.st_mode),
        uid=st.st_uid,
        gid=st.st_gid,
        size=st.st_size if kind == stat.S_IFREG else 0,
        # A directory's time follows its entries, also those of temporary names.
        mtime_ns=st.st_mtime_ns,
        device=st.st_rdev if kind in (stat.S_IFBLK, stat.S_IFCHR) else 0,
        link=os.readlink(path) if kind == stat.S_IFLNK else b"",
        attributes=tuple(read_attributes(path)),
        inode=(st.st_dev, st.st_ino),
        links=st.st_nlink,
        disk=st.st_blocks * _BLOCK,
        atime_ns=st.st_atime_ns,
    )


def read_attributes(path: bytes | int) -> Iterator[tuple[str, bytes]]:
    """Yield extended attributes, by name; none where the file system has none."""
    follow = isinstance(path, int)
    try:
        names = os.listxattr(path, follow_symlinks=follow)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.EPERM, errno.EBADF):
            return
        raise
    for name in sorted(names):
        if name in _LABELS:
            continue
        # Gone meanwhile, or for others' eyes only (trusted.*, without root).
        with suppress(OSError):
            yield name, os.getxattr(path, name, follow_symlinks=follow)


def fixed(top: bytes, tree: MovedTree) -> Iterator[tuple[bytes, str]]:
    """Yield what chattr has made unchangeable here: the copy is not, or it could have no name."""
    for name, node in tree.nodes.items():
        if node.kind in (stat.S_IFREG, stat.S_IFDIR):
            path = os.path.join(top, name) if name else top
            with suppress(OSError):
                held = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                try:
                    answer = fcntl.ioctl(held, _GET_FLAGS, bytes(_LONG))
                finally:
                    os.close(held)
                if int.from_bytes(answer, sys.byteorder) & (_IMMUTABLE | _APPEND):
                    yield path, "the flags of chattr (+i or +a); its contents are copied"


def digest(path: bytes, inode: tuple[int, int] | None = None) -> bytes:
    """Hash the contents of a file, as the disk has them. Raises OSError."""
    with open(open_regular(path, inode), "rb", 0) as file:
        found = hashlib.blake2b()
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.digest()


def difference(source: MovedTree, copy: MovedTree) -> str | None:
    """Say the first thing in which a copy is not its source, contents of files aside."""
    if source.nodes.keys() != copy.nodes.keys():
        odd = min(source.nodes.keys() ^ copy.nodes.keys())
        return f"{os.fsdecode(odd) or 'the path itself'} is on one side only"
    for name, node in source.nodes.items():
        if node.traits != copy.nodes[name].traits:
            return f"{os.fsdecode(name) or 'the path itself'} differs"
    if _twins(source) != _twins(copy):
        return "hard links differ"
    return None


def _twins(tree: MovedTree) -> set[frozenset[bytes]]:
    """Names that share one file."""
    together: dict[tuple[int, int], list[bytes]] = {}
    for name, node in tree.nodes.items():
        if node.links > 1 and not stat.S_ISDIR(node.kind):
            together.setdefault(node.inode, []).append(name)
    return {frozenset(names) for names in together.values() if len(names) > 1}
