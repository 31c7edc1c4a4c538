"""What a unit of systemd declares about its own files: StateDirectory= and its kin.

`declarations` is pure and reads properties as `systemctl show` prints them, from a recording or
from `ask_systemd`. Declared is not observed: whether anything is ever written there is not known.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from imptrace.catalogue.model import Place
from imptrace.catalogue.paths import is_within
from imptrace.levels import Level

_SECONDS = 10
_DEFAULT_MODE = 0o755
"""systemd's own default of StateDirectoryMode= and its kin."""
_PRIVATE_MODE = 0o700

_DIRECTORIES: tuple[tuple[str, Level, bytes, bytes], ...] = (
    ("StateDirectory", Level.NORMAL, b"/var/lib", b".local/state"),
    ("CacheDirectory", Level.TRANSIENT, b"/var/cache", b".cache"),
    ("LogsDirectory", Level.TRANSIENT, b"/var/log", b".local/state/log"),
    ("ConfigurationDirectory", Level.NORMAL, b"/etc", b".config"),
)
"""Property, level, and where a system unit's and a user unit's directory is (systemd.exec(5))."""

PROPERTIES = (
    "LoadState", "FragmentPath", "User", "Group", "DynamicUser", "RuntimeDirectory",
    *(name + part for name, _, _, _ in _DIRECTORIES for part in ("", "Mode")),
)  # fmt: skip

_LINE = re.compile(r"([A-Z][A-Za-z0-9]*)=(.*)", re.ASCII)
_WORD = re.compile(r"\$'(?:[^'\\]|\\.)*'|\S+")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|(.))")
_LETTERS = {"n": "\n", "t": "\t", "s": " "}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredPath:
    """A directory that a unit declares."""

    directive: str
    """The property that declares it."""
    path: bytes
    """Absolute; relative to the home directory for a user unit. With DynamicUser= the private
    directory, not the link to it."""
    public: bytes
    """The name that the service itself uses: differs from `path` with DynamicUser= only."""
    level: Level
    user: str | None
    """None where systemd picks an owner at each start, or none can be told."""
    group: str | None
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """All that a unit declares."""

    user: str | None
    group: str | None
    dynamic_user: bool
    fragment: bytes | None
    """The unit's file."""
    paths: tuple[DeclaredPath, ...]
    """None of them within another of the same level."""
    runtime: tuple[bytes, ...]
    """RuntimeDirectory=: gone at reboot by design; relative to $XDG_RUNTIME_DIR for a user unit."""


def parse_properties(output: str) -> dict[str, str]:
    """Read the output of `systemctl show`; the first of properties that come twice counts."""
    properties: dict[str, str] = {}
    for line in output.split("\n"):
        if found := _LINE.fullmatch(line):
            properties.setdefault(found[1], found[2])
    return properties


def declarations(properties: Mapping[str, str], place: Place = Place.SERVICE) -> Declarations:
    """Read what a unit declares; `place` HOME means a unit of a user's own manager."""
    dynamic = properties.get("DynamicUser") == "yes"
    system = place is Place.SERVICE
    run = b"/run/" if system else b""
    return Declarations(
        user=None if dynamic or not system else properties.get("User") or "root",
        group=None if dynamic or not system else _group(properties),
        dynamic_user=dynamic,
        fragment=os.fsencode(properties.get("FragmentPath", "")) or None,
        paths=tuple(_outermost(_paths(properties, place))),
        runtime=tuple(run + name for name in _names(properties.get("RuntimeDirectory", ""))),
    )


def ask_systemd(unit: str, *, user: bool = False) -> dict[str, str] | None:
    """Ask the running systemd, or (`user`) the one of the user who runs us, about a unit.

    None where there is no systemd, or no such unit: nothing is declared then.
    """
    manager = "--user" if user else "--system"
    try:
        done = subprocess.run(
            ["systemctl", manager, "show", "--property", ",".join(PROPERTIES), "--", unit],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    properties = parse_properties(done.stdout)
    return properties if properties.get("LoadState") == "loaded" else None


def _group(properties: Mapping[str, str]) -> str | None:
    """Group= of the unit; that of another user than root is not known without passwd."""
    return properties.get("Group") or (None if properties.get("User") else "root")


def _paths(properties: Mapping[str, str], place: Place) -> Iterator[DeclaredPath]:
    dynamic = properties.get("DynamicUser") == "yes"
    for directive, level, top, top_at_home in _DIRECTORIES:
        directory = top if place is Place.SERVICE else top_at_home
        # systemd does not give configuration to the user of the service.
        configuration = directive == "ConfigurationDirectory"
        private = dynamic and place is Place.SERVICE and not configuration
        owned = place is Place.SERVICE and not private
        for name in _names(properties.get(directive, "")):
            yield DeclaredPath(
                directive=directive,
                path=b"/".join((directory, b"private", name) if private else (directory, name)),
                public=directory + b"/" + name,
                level=level,
                user=_owner(properties, configuration=configuration) if owned else None,
                group=("root" if configuration else _group(properties)) if owned else None,
                mode=_PRIVATE_MODE if private else _mode(properties.get(f"{directive}Mode", "")),
            )


def _owner(properties: Mapping[str, str], *, configuration: bool) -> str:
    return "root" if configuration else properties.get("User") or "root"


def _mode(text: str) -> int:
    return int(text, 8) if re.fullmatch("[0-7]{3,4}", text) else _DEFAULT_MODE


def _names(text: str) -> Iterator[bytes]:
    """Names in a list as systemd prints it; `a:b` makes a link b to a, `a::ro` carries flags."""
    for word in _WORD.findall(text):
        quoted = word.startswith("$'")
        name = _ESCAPE.sub(_unescaped, word[2:-1] if quoted else word).partition(":")[0].strip("/")
        if name and ".." not in name.split("/"):
            yield os.fsencode(name)


def _unescaped(escape: re.Match[str]) -> str:
    number = int(escape[1], 16) if escape[1] else int(escape[2], 8) if escape[2] else None
    if number is not None:
        return bytes([number & 0xFF]).decode(errors="surrogateescape")
    return _LETTERS.get(escape[3], escape[3])


def _outermost(paths: Iterable[DeclaredPath]) -> Iterator[DeclaredPath]:
    """Leave out what another directory of the same level keeps already."""
    different = list(dict.fromkeys(paths))
    for path in different:
        if not any(
            other is not path and other.level is path.level and is_within(path.path, other.path)
            for other in different
        ):
            yield path
