"""Where the paths of a log lead: directories, roots, mounts and symbolic links, as far as told.

A *seen path* is absolute as the processes of one mount namespace see it, with the directory that
chroot or pivot_root made their root in front. A *path* is what the host calls the same place.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from imptrace.facts.paths import is_within, lies_below

_PATH_MAX = 4096  # include/uapi/linux/limits.h
_MOST_LINKS = 40  # as in the kernel, include/linux/namei.h (MAXSYMLINKS)
_DOTS = re.compile(rb"/\.\.?(?:/|$)")
_CACHE_LIMIT = 20_000
_LINK_LIMIT = 20_000

ReadLink = Callable[[bytes], bytes | None]


@dataclass(slots=True)
class MountNamespace:
    """The mounts that one mount namespace has and the host has not."""

    mounts: dict[bytes, bytes | None] = field(default_factory=dict)
    """Mount point (a seen path) to the host's path of what is mounted there: None if it has none.
    A newer mount stands behind an older one."""

    def copied(self) -> "MountNamespace":
        """Return what a new namespace begins with."""
        return MountNamespace(dict(self.mounts))

    def mount(self, point: bytes, source: bytes | None) -> None:
        """Cover `point`."""
        self.mounts.pop(point, None)
        self.mounts[point] = source

    def unmount(self, point: bytes) -> None:
        """Uncover `point`."""
        self.mounts.pop(point, None)

    def to_host(self, seen: bytes) -> bytes | None:
        """Return the host's name of a seen path; None on a mount that the host cannot see."""
        best = b""
        for point in self.mounts:
            if len(point) >= len(best) and is_within(seen, point):
                best = point
        if not best:
            return seen
        source = self.mounts[best]
        return None if source is None else joined(source, seen[len(best) :].lstrip(b"/"))


@dataclass(slots=True, eq=False)
class View:
    """How a process sees the file system. Threads share one; a child gets a copy."""

    cwd: bytes | None = None
    """A seen path; None as long as the log did not tell it."""
    root: bytes = b""
    """Seen path of what chroot made the root; empty for the root itself."""
    namespace: MountNamespace | None = None
    """None for that of the host."""

    def copied(self) -> "View":
        """Return the view of a child."""
        return replace(self)


def joined(directory: bytes, name: bytes) -> bytes:
    """Append a relative name, which may be empty."""
    if not name:
        return directory
    return directory + name if directory.endswith(b"/") else directory + b"/" + name


class Links:
    """The symbolic links that a log tells of, and paths resolved through them.

    `look` is asked about every other name, where the log's own machine can be looked at.
    """

    def __init__(self, look: ReadLink | None = None) -> None:
        self._look = look
        self._targets: dict[bytes, bytes] = {}
        self._looked: dict[bytes, bytes | None] = {}
        self._cache: dict[tuple[bytes, bytes, bool], bytes] = {}

    def learn(self, path: bytes, target: bytes) -> None:
        """Note that the link `path` (seen, resolved but for its end) has this text."""
        if self._targets.get(path) == target or b"\0" in target or len(target) > _PATH_MAX:
            return
        if len(self._targets) >= _LINK_LIMIT:
            self._targets.clear()
        self._targets[path] = target
        self._cache.clear()

    def learn_place(self, path: bytes, resolved: bytes) -> None:
        """Note that `path` was seen to lead to `resolved`, wherever the link on the way is."""
        if path != resolved and not lies_below(resolved, path):
            self.learn(path, resolved)

    def forget(self, path: bytes) -> None:
        """Note that `path` is no link any more."""
        self._looked.pop(path, None)
        if self._targets.pop(path, None) is not None:
            self._cache.clear()

    def renamed(self, old: bytes, new: bytes, *, exchanged: bool) -> None:
        """Note that what stood at `old` stands at `new`."""
        target, other = self._targets.get(old), self._targets.get(new)
        self.forget(old)
        self.forget(new)
        if target is not None:
            self.learn(new, target)
        if exchanged and other is not None:
            self.learn(old, other)

    def resolve(self, path: bytes, root: bytes, *, follow: bool) -> bytes:
        """Resolve links, `.` and `..` of a seen path that begins with `root`."""
        if not self._targets and self._look is None and _is_plain(path):
            return path
        key = (path, root, follow)
        resolved = self._cache.get(key)
        if resolved is None:
            if len(self._cache) >= _CACHE_LIMIT:
                self._cache.clear()
            resolved = self._cache[key] = self._walk(path, root, follow)
        return resolved

    def _walk(self, path: bytes, root: bytes, follow: bool) -> bytes:  # noqa: FBT001 (private)
        todo = path[len(root) :].split(b"/")
        follow = follow or path.endswith((b"/", b"/."))
        todo.reverse()
        done = root
        links = 0
        while todo:
            name = todo.pop()
            if name in (b"", b"."):
                continue
            if name == b"..":
                done = max(done.rpartition(b"/")[0], root, key=len)
                continue
            done += b"/" + name
            target = self._target(done) if follow or any(todo) else None
            if target is None or links == _MOST_LINKS:
                continue
            links += 1
            done = root if target[:1] == b"/" else done.rpartition(b"/")[0]
            todo.extend(reversed(target.split(b"/")))
        return done or b"/"

    def _target(self, path: bytes) -> bytes | None:
        target = self._targets.get(path)
        if target is not None or self._look is None:
            return target
        if path not in self._looked:
            if len(self._looked) >= _CACHE_LIMIT:
                self._looked.clear()
            self._looked[path] = self._look(path)
        return self._looked[path]


def _is_plain(path: bytes) -> bool:
    if b"//" in path or path[-1:] == b"/":
        return False
    return b"/." not in path or _DOTS.search(path) is None


def read_link_here(path: bytes) -> bytes | None:
    """Read a link of this machine; None where there is none."""
    try:
        return os.fsencode(Path(os.fsdecode(path)).readlink())
    except (OSError, ValueError):
        return None
