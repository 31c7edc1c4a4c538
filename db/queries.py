"""Questions about runs, answered with the records of imptrace.db.records."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    delete,
    exists,
    func,
    select,
    true,
)

from imptrace.db.codes import (
    unpack_strings,
)
from imptrace.db.location import elsewhere
from imptrace.db.models import (
    AccessTable,
    Base,
    GapTable,
    MountNameTable,
    MountTable,
    PathTable,
    ProcessTable,
    RunTable,
)
from imptrace.db.names import run_names
from imptrace.db.parts import belonging, shown_name
from imptrace.db.read_run import (
    path_record,
    paths_of_run,
    processes_of_run,
    run_records,
)
from imptrace.db.records import (
    LATEST,
    WHOLE,
    Accesses,
    AccessRecord,
    Detail,
    Part,
    PathRecord,
    Pause,
    ProcessRecord,
    RunDetails,
    RunRecord,
    RunStatus,
)
from imptrace.db.statements import CHUNK, chunks
from imptrace.errors import UsageError
from imptrace.facts.patterns import is_called
from imptrace.facts.programs import names_of, program_name
from imptrace.facts.units import unit_patterns
from imptrace.tracer import events

_LARGEST_ID = (1 << 63) - 1


def runs(engine: Engine) -> list[RunRecord]:
    """All runs, oldest first."""
    with engine.connect() as connection:
        return run_records(connection, true())


_ALIKE = 0.75
"""From here on a name may be another one, misspelled."""


def resolve_run(engine: Engine, text: str, known: Iterable[str] = ()) -> int:
    """Find the run that `text` names: an id, a label, the newest of a program or service, `latest`.

    Raises UsageError, with the nearest name there is, if nothing is called so. `known`: names
    that the caller understands besides.
    """
    newest = select(RunTable.id).order_by(RunTable.id.desc()).limit(1)
    candidates = [
        newest.where(RunTable.label == text),
        newest.where(RunTable.program == text.encode(errors="surrogateescape")),
        newest.where(RunTable.service.in_((text, f"{text}.service"))),
    ]
    if text.isascii() and text.isdigit():
        candidates.insert(0, newest.where(RunTable.id == min(int(text), _LARGEST_ID)))
    if text == LATEST:
        candidates.append(newest)
    with engine.connect() as connection:
        for candidate in candidates:
            found = connection.scalar(candidate)
            if found is not None:
                return found
        raise UsageError(_no_such_run(connection, text, known) + elsewhere(engine.url.database))


def pauses(engine: Engine) -> list[Pause]:
    """List when nothing was recorded between runs of the whole machine, oldest first."""
    until = RunTable.started_ns + func.coalesce(GapTable.until, 0)
    with engine.connect() as connection:
        found = connection.execute(
            select(GapTable.run_id, RunTable.started_ns + GapTable.since, until)
            .join(RunTable, RunTable.id == GapTable.run_id)
            .where(GapTable.count == 0, GapTable.since.is_not(None))
            .order_by(GapTable.run_id, GapTable.position)
        )
        return [Pause(*row) for row in found]


def executed_programs(engine: Engine) -> set[bytes]:
    """Return the base names of all that was ever executed."""
    with engine.connect() as connection:
        return set(map(program_name, connection.scalars(select(ProcessTable.exe).distinct())))


def runs_executing(engine: Engine, programs: AbstractSet[bytes]) -> list[int]:
    """Ids of the runs, oldest first, in which one of `programs` (names) was executed."""
    with engine.connect() as connection:
        images = connection.execute(
            select(ProcessTable.run_id, ProcessTable.exe, ProcessTable.argv).distinct()
        )
        return sorted(
            {
                run
                for run, exe, argv in images
                if exe in programs or programs & set(names_of(exe, unpack_strings(argv)))
            }
        )


def run_details(
    engine: Engine, run_id: int, detail: Detail = Detail.EXACT, part: Part = WHOLE
) -> RunDetails:
    """Return a run, or a part of it, with its processes, paths and mounts.

    Raises UsageError if there is none.
    """
    with engine.connect() as connection:
        found = run_records(connection, RunTable.id == run_id)
        if not found:
            raise UsageError(f"there is no run {run_id}; imptrace runs lists them")
        processes = processes_of_run(connection, run_id, part)
        of_part = [process.id for process in processes] if part else None
        return RunDetails(
            run=found[0],
            processes=processes,
            paths=tuple(paths_of_run(connection, run_id, detail, of_part)),
            mounts=tuple(events.Mount(*row) for row in _listed(connection, MountTable, run_id)),
            mount_names=tuple(
                events.MountNamed(*row) for row in _listed(connection, MountNameTable, run_id)
            ),
            gaps=tuple(events.Lost(*row) for row in _listed(connection, GapTable, run_id)),
        )


def run_part(engine: Engine, run_id: int, part: Part, detail: Detail = Detail.EXACT) -> RunDetails:
    """Return a part of a run. Raises UsageError, with the nearest name, if nothing is in it."""
    details = run_details(engine, run_id, detail, part)
    if part and not details.processes:
        with engine.connect() as connection:
            everyone = processes_of_run(connection, run_id)
        raise UsageError(_no_such_part(everyone, run_id, part))
    return details


def _no_such_part(processes: Sequence[ProcessRecord], run_id: int, part: Part) -> str:
    """Say which of what was asked for is not there, or that it is not there together."""
    lists = f"imptrace runs --parts {run_id} lists what is"
    if part.units and not belonging(processes, Part(units=part.units)):
        known = {each.unit.removesuffix(".service") for each in processes if each.unit}
        asked = part.units[0].removesuffix(".service")
        return f"run {run_id} has nothing of a unit {asked!r}; {nearest(asked, known)}{lists}"
    if part.program is not None and not belonging(processes, Part(program=part.program)):
        programs = {shown_name(each.exe, each.argv) for each in processes}
        names = {each.decode(errors="backslashreplace") for each in programs}
        asked = part.program.decode(errors="backslashreplace")
        return f"run {run_id} has nothing of a program {asked!r}; {nearest(asked, names)}{lists}"
    if part.uid is not None and not belonging(processes, Part(uid=part.uid)):
        return f"run {run_id} has nothing of a user with the uid {part.uid}; {lists}"
    return f"run {run_id} has nothing of all this together; {lists}"


def runs_with(engine: Engine, part: Part) -> list[int]:
    """Find the runs, oldest first, that have something of a part without a program."""
    with engine.connect() as connection:
        seen = select(ProcessTable.run_id, ProcessTable.unit, ProcessTable.uid).distinct()
        units = unit_patterns(part.units)
        return sorted(
            {
                run
                for run, unit, uid in connection.execute(seen)
                if (part.uid is None or uid == part.uid)
                and (not units or (unit is not None and is_called(unit, units)))
            }
        )


def recorded_units(engine: Engine) -> set[str]:
    """Name the units whose processes were recorded."""
    with engine.connect() as connection:
        found = connection.scalars(select(ProcessTable.unit).distinct())
        return {unit for unit in found if unit is not None}


def with_accesses(path: PathRecord, accesses: tuple[AccessRecord, ...]) -> PathRecord:
    """Say of a path only what some accesses did to it."""
    return path_record(path.run, path.path, Accesses(accesses), (path.before, path.after))


def _listed(connection: Connection, table: type[Base], run_id: int) -> Iterator[tuple[Any, ...]]:
    """Read the rows of a run in a table that keeps their order, less run and position."""
    columns = table.__table__.c
    rows = select(table.__table__).where(columns.run_id == run_id).order_by(columns.position)
    return (tuple(row[2:]) for row in connection.execute(rows))


def count_paths(engine: Engine, run_id: int, processes: Sequence[int] | None = None) -> int:
    """Count the distinct paths that a run, or some of its processes, saw."""
    with engine.connect() as connection:
        of_run = AccessTable.run_id == run_id
        if processes is None:
            counted = func.count(AccessTable.path_id.distinct())
            return connection.scalars(select(counted).where(of_run)).one()
        seen: set[int] = set()
        for chunk in chunks(processes, CHUNK):
            theirs = select(AccessTable.path_id).where(of_run, AccessTable.process_id.in_(chunk))
            seen.update(connection.scalars(theirs.distinct()))
        return len(seen)


def nearest(name: str, names: Iterable[str]) -> str:
    """Say which of `names` a mistyped one may stand for: `did you mean ...? `, or nothing."""
    near = difflib.get_close_matches(name, set(names), n=1, cutoff=_ALIKE)
    return f"did you mean {near[0]!r}? " if near else ""


def _no_such_run(connection: Connection, text: str, known: Iterable[str]) -> str:
    if text == LATEST:
        return "no run is stored yet; imptrace run PROGRAM makes one"
    columns = (RunTable.id, RunTable.program, RunTable.label, RunTable.service)
    stored = connection.execute(select(*columns).order_by(RunTable.id.desc()))
    rows = ((number, program, label, service) for number, program, label, service in stored)
    near = nearest(text, [*run_names(rows), *known])
    return f"no run is called {text!r}; {near}imptrace runs lists them"


def ended_before(engine: Engine, moment_ns: int, scope: events.RunScope) -> list[int]:
    """Find the runs of a scope that were over at a moment; killed ones by when they began."""
    return [
        run.id
        for run in runs(engine)
        if run.scope is scope
        and run.status is not RunStatus.RECORDING
        and (run.ended_ns or run.started_ns) < moment_ns
    ]


def delete_runs(engine: Engine, run_ids: Sequence[int]) -> None:
    """Remove runs with all that belongs to them, and the paths that no other run saw.

    All or none, in one transaction. Raises UsageError if one is still being recorded.
    """
    wanted = RunTable.id.in_(run_ids)
    with engine.begin() as connection:
        for run in run_records(connection, wanted):
            if run.status is RunStatus.RECORDING:
                raise UsageError(f"run {run.id} is still being recorded; end its program first")
        of_runs = select(AccessTable.path_id).where(AccessTable.run_id.in_(run_ids)).distinct()
        paths = connection.scalars(of_runs).all()
        connection.execute(delete(RunTable).where(wanted))
        unused = ~exists().where(AccessTable.path_id == PathTable.id)
        for start in range(0, len(paths), CHUNK):
            chunk = paths[start : start + CHUNK]
            connection.execute(delete(PathTable).where(PathTable.id.in_(chunk), unused))
