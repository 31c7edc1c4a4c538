"""A copy of a tree, with all that belongs to it, made so that an interrupted one can go on."""

import errno
import fcntl
import os
import shutil
import stat
from contextlib import suppress

from imptrace.kept.move.tree import MovedNode, MovedTree, read_attributes, read_node
from imptrace.kept.regular import open_regular

_CLONE = 0x40049409
_CHUNK = 1 << 20
_CANNOT = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY, errno.EBADF}
_PRIVATE = 0o700

Inodes = dict[tuple[int, int], bytes]


def copy_tree(source: bytes, tree: MovedTree, target: bytes, links: Inodes) -> None:
    """Make `target` what `tree` says of `source`. Raises OSError.

    What an earlier attempt has left there is used as far as it is whole. `links` has the copy of
    each file that has several names; files are found there and added.
    """
    _remove_strangers(tree, target)
    for name, node in tree.nodes.items():
        _copy_node(_joined(source, name), node, _joined(target, name), links)
    # Backwards: whatever is put into a directory changes its time.
    for name, node in reversed(tree.nodes.items()):
        if stat.S_ISDIR(node.kind):
            path = _joined(target, name)
            with _opened_directory(path) as descriptor:
                _dress(descriptor, node)


def make_like(source: bytes, target: bytes) -> None:
    """Make an empty directory with the owner, mode and attributes of another. Raises OSError."""
    with suppress(FileExistsError):
        os.mkdir(target, _PRIVATE)
    with _opened_directory(target) as descriptor:
        _dress(descriptor, read_node(source, b""))


def remove(path: bytes) -> None:
    """Remove whatever is at a path, with all below it. Raises OSError."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        # Linux says EISDIR, and POSIX EPERM, of a directory. Follows no link, not even a new one.
        shutil.rmtree(path)


def _joined(top: bytes, name: bytes) -> bytes:
    return os.path.join(top, name) if name else top


def _remove_strangers(tree: MovedTree, target: bytes) -> None:
    """Remove what an earlier attempt copied and the source has no longer, or as something else."""
    for name, node in tree.nodes.items():
        path = _joined(target, name)
        try:
            there = os.lstat(path)
        except OSError:
            continue
        if stat.S_IFMT(there.st_mode) != node.kind:
            remove(path)
        elif stat.S_ISDIR(node.kind):
            for each in os.listdir(path):
                if os.path.join(name, each) not in tree.nodes:
                    remove(os.path.join(path, each))


def _copy_node(source: bytes, node: MovedNode, target: bytes, links: Inodes) -> None:
    if stat.S_ISDIR(node.kind):
        with suppress(FileExistsError):
            os.mkdir(target, _PRIVATE)
        return
    if node.links > 1 and _linked(node, target, links):
        return
    if not _is_whole(node, target):
        remove(target)
        if stat.S_ISREG(node.kind):
            _copy_file(source, node, target)
        elif stat.S_ISLNK(node.kind):
            os.symlink(node.link, target)
            _dress_link(target, node)
        else:
            os.mknod(target, node.kind | stat.S_IRUSR, node.device)
            _dress_special(target, node)
    if node.links > 1:
        links[node.inode] = target


def _linked(node: MovedNode, target: bytes, links: Inodes) -> bool:
    """Make a further name for a file that was copied under another one; tell whether that went."""
    first = links.get(node.inode)
    if first is None:
        return False
    with suppress(FileNotFoundError):
        if os.path.samefile(first, target):
            return True
    remove(target)
    try:
        os.link(first, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOENT):
            return False
        raise
    return True


def _is_whole(node: MovedNode, target: bytes) -> bool:
    """Whether an earlier attempt has finished this one: its time is set last."""
    try:
        there = read_node(target, node.name)
    except OSError:
        return False
    return there.traits == node.traits and there.links == 1


def _copy_file(source: bytes, node: MovedNode, target: bytes) -> None:
    # What was put in its place would be given to the owner of what stood there.
    reading = open_regular(source, node.inode)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        writing = os.open(target, flags, stat.S_IRUSR | stat.S_IWUSR)
        try:
            _copy_contents(reading, writing, os.fstat(reading).st_size)
            _dress(writing, node)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _copy_contents(reading: int, writing: int, size: int) -> None:
    """Share the blocks where the file system can; else copy the data, and leave the holes."""
    try:
        fcntl.ioctl(writing, _CLONE, reading)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    else:
        return
    position = 0
    while position < size:
        try:
            start = os.lseek(reading, position, os.SEEK_DATA)
            end = os.lseek(reading, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:  # a hole up to the end
                break
            start, end = position, size
        _copy_range(reading, writing, start, end)
        position = max(end, position + 1)
    os.ftruncate(writing, size)


def _copy_range(reading: int, writing: int, start: int, end: int) -> None:
    while start < end:
        chunk = os.pread(reading, min(_CHUNK, end - start), start)
        if not chunk:
            return  # it became shorter: the check will tell
        written = os.pwrite(writing, chunk, start)
        start += written


class _opened_directory:  # noqa: N801 (used as a function)
    """An open directory that is no link."""

    def __init__(self, path: bytes) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> int:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags)
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _dress(descriptor: int, node: MovedNode) -> None:
    """Give an open file the owner, mode, attributes and, last, the times of another."""
    there = os.fstat(descriptor)
    if (there.st_uid, there.st_gid) != (node.uid, node.gid):
        os.fchown(descriptor, node.uid, node.gid)
    os.fchmod(descriptor, node.mode)
    for name, _ in list(read_attributes(descriptor)):
        if name not in dict(node.attributes):
            os.removexattr(descriptor, name)
    for name, value in node.attributes:
        os.setxattr(descriptor, name, value)
    os.utime(descriptor, ns=(node.atime_ns, node.mtime_ns))


def _dress_special(path: bytes, node: MovedNode) -> None:
    """Dress a device or a FIFO that was made just now, unless something else is there already."""
    held = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        st = os.fstat(held)
        if (stat.S_IFMT(st.st_mode), st.st_uid) != (node.kind, os.geteuid()):
            raise OSError(errno.ESTALE, "something else was put in its place", path)
        name = b"/proc/self/fd/%d" % held
        os.chown(name, node.uid, node.gid)
        for each, value in node.attributes:
            os.setxattr(name, each, value)
        os.chmod(name, node.mode)
        os.utime(name, ns=(node.atime_ns, node.mtime_ns))
    finally:
        os.close(held)


def _dress_link(path: bytes, node: MovedNode) -> None:
    os.chown(path, node.uid, node.gid, follow_symlinks=False)
    for name, value in node.attributes:
        os.setxattr(path, name, value, follow_symlinks=False)
    os.utime(path, ns=(node.atime_ns, node.mtime_ns), follow_symlinks=False)
