"""Who changed what lies at or below a path, in all runs together."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, Select, func, select

from imptrace.db.codes import DONE_CODES, WRITE_CODES, unpack_strings
from imptrace.db.models import PROCESS_OF_ACCESS, AccessTable, PathTable, ProcessTable, RunTable
from imptrace.db.queries import pauses
from imptrace.db.uses import at_or_below
from imptrace.facts.programs import program_name, script_name
from imptrace.facts.units import unit_of

_AT = RunTable.started_ns + AccessTable.last
"""Wall clock."""


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
        _done(
            path,
            ProcessTable.exe,
            ProcessTable.argv,
            ProcessTable.cgroup,
            ProcessTable.uid,
            func.count(AccessTable.path_id.distinct()),
            func.max(_AT),
        )
        .where(AccessTable.op.in_(WRITE_CODES))
        .group_by(ProcessTable.exe, ProcessTable.argv, ProcessTable.cgroup, ProcessTable.uid)
    )
    found: dict[tuple[bytes, str | None, int], Changer] = {}
    with engine.connect() as connection:
        for exe, argv, cgroup, uid, paths, last in connection.execute(asked):
            key = _name(exe, argv), unit_of(cgroup), uid
            known = found.get(key)
            if known is not None:
                paths, last = paths + known.paths, max(last, known.last_ns)  # noqa: PLW2901 (added up)
            found[key] = Changer(*key, paths, last)
    return sorted(found.values(), key=lambda each: (-each.paths, -each.last_ns))


def last_use(engine: Engine, path: bytes) -> LastUse | None:
    """Find who last touched a path or anything below it, with success."""
    asked = _done(path, ProcessTable.exe, ProcessTable.argv, _AT).order_by(_AT.desc()).limit(1)
    with engine.connect() as connection:
        row = connection.execute(asked).first()
    return None if row is None else LastUse(_name(row[0], row[1]), row[2])


def _name(exe: bytes, argv: bytes) -> bytes:
    """Name a program; of an interpreter its script, which is what somebody knows."""
    return script_name(exe, unpack_strings(argv)) or program_name(exe)


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


def _done(path: bytes, *columns: ColumnElement[Any]) -> Select[Any]:
    """Select from what was done, or maybe, to a path or anything below it."""
    return (
        select(*columns)
        .select_from(PathTable)
        .join(AccessTable, AccessTable.path_id == PathTable.id)
        .join(ProcessTable, PROCESS_OF_ACCESS)
        .join(RunTable, RunTable.id == AccessTable.run_id)
        .where(at_or_below(path), AccessTable.outcome.in_(DONE_CODES))
    )
