"""All paths of one run, from its rows: tens of thousands of paths, hundreds of thousands of rows.

Most of them were treated like thousands of others. What was done to such paths is read once, and
only their names, their states and the times of the calls are their own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, and_, select, true

from imptrace.db.codes import AFTER, BEFORE, FILE_TYPE_CODES, OP_CODES
from imptrace.db.models import Access, FileState, Path
from imptrace.db.records import AccessRecord, Detail, PathRecord
from imptrace.db.rows import (
    ACCESS_COLUMNS,
    WHAT_WAS_DONE,
    Deeds,
    States,
    access_record,
    deeds_of,
    path_record,
)
from imptrace.tracer.events import ABSENT, CHANGES, FileType, Op

_ROWS = 2000
_NO_STATES = States()
_NOTHING = {BEFORE: States(before=ABSENT), AFTER: States(after=ABSENT)}
_NEVER_THERE = States(before=ABSENT, after=ABSENT)
_ABSENT = FILE_TYPE_CODES[FileType.ABSENT]

Row = Sequence[Any]


def paths_of_run(connection: Connection, run_id: int, detail: Detail) -> Iterator[PathRecord]:
    """Read the paths of a run, sorted."""
    rows = _rows_by_path(connection, run_id, _wanted(run_id, detail))
    names: dict[int, bytes] = {path_id: of_path[0][1] for path_id, of_path in rows.items()}
    states = states_by_path(connection, run_id)
    deeds = _Deeds(names, detail)
    for path_id in sorted(names, key=names.__getitem__):
        state = states.get(path_id, _NO_STATES)
        done = deeds.of(rows[path_id], state)
        yield path_record(run_id, names[path_id], done, state)


def accesses_by_path(
    connection: Connection, run_id: int, condition: ColumnElement[bool]
) -> dict[int, list[AccessRecord]]:
    """Read accesses of a run by path id, each path's in order of time; without other names."""
    found = _rows_by_path(connection, run_id, condition)
    no_names = MappingProxyType[int, bytes]({})
    return {
        path_id: [access_record(row, no_names) for row in rows] for path_id, rows in found.items()
    }


def states_by_path(
    connection: Connection, run_id: int, condition: ColumnElement[bool] | None = None
) -> dict[int, States]:
    """Read the states of a run's paths by path id."""
    table = FileState.__table__
    of_run = FileState.run_id == run_id
    if condition is not None:
        of_run = and_(of_run, condition)
    # Most that a run leaves was not there before: that alone needs no row of fourteen columns.
    absent = select(FileState.path_id, FileState.moment).where(of_run, FileState.type == _ABSENT)
    states: dict[int, States] = {}
    for path_id, moment in _rows(connection, absent):
        states[path_id] = _NOTHING[moment] if path_id not in states else _NEVER_THERE
    there = select(table).where(of_run, FileState.type != _ABSENT)
    for row in _rows(connection, there):
        path_id = row[1]
        states[path_id] = states.get(path_id, _NO_STATES).joined(row)
    return states


def _wanted(run_id: int, detail: Detail) -> ColumnElement[bool]:
    """Choose the accesses of the paths that are to be read."""
    of_run = select(Access.path_id).where(Access.run_id == run_id)
    changes = [OP_CODES[op] for op in CHANGES]
    match detail:
        case Detail.EXACT | Detail.TIMELESS:
            return true()
        case Detail.CHANGES:
            return Access.path_id.in_(of_run.where(Access.op.in_(changes)))
        case Detail.DECISIVE:
            executed = OP_CODES[Op.EXEC]
            # "0" is the byte after "/": the range of the index that holds all that is below.
            configured = select(Path.id).where(Path.name >= b"/etc/", Path.name < b"/etc0")
            telling = of_run.where(Access.op.in_([*changes, executed]))
            return Access.path_id.in_(telling.union_all(configured))


class _Deeds:
    """Makes the accesses of paths; those that differ in their times alone are made once."""

    def __init__(self, names: Mapping[int, bytes], detail: Detail) -> None:
        self._names = names
        self._is_exact = detail is Detail.EXACT
        self._alike: dict[tuple[Row, ...], Deeds] = {}

    def of(self, rows: Sequence[Row], states: States) -> Deeds:
        """Read the rows of one path."""
        if self._is_exact:
            return self._made(rows)
        key = tuple([row[WHAT_WAS_DONE] for row in rows])
        deeds = self._alike.get(key)
        if deeds is None:
            deeds = self._alike[key] = self._made([(None, None, 0, 0, *row) for row in key])
        if deeds.asked.change and (states.before is None or states.after is None):
            # Where nobody looked at a path, the times of its changes tell what became of it.
            return self._made(rows)
        return deeds

    def _made(self, rows: Iterable[Row]) -> Deeds:
        return deeds_of(tuple([access_record(row, self._names) for row in rows]))


def _rows_by_path(
    connection: Connection, run_id: int, condition: ColumnElement[bool]
) -> dict[int, list[Row]]:
    rows: dict[int, list[Row]] = {}
    of_run = (
        select(*ACCESS_COLUMNS)
        .join(Path, Path.id == Access.path_id)
        .where(Access.run_id == run_id, condition)
    )
    for row in _rows(connection, of_run.order_by(Access.first)):
        rows.setdefault(row[0], []).append(row)
    return rows


def _rows(connection: Connection, statement: Executable) -> Iterator[Row]:
    """Read many rows, thousands at once: one by one takes twice as long."""
    return chain.from_iterable(connection.execute(statement).partitions(_ROWS))
