"""What `move`, `keep` and `rehearse` are asked about: programs, services, runs and paths."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from imptrace.catalogue import Entry, shipped
from imptrace.db.engine import reading
from imptrace.db.trouble import NoDatabaseError
from imptrace.errors import UsageError
from imptrace.evidence.asked_runs import Question
from imptrace.evidence.gather import gather
from imptrace.facts.given import read_given
from imptrace.judge.advise import advise
from imptrace.judge.model import Advice, Facts, Recommendation, Scope
from imptrace.kept.declared import declared_by_configuration
from imptrace.kept.lone_path import lone_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One thing that was named, and what of it is to be kept."""

    name: str
    recommendations: tuple[Recommendation, ...]
    entry: Entry | None = None
    units: tuple[str, ...] = ()
    advice: Advice | None = None
    """None for a path."""


def asked(names: Sequence[str], database: str | None) -> list[Asked]:
    """Find what each name means. Raises UsageError with the nearest names."""
    return [_path(name) if _is_path(name) else _subject(name, database) for name in names]


def declared(config: Path) -> tuple[bytes, ...]:
    """Read what a configuration keeps, as `nix eval --json` prints it."""
    try:
        text = read_given(config).decode(errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"{config} cannot be read: {error.strerror}") from error
    return tuple(each.path for each in declared_by_configuration(text, str(config)))


def _is_path(name: str) -> bool:
    return name.startswith(("/", "./", "../", "~")) or "/" in name


def _path(name: str) -> Asked:
    path = os.fsencode(os.path.abspath(os.path.expanduser(name)))
    if path == b"/":
        raise UsageError("the root itself cannot be kept: name what is in it")
    return Asked(name=name, recommendations=(lone_path(path),))


def _subject(name: str, database: str | None) -> Asked:
    catalogue = shipped()
    known = bool(catalogue.matching(name))
    try:
        with reading(database) as engine:
            facts = _recorded(engine, name, is_known=known)
    except NoDatabaseError:
        if not known:
            raise
        facts = gather(None, Question(service=name), catalogue)
    advice = advise(facts, with_declared=True)
    entry = facts.entry
    # What somebody keeps at home is no unit's of the system.
    owned = tuple(each for each in advice.recommendations if each.scope is Scope.OWNED)
    of_system = any(each.home is None for each in owned)
    units = tuple(unit for unit in entry.units if "*" not in unit) if entry and of_system else ()
    return Asked(name=name, recommendations=owned, entry=entry, units=units, advice=advice)


def _recorded(engine: Engine, name: str, *, is_known: bool) -> Facts:
    """Find what is meant: runs or a program, else a service, also one that no catalogue knows."""
    try:
        return gather(engine, Question(names=(name,)), shipped())
    except UsageError as error:
        try:
            return gather(engine, Question(service=name), shipped())
        except UsageError as none:
            raise (none if is_known else error) from None


def nothing_known(found: Iterable[Asked]) -> Iterator[str]:
    """Say of what nobody knows where it keeps its state."""
    for one in found:
        is_recorded = one.advice is not None and one.advice.runs
        if not one.recommendations and not is_recorded:
            yield f"{one.name}: no path of it is known: record it, or name its paths"
