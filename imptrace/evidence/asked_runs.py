"""Which runs a question is about: those of a name, of a service, or the newest."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from imptrace.catalogue import Catalogue, Entry
from imptrace.db import queries
from imptrace.db.location import elsewhere
from imptrace.db.records import WHOLE, Detail, Part, RunDetails, RunRecord
from imptrace.errors import UsageError
from imptrace.evidence.parts import (
    Wanted,
    both,
    executing,
    in_machine_runs,
    read_part,
    with_unit,
)
from imptrace.facts.patterns import is_called

MOST_RUNS = 20
"""Runs of one program that an advice rests on, the newest: older ones tell of older versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whom advice is wanted for."""

    names: tuple[str, ...] = ()
    """Runs or programs. Nothing, and no service: the newest run."""
    service: str | None = None
    part: Part = WHOLE
    """What of runs of the whole machine is meant: all of their newest, where no run is named."""


def asked_runs(
    engine: Engine,
    question: Question,
    entry: Entry | None,
    catalogue: Catalogue | None,
    detail: Detail,
) -> tuple[RunDetails, ...]:
    """Load the runs that were asked for, oldest first."""
    records = queries.runs(engine)
    if question.names:
        wanted = [
            each
            for name in question.names
            for each in _runs_called(engine, name, catalogue, records)
        ]
    elif question.service is not None:
        wanted = _of_service(engine, question.service, entry, records)
    elif question.part:
        wanted = in_machine_runs(records, question.part)
    else:
        wanted = [(record.id, WHOLE) for record in records[-1:]]
    scopes = {record.id: record.scope for record in records}
    found = tuple(
        run
        for number, part in sorted(dict.fromkeys(wanted), key=lambda each: each[0])
        for run in read_part(
            engine,
            (number, both(part, question.part)),
            scopes[number],
            question.service,
            detail,
        )
    )
    if found and not any(run.paths for run in found):
        _check_not_empty(engine, [number for number, _ in wanted])
    return found


def _check_not_empty(engine: Engine, run_ids: Iterable[int]) -> None:
    """Refuse runs that saw no path at all: from nothing follows nothing."""
    if not any(queries.run_details(engine, each).paths for each in run_ids):
        shown = ", ".join(map(str, run_ids))
        raise UsageError(f"run {shown} saw no path at all: record the program again")


def _runs_called(
    engine: Engine, name: str, catalogue: Catalogue | None, records: Sequence[RunRecord]
) -> list[Wanted]:
    """Find the runs of a name, which may also be the catalogue's name for a service."""
    try:
        return runs_named(engine, name, records)
    except UsageError:
        matching = catalogue.matching(name) if catalogue is not None else ()
        found = _of_service(engine, name, matching[0], records) if matching else []
        if not found:
            raise
        return found


def runs_named(engine: Engine, name: str, records: Sequence[RunRecord]) -> list[Wanted]:
    """Find the newest runs of a program or service, or the one run that a name means.

    Of runs of the whole machine it is what the program did in them.
    """
    program = os.fsencode(name)
    if not name.isdigit() and not any(record.label == name for record in records):
        found = [(record.id, WHOLE) for record in records if record.program == program]
        found = found or executing(engine, {program}, records)
        found = found or [
            (record.id, WHOLE)
            for record in records
            if record.service and _plain(record.service) == _plain(name)
        ]
        if found:
            return found[-MOST_RUNS:]
    executed = (each.decode(errors="replace") for each in queries.executed_programs(engine))
    return [(queries.resolve_run(engine, name, executed), WHOLE)]


def _of_service(
    engine: Engine, service: str, entry: Entry | None, records: Sequence[RunRecord]
) -> list[Wanted]:
    """Find the newest runs of a service: labelled so, else with its unit, else its programs."""
    names = {_plain(service)}
    programs = {os.fsencode(service)}
    units: tuple[str, ...] = ()
    if entry is not None:
        names |= {_plain(name) for name in (entry.id, *entry.aliases)}
        units = entry.units
        programs = {os.fsencode(program) for program in entry.programs}
    found = [
        (record.id, WHOLE)
        for record in records
        if record.service and (_plain(record.service) in names or _is_one(record.service, units))
    ]
    units = units or (service,)
    found = found or with_unit(engine, units, records) or executing(engine, programs, records)
    if not found and entry is None:
        known = {record.service for record in records if record.service}
        known |= {unit.removesuffix(".service") for unit in queries.recorded_units(engine)}
        hint = queries.nearest(service, known)
        other = elsewhere(engine.url.database)
        raise UsageError(f"no run of a service {service!r}; {hint}imptrace runs lists them{other}")
    return found[-MOST_RUNS:]


def is_recorded(engine: Engine, service: str) -> bool:
    name = _plain(service)
    labelled = (each.service for each in queries.runs(engine) if each.service)
    return name in map(_plain, (*labelled, *queries.recorded_units(engine)))


def _plain(service: str) -> str:
    """Make equal what means the same: a unit's name may leave out what kind it is."""
    return service.lower().removesuffix(".service")


def _is_one(service: str, units: Iterable[str]) -> bool:
    """Whether a unit is one of the catalogue's, where `*` stands for an instance."""
    return is_called(_plain(service), map(_plain, units))
