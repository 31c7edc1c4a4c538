"""Who changed what lies at or below a path, in all runs together."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Engine, and_, func, or_, select

from imptrace.db.codes import OP_CODES, OUTCOME_CODES
from imptrace.db.models import AccessTable, PathTable, ProcessTable, RunTable
from imptrace.db.queries import pauses
from imptrace.db.records import MAYBE_DONE
from imptrace.facts.programs import program_name
from imptrace.facts.units import unit_of
from imptrace.tracer.events import CHANGES, METADATA_OPS

_CHANGING = [OP_CODES[op] for op in CHANGES - METADATA_OPS]
"""Who only sets modes or times has written nothing."""
_DONE = [OUTCOME_CODES[outcome] for outcome in MAYBE_DONE]


class Changer(NamedTuple):
    """A program that changed paths, as one user and in one unit."""

    program: bytes
    unit: str | None
    uid: int
    paths: int
    last_ns: int
    """Wall clock."""


class LastUse(NamedTuple):
    """Who touched something last, however."""

    program: bytes
    at_ns: int


class Loss(NamedTuple):
    """A run whose recorder had to drop events, or (none) a time in which nothing was recorded."""

    started_ns: int
    ended_ns: int | None
    lost: int


def changers(engine: Engine, path: bytes) -> list[Changer]:
    """Find who changed a path or anything below it, who changed most first."""
    asked = (
        select(
            ProcessTable.exe,
            ProcessTable.cgroup,
            ProcessTable.uid,
            func.count(AccessTable.path_id.distinct()),
            func.max(RunTable.started_ns + AccessTable.last),
        )
        .select_from(PathTable)
        .join(AccessTable, AccessTable.path_id == PathTable.id)
        .join(
            ProcessTable,
            and_(
                ProcessTable.run_id == AccessTable.run_id, ProcessTable.id == AccessTable.process_id
            ),
        )
        .join(RunTable, RunTable.id == AccessTable.run_id)
        .where(_at_or_below(path))
        .where(AccessTable.op.in_(_CHANGING), AccessTable.outcome.in_(_DONE))
        .group_by(ProcessTable.exe, ProcessTable.cgroup, ProcessTable.uid)
    )
    found: dict[tuple[bytes, str | None, int], Changer] = {}
    with engine.connect() as connection:
        for exe, cgroup, uid, paths, last in connection.execute(asked):
            key = program_name(exe), unit_of(cgroup), uid
            known = found.get(key)
            if known is not None:
                paths, last = paths + known.paths, max(last, known.last_ns)  # noqa: PLW2901 (added up)
            found[key] = Changer(*key, paths, last)
    return sorted(found.values(), key=lambda each: (-each.paths, -each.last_ns))


def last_use(engine: Engine, path: bytes) -> LastUse | None:
    """Find who last touched a path or anything below it, with success."""
    at = RunTable.started_ns + AccessTable.last
    asked = (
        select(ProcessTable.exe, at)
        .select_from(PathTable)
        .join(AccessTable, AccessTable.path_id == PathTable.id)
        .join(
            ProcessTable,
            and_(
                ProcessTable.run_id == AccessTable.run_id, ProcessTable.id == AccessTable.process_id
            ),
        )
        .join(RunTable, RunTable.id == AccessTable.run_id)
        .where(_at_or_below(path))
        .where(AccessTable.outcome.in_(_DONE))
        .order_by(at.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        row = connection.execute(asked).first()
    return None if row is None else LastUse(program_name(row[0]), row[1])


def recorded_since(engine: Engine) -> int | None:
    """Tell when the oldest run began."""
    with engine.connect() as connection:
        return connection.scalar(select(func.min(RunTable.started_ns)))


def asked_of(engine: Engine | None) -> Callable[[bytes], Sequence[Changer]]:
    """Answer with what asks a database who changed a path; nobody did where there is none."""
    if engine is None:
        return lambda _path: ()
    return lambda path: changers(engine, path)


def losses(engine: Engine) -> Iterator[Loss]:
    """List the runs that missed something, and the times between runs of the machine."""
    asked = (
        select(RunTable.started_ns, RunTable.ended_ns, RunTable.lost)
        .where(RunTable.lost > 0)
        .order_by(RunTable.id)
    )
    with engine.connect() as connection:
        yield from (Loss(*row) for row in connection.execute(asked))
    yield from (Loss(each.since_ns, each.until_ns, 0) for each in pauses(engine))


def _at_or_below(path: bytes) -> ColumnElement[bool]:
    directory = path.rstrip(b"/")
    # "0" is the byte after "/", as in imptrace.db.uses.
    below = and_(PathTable.name >= directory + b"/", PathTable.name < directory + b"0")
    return or_(PathTable.name == (directory or b"/"), below)
