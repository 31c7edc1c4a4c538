"""Questions about runs, answered with the records of imptrace.db.records."""

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Select,
    Subquery,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    true,
)

from imptrace.db.codes import (
    AFTER,
    BEFORE,
    FILE_TYPE_CODES,
    OP_CODES,
    OUTCOME_CODES,
    unpack_strings,
)
from imptrace.db.effect import MADE_UP, effect_of, judged
from imptrace.db.location import elsewhere
from imptrace.db.models import (
    AccessTable,
    Base,
    FileStateTable,
    GapTable,
    MountNameTable,
    MountTable,
    PathTable,
    ProcessTable,
    RunTable,
)
from imptrace.db.parts import belonging, shown_name
from imptrace.db.read_run import (
    UNKNOWN,
    accesses_by_path,
    path_record,
    paths_of_run,
    processes_of_run,
    run_records,
    states_by_path,
)
from imptrace.db.records import (
    MAYBE_DONE,
    WHOLE,
    Accesses,
    AccessRecord,
    Detail,
    Effect,
    Part,
    PathRecord,
    Pause,
    ProcessRecord,
    RunDetails,
    RunRecord,
    RunStatus,
)
from imptrace.db.store import CHUNK, chunks
from imptrace.errors import UsageError
from imptrace.facts.patterns import is_called
from imptrace.facts.programs import names_of, program_name
from imptrace.facts.units import unit_patterns
from imptrace.tracer import events
from imptrace.tracer.events import CHANGES, CONTENT_OPS, FileType

LATEST = "latest"

_LARGEST_ID = (1 << 63) - 1


def runs(engine: Engine) -> list[RunRecord]:
    """All runs, oldest first."""
    with engine.connect() as connection:
        return run_records(connection, true())


_ALIKE = 0.75
"""From here on a name may be another one, misspelled."""


