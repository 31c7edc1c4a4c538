"""All paths of one run, from its rows: tens of thousands of paths, hundreds of thousands of rows.

Most of them were treated like thousands of others. What was done to such paths is read once, and
only their names, their states and the times of the calls are their own.
"""

import platform
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, Row, and_, select, true

from imptrace.db import models
from imptrace.db.codes import (
    AFTER,
    BEFORE,
    CHANGE_CODES,
    FILE_TYPE_CODES,
    OP_CODES,
    SCOPES,
    STATUS_COMPLETE,
    unpack_environ,
    unpack_strings,
)
from imptrace.db.effect import effect_on
from imptrace.db.liveness import RecorderIdentity, is_gone
from imptrace.db.models import AccessTable, PathTable
from imptrace.db.parts import belonging
from imptrace.db.records import (
    WHOLE,
    Accesses,
    Detail,
    Part,
    PathRecord,
    ProcessRecord,
    RunRecord,
    RunStatus,
)
from imptrace.db.rows import UNKNOWN, Sides, access_record, joined
from imptrace.facts.paths import bounds_of_below
from imptrace.tracer.events import ABSENT, FileType, Op

AnyRow = Row[Any]

_ABSENT = FILE_TYPE_CODES[FileType.ABSENT]


def run_records(connection: Connection, condition: ColumnElement[bool]) -> list[RunRecord]:
    """Read runs, oldest first; whether their recorders still live is asked now."""
    runs, facts, told = models.RunTable.__table__, models.UnitPropertyTable, models.WarningTable
    properties: dict[int, dict[str, str]] = {}
    warnings: dict[int, list[tuple[str, str]]] = {}
    of_them = select(models.RunTable.id).where(condition)
    for run, name, value in connection.execute(
        select(facts.run_id, facts.name, facts.value).where(facts.run_id.in_(of_them))
    ):
        properties.setdefault(run, {})[name] = value
    in_order = select(told.run_id, told.code, told.text).order_by(told.run_id, told.position)
    for run, code, text in connection.execute(in_order.where(told.run_id.in_(of_them))):
        warnings.setdefault(run, []).append((code, text))
    rows = connection.execute(select(runs).where(condition).order_by(models.RunTable.id))
    return [_run_record(row, properties.get(row.id, {}), warnings.get(row.id, ())) for row in rows]


def _run_record(
    row: AnyRow, properties: Mapping[str, str], warnings: Iterable[tuple[str, str]]
) -> RunRecord:
    status = _status(row)
    plain = {name: getattr(row, name) for name in _RUN_FIELDS}
    return RunRecord(
        **plain
        | {
            "argv": unpack_strings(row.argv),
            # Of a run that lasts it is the last time that it was known to be recorded.
            "ended_ns": None if status is RunStatus.RECORDING else row.ended_ns,
            "status": status,
            "scope": SCOPES[row.scope],
            "properties": properties,
            "warnings": tuple(warnings),
        }
    )


_RUN_FIELDS = {each.name for each in fields(RunRecord)} & {
    *models.RunTable.__table__.columns.keys()
}
"""What is read as it is stored, but for a few."""


def _status(row: AnyRow) -> RunStatus:
    if row.status == STATUS_COMPLETE:
        return RunStatus.COMPLETE
    recorder = RecorderIdentity(row.recorder_pid, row.recorder_started, row.boot_id)
    if is_gone(recorder, same_host=row.host == platform.node()):
        return RunStatus.INTERRUPTED
    return RunStatus.RECORDING


def processes_of_run(
    connection: Connection, run_id: int, part: Part = WHOLE
) -> tuple[ProcessRecord, ...]:
    """Read the processes of a run, or of a part of it, in the order in which they began."""
    process = models.ProcessTable
    of_run = select(process.__table__).where(process.run_id == run_id).order_by(process.id)
    found = tuple(map(_process_record, connection.execute(of_run)))
    return tuple(belonging(found, part)) if part else found


def _process_record(row: AnyRow) -> ProcessRecord:
    return ProcessRecord(
        id=row.id,
        run=row.run_id,
        pid=row.pid,
        parent=row.parent,
        previous=row.previous,
        exe=row.exe,
        argv=unpack_strings(row.argv),
        cwd=row.cwd,
        uid=row.uid,
        gid=row.gid,
        cgroup=row.cgroup,
        unit=row.unit,
        environ=unpack_environ(row.environ),
        started=row.started,
        ended=row.ended,
        status=row.status,
    )


# A run may have a million accesses: what follows takes rows apart by position, which is several
# times faster than by name. Of states the order is that of the table.

ACCESS_COLUMNS = (
    AccessTable.path_id,
    PathTable.name,
    AccessTable.first,
    AccessTable.last,
    AccessTable.process_id,
    AccessTable.op,
    AccessTable.count,
    AccessTable.outcome,
    AccessTable.errno,
    AccessTable.flags,
    AccessTable.to_id,
    AccessTable.from_id,
)
"""What `access_record` reads, of Access joined with Path."""
WHAT_WAS_DONE = slice(4, len(ACCESS_COLUMNS))
"""Those of the columns that can be the same for many paths."""


def path_record(run_id: int, path: bytes, accesses: Accesses, sides: Sides) -> PathRecord:
    """Put together what one run knows about one path."""
    before, after = sides
    effect = effect_on(path, before, after, accesses)
    return PathRecord(run_id, path, accesses, before, after, effect)


