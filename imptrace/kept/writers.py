"""Who a path belongs to: by the record, else by units, else by the catalogue, else by its owner."""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from imptrace.catalogue import Entry
from imptrace.db.changers import Changer
from imptrace.errors import ImptraceError
from imptrace.facts.paths import name_of, parents_of
from imptrace.judge.known import Known
from imptrace.judge.places import Area, Place
from imptrace.kept.inventory import InventoryRow
from imptrace.kept.machine import of_units

_MOST = 5
_SHORTEST = 3


class Attributed(StrEnum):
    """How it is known who wrote a path."""

    RECORDED = "recorded"
    DECLARED = "declared"
    CATALOGUE = "catalogue"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who wrote a path, as far as is known."""

    program: bytes | None
    unit: str | None
    user: str | None
    last_ns: int | None = None
    """When a run last saw it change something there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Who wrote a path, how that is known, and what declares or knows it."""

    writers: tuple[Writer, ...]
    attributed: Attributed | None
    declared_by: tuple[str, ...] = ()
    """What declares it, such as `redis.service StateDirectory`."""
    named_for: bytes | None = None
    """An installed program that a component of the path is named for."""


class Writers:
    """Answers for one path after the other."""

    def __init__(
        self,
        *,
        units: Iterable[InventoryRow],
        users: dict[int, str],
        recorded: Callable[[bytes], Sequence[Changer]],
    ) -> None:
        self._units = {os.fsencode(row.path): row for row in units}
        self._users = users
        self._recorded = recorded

    def of(
        self, path: bytes, known: Known | None, uid: int | None, place: Place | None = None
    ) -> Attribution:
        """Tell who wrote a path. `uid` owns it; None if nothing is there."""
        entry = known.entry if known is not None else None
        changed = self._recorded(path)
        declared = self._declared(path)
        declared_by = declared.declared_by if declared is not None else ()
        if changed:
            writers = self._by_record(path, changed, entry)
            return Attribution(
                writers=writers, attributed=Attributed.RECORDED, declared_by=declared_by
            )
        user = None if uid is None else self._users.get(uid, str(uid))
        if declared is not None:
            writer = self._of_unit(declared, entry, user)
            return Attribution(
                writers=(writer,), attributed=Attributed.DECLARED, declared_by=declared_by
            )
        if entry is not None:
            program = _program(entry) or (_named_for(place) if place is not None else None)
            writer = Writer(program=program, unit=_unit(entry), user=entry.user or user)
            return Attribution(writers=(writer,), attributed=Attributed.CATALOGUE)
        if user is None:
            return Attribution(writers=(), attributed=None)
        program = None if place is None else _named_for(place)
        return Attribution(
            writers=(Writer(program=program, unit=None, user=user),),
            attributed=Attributed.OWNER,
            named_for=program,
        )

    def _by_record(
        self, path: bytes, changed: Sequence[Changer], entry: Entry | None
    ) -> tuple[Writer, ...]:
        names = {name.encode() for name in entry.programs} if entry is not None else set()
        ranked = sorted(
            changed,
            key=lambda each: (
                each.program not in names and not _bears(path, each.program),
                -each.paths,
                -each.last_ns,
            ),
        )
        return tuple(
            Writer(
                program=each.program,
                unit=each.unit,
                user=self._users.get(each.uid, str(each.uid)),
                last_ns=each.last_ns,
            )
            for each in ranked[:_MOST]
        )

    def _declared(self, path: bytes) -> InventoryRow | None:
        return next(
            (self._units[each] for each in (path, *parents_of(path)) if each in self._units), None
        )

    def _of_unit(self, row: InventoryRow, entry: Entry | None, user: str | None) -> Writer:
        unit = row.declared_by[0].split()[0]
        named = entry is not None and unit in entry.units
        program = _program(entry) if named and entry is not None else None
        bare = unit.removesuffix(".service").partition("@")[0]
        return Writer(program=program or os.fsencode(bare), unit=unit, user=user)


def declared_by_units() -> list[InventoryRow]:
    """List the directories that the running systemd's units declare; none without it."""
    with suppress(ImptraceError):
        return list(of_units())
    return []


def _program(entry: Entry) -> bytes | None:
    """Name the program of an entry; one that is about the system itself has none."""
    if entry.programs:
        return entry.programs[0].encode()
    return entry.id.encode() if entry.option or entry.units else None


def _unit(entry: Entry) -> str | None:
    return next((unit for unit in entry.units if unit.endswith(".service")), None)


def _bears(path: bytes, program: bytes) -> bool:
    """Whether some component of a path begins with a program's name, or the other way round."""
    name = program.lower().rstrip(b"d")
    parts = [part.lstrip(b".").lower() for part in path.split(b"/")]
    return len(name) >= _SHORTEST and any(
        part.startswith(name) or (len(part) >= _SHORTEST and name.startswith(part))
        for part in parts
    )


def _named_for(place: Place) -> bytes | None:
    """Find an installed program that a path's own entry of a common directory is named for."""
    name = name_of(place.anchor).lstrip(b".").partition(b".")[0]
    if place.area in _NOBODYS or len(name) < _SHORTEST:
        return None
    for each in dict.fromkeys((os.fsdecode(name), os.fsdecode(name).lower())):
        if found := shutil.which(each):
            return name_of(os.fsencode(found))
    return None


_NOBODYS = frozenset({Area.DOCUMENT, Area.OTHER, Area.SERVED})
"""Where things are not called after the program that made them."""