def resolve_run(engine: Engine, text: str, known: Iterable[str] = ()) -> int:
    """Find the run that `text` names: an id, a label, a program (its newest run), or `latest`.

    Raises UsageError, with the nearest name there is, if nothing is called so. `known`: names
    that the caller understands besides.
    """
    newest = select(RunTable.id).order_by(RunTable.id.desc()).limit(1)
    candidates = [
        newest.where(RunTable.label == text),
        newest.where(RunTable.program == text.encode(errors="surrogateescape")),
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


def run_names(engine: Engine) -> list[str]:
    """Return the names that runs can be asked for by: `latest`, labels, programs."""
    with engine.connect() as connection:
        return _run_names(connection)


def _run_names(connection: Connection) -> list[str]:
    names = {LATEST: None}
    newest_first = select(RunTable.label, RunTable.program).order_by(RunTable.id.desc())
    for label, program in connection.execute(newest_first):
        names[program.decode(errors="backslashreplace")] = None
        if label is not None:
            names[label] = None
    return list(names)


def _no_such_run(connection: Connection, text: str, known: Iterable[str]) -> str:
    if text == LATEST:
        return "no run is stored yet; imptrace run PROGRAM makes one"
    near = nearest(text, [*_run_names(connection), *known])
    return f"no run is called {text!r}; {near}imptrace runs lists them"


_ABSENT = FILE_TYPE_CODES[FileType.ABSENT]
_DIRECTORY = FILE_TYPE_CODES[FileType.DIRECTORY]
_CHANGES = [OP_CODES[op] for op in CHANGES]
_AFTER_SLASH = bytes([ord("/") + 1])

_before = FileStateTable.__table__.alias()
_after = FileStateTable.__table__.alias()


def effects(connection: Connection, run_id: int) -> Counter[Effect | None]:
    """Count the distinct paths of a run by effect; None counts those only read."""
    made_up = _made_up(run_id)
    asked = _asked(run_id, made_up)
    counts: Counter[Effect | None] = Counter()
    in_run = select(func.count(AccessTable.path_id.distinct())).where(AccessTable.run_id == run_id)
    changes = select(func.count()).select_from(asked)
    counts[Effect.UNCHANGED] = connection.scalars(
        select(func.count()).select_from(made_up.subquery())
    ).one()
    counts[None] = connection.scalars(in_run).one() - connection.scalars(changes).one()
    counts[None] -= counts[Effect.UNCHANGED]
    for row in connection.execute(_differences(asked, run_id)):
        found = row._asdict()
        count = found.pop("paths")
        counts[judged(**{name: bool(value) for name, value in found.items()})] += count
    _count_unclear(connection, run_id, asked, counts)
    return counts


def _made_up(run_id: int) -> Select[Any]:
    """Select the paths of which a change was asked for that the kernel makes up."""
    within = [
        and_(PathTable.name >= top, PathTable.name < top[:-1] + _AFTER_SLASH) for top in MADE_UP
    ]
    return (
        select(AccessTable.path_id)
        .distinct()
        .join(PathTable, PathTable.id == AccessTable.path_id)
        .where(AccessTable.run_id == run_id, AccessTable.op.in_(_CHANGES), or_(*within))
    )


def _asked(run_id: int, besides: Select[Any]) -> Subquery:
    """Select the paths of which a change was asked for; whether one was done, and written."""
    done = AccessTable.outcome.in_([OUTCOME_CODES[outcome] for outcome in MAYBE_DONE])
    written = and_(done, AccessTable.op.in_([OP_CODES[op] for op in CONTENT_OPS]))
    return (
        select(AccessTable.path_id, _any(done).label("done"), _any(written).label("written"))
        .where(
            AccessTable.run_id == run_id,
            AccessTable.op.in_(_CHANGES),
            AccessTable.path_id.not_in(besides),
        )
        .group_by(AccessTable.path_id)
        .subquery()
    )


def _any(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.max(case((condition, 1), else_=0))


def _differences(asked: Subquery, run_id: int) -> Select[Any]:
    """Select all that `judged` asks, and how many paths have it so."""
    facts = {
        "was_there": _before.c.type != _ABSENT,
        "is_there": _after.c.type != _ABSENT,
        "directories": and_(_before.c.type == _DIRECTORY, _after.c.type == _DIRECTORY),
        "same_object": _equal("type", "inode", "mode", "uid", "gid"),
        "same_content": _equal("size", "mtime_ns"),
        "same_ctime": _equal("ctime_ns"),
    }
    groups = [asked.c.done, asked.c.written]
    groups += [case((fact, 1), else_=0).label(name) for name, fact in facts.items()]
    return (
        select(*groups, func.count().label("paths"))
        .select_from(asked)
        .join(_before, _state_of(_before, asked, run_id, BEFORE))
        .join(_after, _state_of(_after, asked, run_id, AFTER))
        .group_by(*(column.name for column in groups))
    )


def _equal(*columns: str) -> ColumnElement[bool]:
    return and_(*(_before.c[column] == _after.c[column] for column in columns))


def _state_of(state: FromClause, asked: Subquery, run_id: int, moment: int) -> ColumnElement[bool]:
    of_path = state.c.path_id == asked.c.path_id
    return and_(state.c.run_id == run_id, of_path, state.c.moment == moment)


def _count_unclear(
    connection: Connection, run_id: int, asked: Subquery, counts: Counter[Effect | None]
) -> None:
    """Count the paths of which a state is missing: there the accesses must tell."""
    unclear = (
        select(asked.c.path_id)
        .outerjoin(_before, _state_of(_before, asked, run_id, BEFORE))
        .outerjoin(_after, _state_of(_after, asked, run_id, AFTER))
        .where(or_(_before.c.type.is_(None), _after.c.type.is_(None)))
    )
    for chunk in chunks(connection.scalars(unclear).all(), CHUNK):
        accesses = accesses_by_path(connection, run_id, AccessTable.path_id.in_(chunk))
        states = states_by_path(connection, run_id, FileStateTable.path_id.in_(chunk))
        for path_id in chunk:
            before, after = states.get(path_id, UNKNOWN)
            counts[effect_of(before, after, accesses[path_id])] += 1


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
