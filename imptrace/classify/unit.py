"""The directories that a systemd unit declares."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from imptrace.classify.verdicts import Level

_KINDS: tuple[tuple[str, bytes, Level], ...] = (
    ("StateDirectory", b"/var/lib/", Level.NORMAL),
    ("CacheDirectory", b"/var/cache/", Level.TRANSIENT),
    ("LogsDirectory", b"/var/log/", Level.NORMAL),
    ("ConfigurationDirectory", b"/etc/", Level.NORMAL),
)


class UnitDirectory(NamedTuple):
    """One directory of a unit."""

    key: str
    """The property that declares it."""
    path: bytes
    """Its public name."""
    level: Level
    mode: int | None


def unit_directories(properties: Mapping[str, str]) -> Iterator[UnitDirectory]:
    """Read StateDirectory= and its kin as `systemctl show` prints them."""
    for key, top, level in _KINDS:
        mode = properties.get(f"{key}Mode", "")
        for name in properties.get(key, "").split():
            # "a:b" makes a symbolic link b to a.
            path = top + name.partition(":")[0].encode()
            yield UnitDirectory(key, path, level, int(mode, 8) if mode.isdigit() else None)


def private_path(path: bytes) -> bytes:
    """Where systemd really puts a directory of a unit with DynamicUser."""
    for _, top, _ in _KINDS[:3]:
        if path.startswith(top) and not path.startswith(top + b"private/"):
            return top + b"private/" + path.removeprefix(top)
    return path
