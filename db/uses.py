"""Questions across runs: what a program touches, and who touches a path."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, or_, select

from imptrace.db.codes import DONE_CODES, OP_CODES, OPS
from imptrace.db.effect import effect_on
from imptrace.db.models import (
    PROCESS_OF_ACCESS,
    AccessTable,
    FileStateTable,
    PathTable,
    ProcessTable,
    RunTable,
)
from imptrace.db.parts import machine_runs
from imptrace.db.queries import nearest
from imptrace.db.read_run import ACCESS_COLUMNS, AnyRow, processes_of_run
from imptrace.db.records import (
    WHOLE,
    Accesses,
    AccessRecord,
    OtherPrograms,
    Part,
    PathUse,
    best_outcome,
    count_calls,
)
from imptrace.db.rows import UNKNOWN, Sides, access_record, joined
from imptrace.db.statements import CHUNK, chunks
from imptrace.errors import UsageError
from imptrace.facts.paths import bounds_of_below
from imptrace.facts.patterns import is_called
from imptrace.facts.programs import program_name
from imptrace.facts.units import unit_patterns
from imptrace.tracer.events import CHANGES, Op

_Place = tuple[int, int]
"""Run, path id."""


def program_uses(engine: Engine, program: str, part: Part = WHOLE) -> list[PathUse]:
    """Return what a program touched in all runs, by path, then run.

    `program` is a base name, or the path of an executable. To a program belong the processes that
    execute it, and all processes of the runs that were asked to run it: its helpers. Of `part`
    unit and user count.
    Raises UsageError, with the nearest name there is, if it was never recorded.
    """
    with engine.connect() as connection:
        processes = _processes(connection, program, part)
        runs = sorted({run for run, _ in processes})
        rows = (
            row
            for run in runs
            for row in connection.execute(_ACCESSES.where(AccessTable.run_id == run))
            if (row.run_id, row.process_id) in processes
        )
        return _uses(connection, rows)


def path_uses(engine: Engine, path: bytes, part: Part = WHOLE) -> list[PathUse]:
    """Return who touched a path or anything below it, by path, then run. `path` is absolute.

    Of `part` unit and user count.
    """
    with engine.connect() as connection:
        rows = connection.execute(_ACCESSES.where(at_or_below(path), *_of_part(connection, part)))
        return _uses(connection, rows)


def at_or_below(path: bytes) -> ColumnElement[bool]:
    """Say that a path is this one, or lies below it."""
    first, end = bounds_of_below(path)
    below = and_(PathTable.name >= first, PathTable.name < end)
    return or_(PathTable.name == (path.rstrip(b"/") or b"/"), below)


_ACCESSES = (
    select(*ACCESS_COLUMNS, AccessTable.run_id, ProcessTable.exe)
    .select_from(AccessTable)
    .join(PathTable, PathTable.id == AccessTable.path_id)
    .join(ProcessTable, PROCESS_OF_ACCESS)
)


def _of_part(connection: Connection, part: Part) -> list[ColumnElement[bool]]:
    """Say which processes are of a part, whatever they run."""
    wanted: list[ColumnElement[bool]] = []
    if part.uid is not None:
        wanted.append(ProcessTable.uid == part.uid)
    if part.units:
        patterns = unit_patterns(part.units)
        known = connection.scalars(select(ProcessTable.unit).distinct())
        wanted.append(
            ProcessTable.unit.in_([unit for unit in known if unit and is_called(unit, patterns)])
        )
    return wanted


def _processes(connection: Connection, program: str, part: Part) -> set[tuple[int, int]]:
    """Find the processes, by run and id, that belong to a program."""
    wanted = program.encode(errors="surrogateescape")
    names = {
        exe: program_name(exe) for exe in connection.scalars(select(ProcessTable.exe).distinct())
    }
    in_machine_runs = _in_machine_runs(connection, wanted)
    exes = [exe for exe, name in names.items() if wanted in (exe, name, exe.rpartition(b"/")[2])]
    runs = connection.scalars(select(RunTable.id).where(RunTable.program == wanted)).all()
    if not exes and not runs and not in_machine_runs:
        known = [name.decode(errors="backslashreplace") for name in names.values()]
        raise UsageError(
            f"no program called {program!r} was recorded; "
            f"{nearest(program, known)}imptrace runs lists what was"
        )
    belonging = or_(ProcessTable.exe.in_(exes), ProcessTable.run_id.in_(runs))
    of_them = select(ProcessTable.run_id, ProcessTable.id).where(belonging)
    found = {(run, number) for run, number in connection.execute(of_them)}
    found |= in_machine_runs
    if not part:
        return found
    of_part = select(ProcessTable.run_id, ProcessTable.id).where(*_of_part(connection, part))
    return found & {(run, number) for run, number in connection.execute(of_part)}


def _in_machine_runs(connection: Connection, program: bytes) -> set[tuple[int, int]]:
    """Find a program with its helpers in the runs of the whole machine."""
    return {
        (run, process.id)
        for run in machine_runs(connection)
        for process in processes_of_run(connection, run, Part(program=program))
    }


def _uses(connection: Connection, rows: Iterable[Any]) -> list[PathUse]:
    names: dict[int, bytes] = {}
    accesses: dict[tuple[_Place, bytes], list[AccessRecord]] = {}
    for row in rows:
        names[row.path_id] = row.name
        key = ((row.run_id, row.path_id), row.exe)
        accesses.setdefault(key, []).append(access_record(row, names))
    changed = {
        place for (place, _), found in accesses.items() if any(a.op in CHANGES for a in found)
    }
    states = _states(connection, changed)
    uses = [
        _use(place[0], names[place[1]], exe, found, states.get(place, UNKNOWN))
        for (place, exe), found in accesses.items()
    ]
    return sorted(uses, key=lambda use: (use.path, use.run, use.exe))


def _states(connection: Connection, places: Iterable[_Place]) -> dict[_Place, Sides]:
    by_run: dict[int, list[int]] = {}
    for run, path_id in places:
        by_run.setdefault(run, []).append(path_id)
    states: dict[_Place, Sides] = {}
    for run, path_ids in by_run.items():
        for row in _state_rows(connection, run, path_ids):
            place = (run, row.path_id)
            states[place] = joined(states.get(place, UNKNOWN), row)
    return states


def _state_rows(connection: Connection, run: int, path_ids: list[int]) -> Iterator[AnyRow]:
    of_run = select(FileStateTable.__table__).where(FileStateTable.run_id == run)
    for chunk in chunks(path_ids, CHUNK):
        yield from connection.execute(of_run.where(FileStateTable.path_id.in_(chunk)))


def _use(run: int, path: bytes, exe: bytes, accesses: list[AccessRecord], sides: Sides) -> PathUse:
    return PathUse(
        path=path,
        run=run,
        program=program_name(exe),
        exe=exe,
        ops=count_calls(accesses),
        outcome=best_outcome(accesses),
        effect=effect_on(path, *sides, Accesses(accesses)),
    )


_LOOKS = [OP_CODES[Op.STAT], OP_CODES[Op.CONNECT]]
_USED = (
    select(
        PathTable.name,
        ProcessTable.exe,
        AccessTable.op,
        AccessTable.run_id,
        AccessTable.process_id,
    )
    .join(AccessTable, AccessTable.path_id == PathTable.id)
    .join(ProcessTable, PROCESS_OF_ACCESS)
    .where(AccessTable.outcome.in_(DONE_CODES), AccessTable.op.not_in(_LOOKS))
    .distinct()
)


def other_programs(
    engine: Engine,
    paths: Iterable[bytes],
    *,
    runs: Collection[int],
    programs: Collection[bytes],
    processes: Collection[tuple[int, int]] = frozenset(),
) -> dict[bytes, OtherPrograms]:
    """Which programs used any of `paths` in runs other than `runs`; those in `programs` left out.

    `processes`, by run and id, are left out as well.

    Only accesses that succeeded count, and looking is no use. Paths without any are left out.
    """
    readers: dict[bytes, set[bytes]] = {}
    writers: dict[bytes, set[bytes]] = {}
    with engine.connect() as connection:
        if connection.scalar(select(RunTable.id).where(RunTable.id.not_in(runs)).limit(1)) is None:
            return {}
        for chunk in chunks(sorted(paths), CHUNK):
            used = _USED.where(PathTable.name.in_(chunk), AccessTable.run_id.not_in(runs))
            for name, exe, op, *process in connection.execute(used):
                program = program_name(exe)
                if program not in programs and tuple(process) not in processes:
                    uses = writers if OPS[op].changes else readers
                    uses.setdefault(name, set()).add(program)
    return {
        path: OtherPrograms(
            readers=tuple(sorted(readers.get(path, ()))),
            writers=tuple(sorted(writers.get(path, ()))),
        )
        for path in readers.keys() | writers.keys()
    }
