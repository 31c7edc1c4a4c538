"""What a walk over a wiped file system has to know of the system beforehand."""

from collections.abc import Callable
from dataclasses import dataclass, field

from imptrace.facts.levels import Level
from imptrace.facts.paths import is_within, parent_of, parents_of
from imptrace.judge.known import Known
from imptrace.judge.places import Area, Place, Places
from imptrace.judge.set_aside import Exclusion, Mounts, PlaceExclusions
from imptrace.kept.boot import Boot
from imptrace.kept.leaks.lines import CatalogueLines
from imptrace.kept.leaks.made import Installed
from imptrace.kept.leaks.rules import is_system_log
from imptrace.kept.leaks.served import Served
from imptrace.kept.walk import Tree

_SHARED_OUT = (
    b".config", b".local", b".local/share", b".local/state", b".cache", b".var", b".var/app",
)  # fmt: skip
"""Directories of a home in which each program has its own entry; others are one answer."""
_HOMES = b"/home"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Everything that the rules need, for one tree."""

    tree: Tree
    places: Places
    lines: CatalogueLines
    points: frozenset[bytes]
    boot: Boot
    served: Served
    installed: Installed
    tmpfiles: frozenset[bytes]
    skeleton: dict[bytes, frozenset[bytes]]
    is_ignored: Callable[[bytes], bool] = field(default=lambda _path: False)


class Map:
    """Where each program's own part of a tree begins."""

    def __init__(self, ground: Ground) -> None:
        self._places = ground.places
        self._lines = ground.lines
        self._by_place = PlaceExclusions(ground.places, Mounts(()))
        homes = [home.path for home in ground.places.homes]
        in_homes = {home + b"/" + name for home in homes for name in _SHARED_OUT}
        above = {parent for home in homes for parent in parents_of(home)}
        self._spread = {b"/", _HOMES, *homes, *in_homes, *above}
        self._in_homes = tuple(home + b"/" for home in homes)

    def is_shared_out(self, path: bytes) -> bool:
        """Whether what lies in a directory belongs to many, so that each entry is judged alone."""
        if path in self._spread:
            return True
        return self._places.is_container(path) and not path.startswith(self._in_homes)

    def ruling(self, path: bytes) -> Exclusion | None:
        """Tell why nothing at a path or below it need be kept, for where it is."""
        return self._by_place.of(path)

    def place_of(self, path: bytes) -> Place:
        """Tell where a path lies."""
        return self._places.place_of(path)

    def known(self, path: bytes) -> Known | None:
        """Find the catalogue's line about an entry of a directory that is shared out."""
        known = self._lines.about(path)
        if known is None or known.path == path or not self.is_shared_out(known.path):
            return known
        return None

    def base_level(self, path: bytes, place: Place, known: Known | None) -> Level:
        """Tell what an entry is worth before anything in it was looked at."""
        if place.area is Area.LOG and (
            known is None or is_system_log(path, place.area) or self.is_shared_out(known.path)
        ):
            # A log tells of the boot that wrote it; of most nobody says that they are read.
            return Level.TRANSIENT
        if known is not None and known.kept is not None:
            return known.kept.level
        return place.area.level


def in_etc(path: bytes) -> bool:
    """Whether the configuration writes beside a path."""
    return is_within(path, b"/etc")


def is_top(path: bytes) -> bool:
    """Whether a path stands right below the root."""
    return parent_of(path) == b"/"
