"""What nobody has to keep since something makes it anew: a boot, systemd-tmpfiles, packages."""

import gzip
import hashlib
import re
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from os import fsencode, listdir

from imptrace.facts.paths import is_within, parent_of
from imptrace.kept.walk import Tree

_TMPFILES = (
    "/etc/tmpfiles.d",
    "/run/tmpfiles.d",
    "/usr/local/lib/tmpfiles.d",
    "/usr/lib/tmpfiles.d",
)
_MADE_WHOLE = "LpcbF"
"""Types of tmpfiles.d(5) whose path is what the line says, whatever stood there."""
_PATH = 1
_STATUS = "/var/lib/dpkg/status"
_LISTS = b"/var/lib/dpkg/info"
_LISTED = (b"/etc/", b"/var/", b"/root/", b"/opt/", b"/srv/", b"/home/")
_PACKAGE_MANAGERS = (
    b"/var/lib/dpkg",
    b"/var/lib/apt",
    b"/var/lib/ucf",
    b"/var/lib/pam",
    b"/var/lib/systemd/deb-systemd-helper-enabled",
    b"/var/lib/systemd/deb-systemd-helper-masked",
    b"/var/lib/systemd/deb-systemd-user-helper-enabled",
    b"/var/lib/systemd/catalog",
    b"/var/cache/apt",
    b"/var/cache/debconf",
    b"/etc/alternatives",
    b"/etc/ssl/certs",
    b"/etc/apt",
)
"""What tells which packages are installed, and what their scripts generate."""
_LOGS = b"/var/log"
_LOG = b"dpkg.log"
_STAMP = len("2026-11-29 13:49:12")
_AROUND_NS = 60_000_000_000
"""The scripts of a package write shortly before and after it is told to be installed."""
_CONFFILE = re.compile(r"^ (/\S+) ([0-9a-f]{32})(?: obsolete)?$", re.MULTILINE)
_SKELETONS = ("/etc/skel", "/usr/share/base-files", "/etc/skel.d")


@dataclass(frozen=True, slots=True)
class Installed:
    """What the packages of a distribution have put there, and when.

    On NixOS there is nothing of it.
    """

    times_ns: tuple[int, ...]
    """When packages were unpacked or set up, sorted; what is older than all has the image."""
    owned: frozenset[bytes]
    conffiles: dict[bytes, str]
    """The digests that they came with."""

    def is_packages(self, path: bytes) -> bool:
        """Whether a directory belongs to the package manager itself."""
        return any(is_within(path, top) for top in _PACKAGE_MANAGERS)

    def came_with_it(self, path: bytes, uid: int, mtime_ns: int, tree: Tree) -> bool:
        """Whether a file of the system is as the installation left it."""
        if not self.times_ns or not path.startswith((b"/etc/", b"/var/", b"/opt/", b"/srv/")):
            return False
        if path in self.conffiles:
            return self._was_installing(mtime_ns) or _digest(tree, path) == self.conffiles[path]
        is_its_own = (
            uid == 0
            or path.startswith(b"/etc/")
            or path in self.owned
            or parent_of(path) in self.owned
        )
        return is_its_own and self._was_installing(mtime_ns)

    def _was_installing(self, at_ns: int) -> bool:
        """Whether packages were being installed then, or the system was not there yet."""
        later = bisect_left(self.times_ns, at_ns)
        return later == 0 or any(
            abs(each - at_ns) <= _AROUND_NS for each in self.times_ns[later - 1 : later + 1]
        )


def installed(tree: Tree) -> Installed:
    """Read the database of dpkg, where there is one."""
    status = tree.lstat(fsencode(_STATUS))
    if status is None:
        return Installed((), frozenset(), {})
    conffiles = {fsencode(path): md5 for path, md5 in _CONFFILE.findall(tree.read_text(_STATUS))}
    times = {status.st_mtime_ns, *_unpacked(tree), *_logged(tree)}
    return Installed(tuple(sorted(times)), frozenset(_owned(tree)), conffiles)


def _unpacked(tree: Tree) -> Iterator[int]:
    """Tell when each package that is there was unpacked."""
    for name in _names(tree, _LISTS):
        if name.endswith(b".list") and (st := tree.lstat(_LISTS + b"/" + name)) is not None:
            yield st.st_mtime_ns


def _logged(tree: Tree) -> Iterator[int]:
    """Tell what the logs of dpkg, which are in local time, have of the same and of all scripts."""
    stamps: set[bytes] = set()
    for name in _names(tree, _LOGS):
        if name.startswith(_LOG):
            with suppress(OSError, EOFError, zlib.error):
                stamps.update(line[:_STAMP] for line in _log(tree, _LOGS + b"/" + name))
    for stamp in stamps:
        with suppress(ValueError):
            yield int(datetime.fromisoformat(stamp.decode()).timestamp()) * 1_000_000_000


def _log(tree: Tree, path: bytes) -> Iterator[bytes]:
    with tree.open_file(path) as file:
        if path.endswith(b".gz"):
            with gzip.open(file) as unpacked:
                yield from unpacked
        else:
            yield from file


def made_by_tmpfiles(tree: Tree) -> frozenset[bytes]:
    """List the links, nodes and files that systemd-tmpfiles makes as they are at every boot."""
    return frozenset(
        fsencode(fields[_PATH])
        for directory in _TMPFILES
        for name in _names(tree, fsencode(directory))
        if name.endswith(b".conf")
        for line in tree.read_text(
            f"{directory}/{name.decode(errors='surrogateescape')}"
        ).splitlines()
        if len(fields := line.split()) > _PATH and fields[0][0] in _MADE_WHOLE
    )


def skeleton(tree: Tree) -> dict[bytes, frozenset[bytes]]:
    """Give the contents with which files of a new home begin, by name."""
    found: dict[bytes, set[bytes]] = {}
    for directory in map(fsencode, _SKELETONS):
        for name in _names(tree, directory):
            with suppress(OSError), open(tree.real(directory + b"/" + name), "rb") as file:
                found.setdefault(name.removeprefix(b"dot"), set()).add(file.read())
    return {name: frozenset(contents) for name, contents in found.items()}


def _owned(tree: Tree) -> Iterator[bytes]:
    for name in _names(tree, _LISTS):
        if name.endswith(b".list"):
            with suppress(OSError), open(tree.real(_LISTS + b"/" + name), "rb") as file:
                for line in file.read().splitlines():
                    if line.startswith(_LISTED):
                        yield line


def _digest(tree: Tree, path: bytes) -> str:
    with suppress(OSError), tree.open_file(path) as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return ""


def _names(tree: Tree, directory: bytes) -> list[bytes]:
    with suppress(OSError):
        return sorted(listdir(tree.real(directory)))
    return []