_ROWS = 2000
_FEW_PROCESSES = 500
"""Below every database's limit of bound parameters."""
_PROCESS = ACCESS_COLUMNS.index(AccessTable.process_id)
_NOTHING: dict[int, Sides] = {BEFORE: (ABSENT, None), AFTER: (None, ABSENT)}
_NEVER_THERE: Sides = (ABSENT, ABSENT)

Cells = Sequence[Any]


def paths_of_run(
    connection: Connection, run_id: int, detail: Detail, processes: Collection[int] | None = None
) -> Iterator[PathRecord]:
    """Read the paths of a run, sorted; `processes`: only what these did, to theirs."""
    wanted = _wanted(run_id, detail)
    if processes is None:
        rows = _rows_by_path(connection, run_id, wanted)
    elif len(processes) <= _FEW_PROCESSES:
        theirs = AccessTable.process_id.in_(processes)
        rows = _rows_by_path(connection, run_id, and_(wanted, theirs))
    else:
        rows = _of_processes(_rows_by_path(connection, run_id, wanted), frozenset(processes))
    names: dict[int, bytes] = {path_id: of_path[0][1] for path_id, of_path in rows.items()}
    states = _states_by_path(connection, run_id)
    accesses_of = _reader(names, detail)
    for path_id in sorted(names, key=names.__getitem__):
        sides = states.get(path_id, UNKNOWN)
        accesses = accesses_of(rows[path_id], sides)
        yield path_record(run_id, names[path_id], accesses, sides)


def _of_processes(
    rows: Mapping[int, list[Cells]], processes: frozenset[int]
) -> dict[int, list[Cells]]:
    kept = {
        path_id: [row for row in of_path if row[_PROCESS] in processes]
        for path_id, of_path in rows.items()
    }
    return {path_id: of_path for path_id, of_path in kept.items() if of_path}


def _states_by_path(connection: Connection, run_id: int) -> dict[int, Sides]:
    """Read the states of a run's paths by path id."""
    table = models.FileStateTable.__table__
    of_run = models.FileStateTable.run_id == run_id
    # Most that a run leaves was not there before: that alone needs no row of fourteen columns.
    absent = select(models.FileStateTable.path_id, models.FileStateTable.moment).where(
        of_run, models.FileStateTable.type == _ABSENT
    )
    states: dict[int, Sides] = {}
    for path_id, moment in _rows(connection, absent):
        states[path_id] = _NOTHING[moment] if path_id not in states else _NEVER_THERE
    there = select(table).where(of_run, models.FileStateTable.type != _ABSENT)
    for row in _rows(connection, there):
        path_id = row[1]
        states[path_id] = joined(states.get(path_id, UNKNOWN), row)
    return states


def _wanted(run_id: int, detail: Detail) -> ColumnElement[bool]:
    """Choose the accesses of the paths that are to be read."""
    of_run = select(AccessTable.path_id).where(AccessTable.run_id == run_id)
    match detail:
        case Detail.EXACT | Detail.TIMELESS:
            return true()
        case Detail.CHANGES:
            return AccessTable.path_id.in_(of_run.where(AccessTable.op.in_(CHANGE_CODES)))
        case Detail.DECISIVE:
            executed = OP_CODES[Op.EXEC]
            first, end = bounds_of_below(b"/etc")
            configured = select(PathTable.id).where(PathTable.name >= first, PathTable.name < end)
            telling = of_run.where(AccessTable.op.in_([*CHANGE_CODES, executed]))
            return AccessTable.path_id.in_(telling.union_all(configured))


def _reader(
    names: Mapping[int, bytes], detail: Detail
) -> Callable[[Sequence[Cells], Sides], Accesses]:
    """Make what reads the rows of one path after the other.

    Those that differ in their times alone are made once, but where the times are wanted.
    """
    alike: dict[tuple[Cells, ...], Accesses] = {}

    def made(rows: Iterable[Cells]) -> Accesses:
        return Accesses([access_record(row, names) for row in rows])

    def read(rows: Sequence[Cells], sides: Sides) -> Accesses:
        key = tuple([row[WHAT_WAS_DONE] for row in rows])
        accesses = alike.get(key)
        if accesses is None:
            accesses = alike[key] = made([(None, None, 0, 0, *row) for row in key])
        if accesses.ask_for_change and None in sides:
            # Where nobody looked at a path, the times of its changes tell what became of it.
            return made(rows)
        return accesses

    return (lambda rows, _: made(rows)) if detail is Detail.EXACT else read


def _rows_by_path(
    connection: Connection, run_id: int, condition: ColumnElement[bool]
) -> dict[int, list[Cells]]:
    rows: dict[int, list[Cells]] = {}
    of_run = (
        select(*ACCESS_COLUMNS)
        .join(PathTable, PathTable.id == AccessTable.path_id)
        .where(AccessTable.run_id == run_id, condition)
    )
    for row in _rows(connection, of_run.order_by(AccessTable.first)):
        rows.setdefault(row[0], []).append(row)
    return rows


def _rows(connection: Connection, statement: Executable) -> Iterator[Cells]:
    """Read many rows, thousands at once: one by one takes twice as long."""
    return chain.from_iterable(connection.execute(statement).partitions(_ROWS))
