"""What was observed against what is declared: a pure comparison of two lists of paths."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from imptrace.facts.levels import Kind, Level
from imptrace.facts.paths import is_within, lies_below


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A path that a catalogue, a module or a configuration keeps."""

    path: bytes
    kind: Kind
    level: Level | None
    """None where the declaration knows no levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A path that a recording says must be kept."""

    path: bytes
    kind: Kind
    level: Level


class Status(StrEnum):
    """How one path stands in both lists."""

    MISSING = "missing"
    """Observed, and nothing declared keeps it."""
    EXTRA = "extra"
    """Declared, and not observed."""
    LEVEL = "level"
    """Kept, at another level."""
    KEPT = "kept"
    """Kept, and at least as carefully as observed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One path of the comparison; `declared` is what keeps it, `observed` what was seen of it."""

    status: Status
    path: bytes
    declared: Declared | None
    observed: Observed | None


def compare(declared: Iterable[Declared], observed: Iterable[Observed]) -> list[Difference]:
    """Compare the lists; one difference for each observed path and each extra one, by path."""
    keepers, seen = list(declared), list(observed)
    found = [_judge(each, keepers) for each in seen]
    for keeper in keepers:
        if not any(_related(keeper.path, each.path) for each in seen):
            extra = Difference(
                status=Status.EXTRA, path=keeper.path, declared=keeper, observed=None
            )
            found.append(extra)
    return sorted(found, key=lambda difference: difference.path)


def _judge(observed: Observed, declared: Iterable[Declared]) -> Difference:
    keeper = _keeper(observed.path, declared)
    if keeper is None:
        status = Status.MISSING
    elif _careful_enough(keeper, observed):
        status = Status.KEPT
    else:
        status = Status.LEVEL
    return Difference(status=status, path=observed.path, declared=keeper, observed=observed)


def _keeper(path: bytes, declared: Iterable[Declared]) -> Declared | None:
    """Find the nearest declaration that keeps a path."""
    keepers = [
        each
        for each in declared
        if each.path == path or (each.kind is Kind.DIRECTORY and lies_below(path, each.path))
    ]
    return max(keepers, key=lambda each: len(each.path), default=None)


def _careful_enough(keeper: Declared, observed: Observed) -> bool:
    """Whether the levels agree; a directory may be kept with more care than a path in it."""
    if keeper.level is None or keeper.level is observed.level:
        return True
    return keeper.path != observed.path and keeper.level > observed.level


def _related(one: bytes, other: bytes) -> bool:
    return is_within(one, other) or is_within(other, one)
