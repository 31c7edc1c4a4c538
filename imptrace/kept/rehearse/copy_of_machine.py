"""A private copy of the machine: an overlay over each of its directories, seen by one process tree.

The kernel overlays no directory below which an inherited mount stands, not in a user namespace, so
that the root is put together from its parts.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from imptrace.facts.paths import is_within, parent_of
from imptrace.kept import kernel
from imptrace.tracer.mountinfo import own_mounts

_BOUND = (b"/proc", b"/sys", b"/dev")
_OWN = (b"/run", b"/proc", b"/sys", b"/dev")
_FRESH = (b"/var/tmp", b"/dev/shm")
# Of /run what NixOS and the resolver put there, and no socket of a live service.
_RUN = (b"current-system", b"booted-system", b"wrappers", b"opengl-driver", b"systemd/resolve")
_DEEPEST = 4


@dataclass(slots=True)
class Copy:
    """One copy: where its changes are collected, and what is absent from it."""

    base: bytes
    """A directory on a tmpfs of our own."""
    unprivileged: bool
    hidden: frozenset[bytes]
    homes: tuple[bytes, ...]
    protected: tuple[bytes, ...]
    """What must be seen even in a home that is empty otherwise: the program itself."""
    uppers: dict[bytes, bytes] = field(default_factory=dict)
    """Where the changes to each overlaid directory are collected."""

    @property
    def root(self) -> bytes:
        """Where it is put together."""
        return self.base + b"/root"

    def build(self) -> None:
        """Put the copy together. Raises OSError."""
        os.makedirs(self.root, exist_ok=True)
        kernel.mount(b"tmpfs", self.root, b"tmpfs", 0, b"mode=755")
        mounts = [mount.mountpoint for mount in own_mounts()]
        for name in sorted(os.listdir(b"/")):
            path = b"/" + name
            if path in _BOUND:
                self._bind(path)
            elif path != b"/run":
                self._add(path, 0)
        wanted = [path for path in mounts if self._is_wanted(path)]
        for path in dict.fromkeys([*sorted(wanted, key=len), *self.homes]):
            if os.path.isdir(path) and os.path.isdir(self.root + path) and path not in self.uppers:
                self._overlay(path)
        self._fresh_places()

    def _is_wanted(self, path: bytes) -> bool:
        mine = is_within(path, parent_of(self.base)) or path == b"/"
        return not mine and not any(is_within(path, own) for own in _OWN)

    def _bind(self, path: bytes) -> None:
        os.makedirs(self.root + path, exist_ok=True)
        kernel.mount(path, self.root + path, b"", kernel.MS_BIND | kernel.MS_REC)

    def _add(self, path: bytes, depth: int) -> None:
        """Show a path of the machine in the copy."""
        st = os.lstat(path)
        target = self.root + path
        if stat.S_ISLNK(st.st_mode):
            os.symlink(os.readlink(path), target)
        elif not stat.S_ISDIR(st.st_mode):
            with suppress(OSError):
                open(target, "wb").close()
                kernel.mount(path, target, b"", kernel.MS_BIND)
        else:
            os.makedirs(target, exist_ok=True)
            if not self._overlay(path):
                self._add_parts(path, depth)

    def _add_parts(self, path: bytes, depth: int) -> None:
        with suppress(OSError):
            os.chmod(self.root + path, stat.S_IMODE(os.lstat(path).st_mode))
        if depth < _DEEPEST:
            with suppress(PermissionError):
                for name in os.listdir(path):
                    with suppress(OSError):
                        self._add(os.path.join(path, name), depth + 1)

    def _overlay(self, path: bytes) -> bool:
        """Lay an overlay over a directory, with what is hidden taken out of it."""
        # By its path: what is mounted on the machine may change from one start to the next.
        name = hashlib.blake2b(path, digest_size=16).hexdigest().encode()
        upper, work = self.base + b"/upper/" + name, self.base + b"/work/" + name
        os.makedirs(work, exist_ok=True)
        # Of an earlier start in the same copy it has what that left, and must not be hidden.
        if not os.path.isdir(upper):
            make_like(path, upper)
            self._hide(path, upper)
        try:
            overlay(path, upper, work, self.root + path, unprivileged=self.unprivileged)
        except OSError:
            shutil.rmtree(upper)
            return False
        self.uppers[path] = upper
        return True

    def _hide(self, path: bytes, upper: bytes) -> None:
        for home in self.homes:
            if path == home:
                self._hide_below(path, upper, only_dotted=True)
        for hidden in sorted(self.hidden):
            if hidden != path and is_within(hidden, path) and os.path.lexists(hidden):
                self._hide_one(hidden, _place_for(hidden, path, upper))

    def _hide_one(self, path: bytes, place: bytes) -> None:
        """Take a path out, or only what is in it where its program could not make it itself."""
        if os.path.lexists(place) or not os.path.isdir(os.path.dirname(place)):
            return  # it is hidden with a directory above
        if _is_given(path):
            make_like(path, place)
            self._hide_below(path, place, only_dotted=False)
        else:
            os.mknod(place, stat.S_IFCHR, 0)

    def _hide_below(self, directory: bytes, upper: bytes, *, only_dotted: bool) -> None:
        """Hide what is in a home, but what is declared, or needed to start the program at all."""
        for name in os.listdir(directory):
            path, there = os.path.join(directory, name), os.path.join(upper, name)
            if (only_dotted and not name.startswith(b".")) or _is_declared(path):
                continue
            needed = [each for each in self.protected if is_within(each, path)]
            if path in needed:
                continue
            if needed:
                make_like(path, there)
                self._hide_below(path, there, only_dotted=False)
            else:
                os.mknod(there, stat.S_IFCHR, 0)

    def _fresh_places(self) -> None:
        """Give it what every boot finds empty."""
        run = self.root + b"/run"
        os.makedirs(run, exist_ok=True)
        kernel.mount(b"tmpfs", run, b"tmpfs", 0, b"mode=755")
        for name in _RUN:
            source, target = b"/run/" + name, run + b"/" + name
            if os.path.islink(source):
                os.symlink(os.readlink(source), target)
            elif os.path.isdir(source):
                os.makedirs(target)
                kernel.mount(source, target, b"", kernel.MS_BIND | kernel.MS_REC)
        own = run + b"/user/%d" % os.getuid()
        os.makedirs(own, 0o700)
        for path in _FRESH:
            if os.path.isdir(self.root + path):
                with suppress(OSError):
                    kernel.mount(b"tmpfs", self.root + path, b"tmpfs", 0, b"mode=1777")
        if not self.unprivileged:
            for path in (b"/sys", b"/proc/sys"):
                with suppress(OSError):
                    flags = kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY
                    kernel.mount(path, self.root + path, b"", kernel.MS_BIND)
                    kernel.mount(path, self.root + path, b"", flags)


def overlay(lower: bytes, upper: bytes, work: bytes, target: bytes, *, unprivileged: bool) -> None:
    """Mount an overlay over a directory. Raises OSError."""
    lower = lower.replace(b"\\", b"\\\\").replace(b":", b"\\:").replace(b",", b"\\,")
    data = b"lowerdir=%s,upperdir=%s,workdir=%s" % (lower, upper, work)
    if unprivileged:
        data += b",userxattr"
    kernel.mount(b"overlay", target, b"overlay", 0, data)


def _place_for(path: bytes, top: bytes, upper: bytes) -> bytes:
    """Tell where a path below an overlaid directory is changed; make what is above it."""
    here, there = top, upper
    *parents, last = path[len(top.rstrip(b"/")) + 1 :].split(b"/")
    for name in parents:
        here, there = os.path.join(here, name), os.path.join(there, name)
        if not os.path.lexists(there):
            make_like(here, there)
        elif not os.path.isdir(there):
            break
    return os.path.join(upper, *parents, last)


def changes(uppers: Mapping[bytes, bytes]) -> Iterator[tuple[bytes, bytes, os.stat_result]]:
    """Yield what a copy has changed: path, where the change is, what is there now."""
    for path, upper in uppers.items():
        for directory, names, files in os.walk(upper):
            for name in (*names, *files):
                there = os.path.join(directory, name)
                yield os.path.join(path, os.path.relpath(there, upper)), there, os.lstat(there)


def is_whiteout(st: os.stat_result) -> bool:
    """Whether a thing in an overlay's upper directory says that a path is gone."""
    return stat.S_ISCHR(st.st_mode) and st.st_rdev == 0


def _is_declared(path: bytes) -> bool:
    """Whether Nix put it there: a link into its store."""
    return os.path.islink(path) and os.readlink(path).startswith(b"/nix/store/")


def _is_given(path: bytes) -> bool:
    """Whether a directory was made for its owner, who could not: as packages and tmpfiles do."""
    st, above = os.lstat(path), os.lstat(parent_of(path))
    return stat.S_ISDIR(st.st_mode) and st.st_uid != above.st_uid and os.access(path, os.R_OK)


def make_like(path: bytes, target: bytes) -> None:
    """Make a directory with the mode and, where we may, the owner of another."""
    st = os.stat(path)
    os.makedirs(target, exist_ok=True)
    with suppress(OSError):
        os.chown(target, st.st_uid, st.st_gid)
    os.chmod(target, stat.S_IMODE(st.st_mode))
