"""What nobody has to keep since something makes it anew: a boot, systemd-tmpfiles, packages."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
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
_LATER_NS = 60_000_000_000
"""The last scripts of an installation still write when the packages' database is done."""
_CONFFILE = re.compile(r"^ (/\S+) ([0-9a-f]{32})(?: obsolete)?$", re.MULTILINE)
_SKELETONS = ("/etc/skel", "/usr/share/base-files", "/etc/skel.d")


@dataclass(frozen=True, slots=True)
class Installed:
    """What the packages of a distribution have put there, and when the last of them did.

    On NixOS there is nothing of it.
    """

    at_ns: int
    owned: frozenset[bytes]
    conffiles: dict[bytes, str]
    """The digests that they came with."""

    def is_packages(self, path: bytes) -> bool:
        """Whether a directory belongs to the package manager itself."""
        return any(is_within(path, top) for top in _PACKAGE_MANAGERS)

    def came_with_it(self, path: bytes, uid: int, mtime_ns: int, tree: Tree) -> bool:
        """Whether a file of the system is as the installation left it."""
        if not self.at_ns or not path.startswith((b"/etc/", b"/var/", b"/opt/", b"/srv/")):
            return False
        if path in self.conffiles:
            return mtime_ns <= self.at_ns + _LATER_NS or _digest(tree, path) == self.conffiles[path]
        is_its_own = (
            uid == 0
            or path.startswith(b"/etc/")
            or path in self.owned
            or parent_of(path) in self.owned
        )
        return is_its_own and mtime_ns <= self.at_ns + _LATER_NS


def installed(tree: Tree) -> Installed:
    """Read the database of dpkg, where there is one."""
    status = tree.lstat(fsencode(_STATUS))
    if status is None:
        return Installed(0, frozenset(), {})
    conffiles = {fsencode(path): md5 for path, md5 in _CONFFILE.findall(tree.read_text(_STATUS))}
    return Installed(status.st_mtime_ns, frozenset(_owned(tree)), conffiles)


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
