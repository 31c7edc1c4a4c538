"""What a report shows, whatever it is about. Text in it is shown as it is, paths are bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class ReportRow(NamedTuple):
    """One directory or file that matters."""

    path: bytes
    kind: str
    level: str
    size: str
    who: str
    how: str
    """What would keep it."""
    why: str


class DatedChange(NamedTuple):
    """When something was changed, and how much care it needs."""

    at_ns: int
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A page before it is drawn."""

    title: str
    summary: str
    rows: tuple[ReportRow, ...]
    tree: Mapping[bytes, str] = field(default_factory=dict)
    """Each path with its level, or with why it was set aside."""
    programs: Mapping[bytes, Mapping[bytes, int]] = field(default_factory=dict)
    """How many paths each program changed, by the row that holds them."""
    changes: tuple[DatedChange, ...] = ()
    notes: tuple[str, ...] = ()
