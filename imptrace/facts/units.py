"""What a unit of systemd declares about its own directories: StateDirectory= and its kin.

Read as `systemctl show` prints the properties, from a recording or from the running systemd.
Declared is not observed: whether anything is ever written there is not known.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from imptrace.facts.levels import Level

_CONFIGURATION = "ConfigurationDirectory"
_KINDS: tuple[tuple[str, bytes, Level], ...] = (
    ("StateDirectory", b"/var/lib/", Level.NORMAL),
    ("CacheDirectory", b"/var/cache/", Level.TRANSIENT),
    ("LogsDirectory", b"/var/log/", Level.TRANSIENT),
    (_CONFIGURATION, b"/etc/", Level.NORMAL),
)
"""Property, the directory that it makes one in (systemd.exec(5)), and what that is worth.

Logs are transient where nothing but the unit names them, as in the NixOS module's inventory: the
catalogue says of which programs they matter, and what a run was seen to write is judged by itself.
"""

_JUDGED = (
    "User",
    "Group",
    "DynamicUser",
    *(name + part for name, _, _ in _KINDS for part in ("", "Mode")),
)
_RUNTIME = ("RuntimeDirectory", "RuntimeDirectoryMode", "RuntimeDirectoryPreserve")

ASKED_PROPERTIES = ("LoadState", *_JUDGED)
"""What the running systemd is asked about a unit of which nothing was recorded."""

PUBLIC_PROPERTIES = frozenset({"Id", *_JUDGED, *_RUNTIME})
"""What may leave the machine: others (ExecStart, ...) hold whatever somebody wrote into them."""

RUN_PROPERTIES = (
    "Id", "Description", "Type", "FragmentPath", "DropInPaths", *_JUDGED, *_RUNTIME,
    "SupplementaryGroups", "PrivateTmp", "ProtectSystem", "ProtectHome", "ReadWritePaths",
    "BindPaths", "RootDirectory", "RootImage", "WorkingDirectory", "UMask",
)  # fmt: skip
"""What is kept of a unit with a run of it."""

_OWN_DROPINS = "/etc/systemd/"
_NIXOS_DROPIN = "/overrides.conf"
"""How NixOS changes a unit that comes with a package."""

_ROOT = "root"
_MODE = re.compile("[0-7]{3,4}")
_WORD = re.compile(r"\$'(?:[^'\\]|\\.)*'|\S+")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|(.))")
_LETTERS = {"n": "\n", "t": "\t", "s": " "}


class UnitDirectory(NamedTuple):
    """One directory of a unit."""

    key: str
    """The property that declares it."""
    path: bytes
    """Its public name."""
    level: Level
    user: str | None
    """Its owner; then its group. None where that cannot be told."""
    group: str | None
    mode: int | None


def unit_directories(properties: Mapping[str, str]) -> Iterator[UnitDirectory]:
    """Read what the properties of a unit declare."""
    user = properties.get("User") or _ROOT
    # The group of another user than root is in passwd.
    group = properties.get("Group") or (_ROOT if user == _ROOT else None)
    for key, top, level in _KINDS:
        mode = _MODE.fullmatch(properties.get(f"{key}Mode", ""))
        # systemd does not give configuration to the user of the service.
        owner = (_ROOT, _ROOT) if key == _CONFIGURATION else (user, group)
        for name in dict.fromkeys(_names(properties.get(key, ""))):
            path = top + name
            yield UnitDirectory(key, path, level, *owner, int(mode[0], 8) if mode else None)


def private_path(path: bytes) -> bytes:
    """Where systemd really puts a directory of a unit with DynamicUser."""
    for _, top, _ in _KINDS[:3]:
        if path.startswith(top) and not path.startswith(top + b"private/"):
            return top + b"private/" + path.removeprefix(top)
    return path


def private_parent(path: bytes) -> bytes | None:
    """Name the directory of dynamic users that a path lies in, such as /var/lib/private."""
    parents = (top + b"private" for _, top, _ in _KINDS[:3])
    return next((parent for parent in parents if path.startswith(parent + b"/")), None)


def _names(text: str) -> Iterator[bytes]:
    """Names in a list as systemd prints it; `a:b` makes a link b to a, `a::ro` carries flags."""
    for word in _WORD.findall(text):
        quoted = word.startswith("$'")
        name = _ESCAPE.sub(_unescaped, word[2:-1] if quoted else word).partition(":")[0].strip("/")
        if name and ".." not in name.split("/"):
            # What systemd prints can be encoded; a file of evidence may say anything.
            with suppress(UnicodeEncodeError):
                yield os.fsencode(name)


def _unescaped(escape: re.Match[str]) -> str:
    number = int(escape[1], 16) if escape[1] else int(escape[2], 8) if escape[2] else None
    if number is not None:
        return bytes([number & 0xFF]).decode(errors="surrogateescape")
    return _LETTERS.get(escape[3], escape[3])


_PROCESSES_OF = (b".service", b".scope")
_KINDS_OF_UNITS = (".service", ".scope", ".socket", ".slice", ".mount", ".swap", ".timer")


def unit_patterns(names: Iterable[str]) -> tuple[str, ...]:
    """Complete names of units, or patterns: what leaves out its kind is a service.

    >>> unit_patterns(["nginx", "getty@*.service"])
    ('nginx.service', 'getty@*.service')
    """
    return tuple(name if name.endswith(_KINDS_OF_UNITS) else f"{name}.service" for name in names)


def unit_of(cgroup: bytes) -> str | None:
    """Find the innermost service or scope of a cgroup path, None outside of any.

    >>> unit_of(b"/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-42.scope")
    'app-firefox-42.scope'
    """
    for part in reversed(cgroup.split(b"/")):
        if part.endswith(_PROCESSES_OF):
            return part.decode(errors="backslashreplace")
    return None


def own_dropins(properties: Mapping[str, str]) -> list[str]:
    """List the drop-ins of whoever runs the machine, not of its distribution or of NixOS.

    >>> own_dropins({"DropInPaths": "/etc/systemd/system/a.service.d/my.conf /usr/lib/b.conf"})
    ['/etc/systemd/system/a.service.d/my.conf']
    """
    paths = properties.get("DropInPaths", "").split()
    return [
        path for path in paths if path.startswith(_OWN_DROPINS) and not path.endswith(_NIXOS_DROPIN)
    ]
