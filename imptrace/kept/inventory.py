"""What a machine or a configuration declares to leave on disk, and what keeps it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from imptrace.errors import ImptraceError

LEVELS = ("transient", "normal", "important", "secret")
SCHEMA = "imptrace.inventory/1"


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One path: who declares it, and what keeps it."""

    path: str
    """Absolute. Undecodable bytes are surrogates, as the file system's encoding has them."""
    kind: str
    level: str
    declared_by: tuple[str, ...]
    kept_by: str | None
    store: str | None = None
    is_excepted: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether something that matters is not kept, and nobody said that it may go."""
        return self.kept_by is None and not self.is_excepted and self.level != LEVELS[0]


@dataclass(frozen=True, slots=True)
class Inventory:
    """All rows, by path, and how many mounts keep them (None: not known)."""

    rows: tuple[InventoryRow, ...]
    mounts: int | None = None

    @property
    def lost(self) -> tuple[InventoryRow, ...]:
        """What is of level normal or higher, and not kept."""
        return tuple(row for row in self.rows if row.is_lost)

    def without(self, paths: Iterable[str]) -> "Inventory":
        """Except these, and all below them, from what must not be lost."""
        excepted = [(path.rstrip("/") or "/", "") for path in paths]
        return replace(
            self,
            rows=tuple(
                replace(row, is_excepted=row.is_excepted or keeper(row.path, excepted) is not None)
                for row in self.rows
            ),
        )


def by_path(rows: Iterable[InventoryRow]) -> tuple[InventoryRow, ...]:
    """Sort them, one for each path: who declares it is told together."""
    together: dict[str, InventoryRow] = {}
    for row in rows:
        known = together.get(row.path)
        if known is None:
            together[row.path] = row
            continue
        declared_by = tuple(dict.fromkeys((*known.declared_by, *row.declared_by)))
        level = max(known.level, row.level, key=LEVELS.index)
        together[row.path] = InventoryRow(
            row.path,
            known.kind,
            level,
            declared_by,
            known.kept_by or row.kept_by,
            known.store or row.store,
            known.is_excepted and row.is_excepted,
        )
    return tuple(together[path] for path in sorted(together))


def read(text: str, source: str) -> Inventory:
    """Read the value of the option `inventory`, or an answer of this command."""
    try:
        value = json.loads(text)
        mounts = None
        if isinstance(value, dict):
            mounts = value.get("mounts")
            value = value["inventory"]
        rows = [_row(one) for one in value]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ImptraceError(f"{source} holds no inventory of a configuration: {error}") from error
    return Inventory(by_path(rows), mounts if isinstance(mounts, int) else None)


def _row(value: dict[str, object]) -> InventoryRow:
    path, kind, level = (_text(value[key]) for key in ("path", "kind", "level"))
    if not path.startswith("/"):
        raise ValueError(f"{path!r} is no absolute path")
    if level not in LEVELS:
        raise ValueError(f"{level!r} is no level")
    declared_by = value["declaredBy"]
    if not isinstance(declared_by, list):
        raise TypeError("declaredBy is no list")
    kept_by, store = value.get("keptBy"), value.get("store")
    return InventoryRow(
        path,
        kind,
        level,
        tuple(map(_text, declared_by)),
        None if kept_by is None else _text(kept_by),
        None if store is None else _text(store),
        value.get("isExcepted") is True,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def keeper(path: str, kept: Sequence[tuple[str, str]]) -> str | None:
    """Name what keeps a path: the nearest of `kept` (path, by whom) at or above it."""
    best: tuple[str, str] | None = None
    for above, by in kept:
        is_above = path == above or path.startswith(above.rstrip("/") + "/")
        if is_above and (best is None or len(above) > len(best[0])):
            best = (above, by)
    return None if best is None else best[1]
