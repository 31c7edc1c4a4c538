"""Runs of the whole machine, read in part: as if what is asked for had been recorded alone."""

import os
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from sqlalchemy import Engine

from imptrace.db import queries
from imptrace.db.parts import counts
from imptrace.db.records import (
    WHOLE,
    Detail,
    Part,
    ProcessRecord,
    RunDetails,
    RunRecord,
)
from imptrace.errors import UsageError
from imptrace.facts.people import is_person
from imptrace.facts.programs import names_of, program_name
from imptrace.tracer.events import RunScope
from imptrace.tracer.program import user_name

Wanted = tuple[int, Part]
"""A run, and what of it."""

_EXAMPLES = 3


def both(one: Part, other: Part) -> Part:
    """Ask for what is in two parts; where both name something the second is meant."""
    return Part(
        units=other.units or one.units,
        program=one.program if other.program is None else other.program,
        uid=one.uid if other.uid is None else other.uid,
    )


def executing(
    engine: Engine, programs: AbstractSet[bytes], records: Sequence[RunRecord]
) -> list[Wanted]:
    """Find the runs that executed one of several programs; of the machine's, what each did."""
    of_machine = {record.id for record in records if record.scope is RunScope.MACHINE}
    found = [
        (number, Part(program=program) if number in of_machine else WHOLE)
        for program in sorted(programs)
        for number in queries.runs_executing(engine, {program})
    ]
    return sorted(dict.fromkeys(found), key=lambda each: each[0])


def one_run(engine: Engine, name: str) -> Wanted:
    """Find the run that a name means; else the newest of the machine that executed a program."""
    records = queries.runs(engine)
    try:
        return queries.resolve_run(engine, name), WHOLE
    except UsageError:
        found = [each for each in executing(engine, {os.fsencode(name)}, records) if each[1]]
        if not found:
            executed = (each.decode(errors="replace") for each in queries.executed_programs(engine))
            return queries.resolve_run(engine, name, executed), WHOLE
        return found[-1]


def with_unit(engine: Engine, units: Iterable[str], records: Sequence[RunRecord]) -> list[Wanted]:
    """Find the runs of the machine in which one of some units did something."""
    part = Part(units=tuple(units))
    of_machine = {record.id for record in records if record.scope is RunScope.MACHINE}
    return [(each, part) for each in queries.runs_with(engine, part) if each in of_machine]


def in_machine_runs(records: Sequence[RunRecord], part: Part) -> list[Wanted]:
    """Ask the newest run of the machine. Raises UsageError where there is none."""
    newest = [record.id for record in records if record.scope is RunScope.MACHINE][-1:]
    if not newest:
        raise UsageError("no run of the whole machine is there; begin with: imptrace watch")
    return [(newest[0], part)]


def read_part(
    engine: Engine, wanted: Wanted, scope: RunScope, service: str | None, detail: Detail
) -> Iterator[RunDetails]:
    """Read a run, or a part of one; a program of several people is a run of each.

    Raises UsageError where a part has nothing in it, and for the whole of a machine.
    """
    number, part = wanted
    if not part:
        if scope is RunScope.MACHINE:
            raise UsageError(_of_everything(engine, number))
        yield queries.run_details(engine, number, detail)
        return
    details = queries.run_part(engine, number, part, detail)
    if scope is not RunScope.MACHINE:
        yield details
        return
    unit = service or (details.processes[0].unit if part.units else None)
    if part.program is None or part.uid is not None:
        yield _alone(details, part, unit)
        return
    groups = dict.fromkeys(_group(process) for process in details.processes)
    for group in groups:
        theirs = tuple(each for each in details.processes if _group(each) == group)
        yield _alone(_of(details, theirs) if len(groups) > 1 else details, part, unit)


def _group(process: ProcessRecord) -> int:
    """Tell people apart; all that is the system's stands together."""
    return process.uid if is_person(process.uid) else 0


def _of(details: RunDetails, processes: tuple[ProcessRecord, ...]) -> RunDetails:
    """Leave of a run what some of its processes did."""
    theirs = frozenset(process.id for process in processes)
    paths = (
        queries.with_accesses(path, tuple(a for a in path.accesses if a.process in theirs))
        for path in details.paths
    )
    return replace(
        details, processes=processes, paths=tuple(path for path in paths if path.accesses)
    )


def _alone(details: RunDetails, part: Part, service: str | None) -> RunDetails:
    """Give a part the row of a run that recorded nothing else."""
    main = next(
        (each for each in details.processes if part.program in names_of(each.exe, each.argv)),
        details.processes[0],
    )
    program = part.program or program_name(main.exe)
    run = replace(
        details.run,
        program=program.rpartition(b"/")[2],
        argv=main.argv or (program,),
        cwd=main.cwd,
        user=user_name(main.uid),
        uid=main.uid,
        service=service,
    )
    return replace(details, run=run)


def _of_everything(engine: Engine, number: int) -> str:
    """Say that a run is of the whole machine, and what of it could be asked for."""
    changing = [part for part in counts(engine, number) if part.changed]
    programs = dict.fromkeys(part.program for part in changing if part.unit is None)
    units = dict.fromkeys(
        part.unit for part in changing if part.unit is not None and part.unit.endswith(".service")
    )
    shown = [each.decode(errors="backslashreplace") for each in [*programs][:_EXAMPLES]]
    shown += [f"--unit {unit}" for unit in [*units][:_EXAMPLES]]
    examples = f" ({', '.join(shown)})" if shown else ""
    return (
        f"run {number} is of the whole machine: name a program, or a unit with --unit{examples}; "
        f"imptrace runs --parts {number} lists them"
    )
