"""How many paths of a run had which effect, counted where the rows are.

A run may have changed hundreds of thousands of paths: the database compares the states of each and
adds up equal differences, and what each difference means is judged here.
"""

from collections import Counter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Subquery,
    and_,
    case,
    func,
    or_,
    select,
)

from imptrace.db.bulk import CHUNK, chunks
from imptrace.db.codes import AFTER, BEFORE, FILE_TYPE_CODES, OP_CODES, OUTCOME_CODES
from imptrace.db.effect import Difference, effect_of, judged
from imptrace.db.models import Access, FileState
from imptrace.db.read_run import accesses_by_path, states_by_path
from imptrace.db.records import MAYBE_DONE, Effect
from imptrace.db.rows import States
from imptrace.tracer.events import CHANGES, CONTENT_OPS, FileType

_ABSENT = FILE_TYPE_CODES[FileType.ABSENT]
_DIRECTORY = FILE_TYPE_CODES[FileType.DIRECTORY]

_before = FileState.__table__.alias()
_after = FileState.__table__.alias()


def effects(connection: Connection, run_id: int) -> Counter[Effect | None]:
    """Count the distinct paths of a run by effect; None counts those only read."""
    asked = _asked(run_id)
    counts: Counter[Effect | None] = Counter()
    in_run = select(func.count(Access.path_id.distinct())).where(Access.run_id == run_id)
    changes = select(func.count()).select_from(asked)
    counts[None] = connection.scalars(in_run).one() - connection.scalars(changes).one()
    for row in connection.execute(_differences(asked, run_id)):
        done, written, *same, count = row
        difference = Difference(*map(bool, same))
        counts[judged(difference, done=bool(done), written=bool(written))] += count
    _count_unclear(connection, run_id, asked, counts)
    return counts


def _asked(run_id: int) -> Subquery:
    """Select the paths of which a change was asked for; whether one was done, and written."""
    done = Access.outcome.in_([OUTCOME_CODES[outcome] for outcome in MAYBE_DONE])
    written = and_(done, Access.op.in_([OP_CODES[op] for op in CONTENT_OPS]))
    return (
        select(Access.path_id, _any(done).label("done"), _any(written).label("written"))
        .where(Access.run_id == run_id, Access.op.in_([OP_CODES[op] for op in CHANGES]))
        .group_by(Access.path_id)
        .subquery()
    )


def _any(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.max(case((condition, 1), else_=0))


def _differences(asked: Subquery, run_id: int) -> Select[Any]:
    """Select done, written, the fields of Difference, and how many paths have them all so."""
    facts = (
        _before.c.type != _ABSENT,
        _after.c.type != _ABSENT,
        and_(_before.c.type == _DIRECTORY, _after.c.type == _DIRECTORY),
        _equal("type", "inode", "mode", "uid", "gid"),
        _equal("size", "mtime_ns"),
        _equal("ctime_ns"),
    )
    groups = [asked.c.done, asked.c.written]
    groups += [case((fact, 1), else_=0).label(f"fact_{at}") for at, fact in enumerate(facts)]
    return (
        select(*groups, func.count())
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
        accesses = accesses_by_path(connection, run_id, Access.path_id.in_(chunk))
        states = states_by_path(connection, run_id, FileState.path_id.in_(chunk))
        for path_id in chunk:
            before, after, _, _ = states.get(path_id, States())
            counts[effect_of(before, after, accesses[path_id])] += 1
