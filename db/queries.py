"""Questions about runs, answered with the records of imptrace.db.records."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, SelectBase, select, true, union

from imptrace.db.codes import OP_CODES
from imptrace.db.models import Access, FileState, Mount, Path, Process, Run
from imptrace.db.programs import program_name
from imptrace.db.records import (
    CHANGES,
    AccessRecord,
    PathRecord,
    RunDetails,
    RunRecord,
)
from imptrace.db.rows import (
    States,
    access_record,
    path_record,
    process_record,
    run_record,
)
from imptrace.errors import UsageError
from imptrace.tracer import events

LATEST = "latest"

_ROWS = 2000
_LARGEST_ID = (1 << 63) - 1
_ALL = true()


def runs(engine: Engine) -> list[RunRecord]:
    """All runs, oldest first."""
    with engine.connect() as connection:
        return [run_record(row) for row in connection.execute(select(Run.__table__).order_by("id"))]


def resolve_run(engine: Engine, text: str) -> int:
    """Find the run that `text` names: an id, a label, a program (its newest run), or `latest`.

    Raises UsageError, with the nearest name there is, if nothing is called so.
    """
    newest = select(Run.id).order_by(Run.id.desc()).limit(1)
    candidates = [
        newest.where(Run.label == text),
        newest.where(Run.program == text.encode(errors="surrogateescape")),
    ]
    if text.isascii() and text.isdigit():
        candidates.insert(0, newest.where(Run.id == min(int(text), _LARGEST_ID)))
    if text == LATEST:
        candidates.append(newest)
    with engine.connect() as connection:
        for candidate in candidates:
            found = connection.scalar(candidate)
            if found is not None:
                return found
        raise UsageError(_no_such_run(connection, text))


def runs_executing(engine: Engine, programs: Collection[bytes]) -> list[int]:
    """Ids of the runs, oldest first, in which one of `programs` (base names) was executed."""
    with engine.connect() as connection:
        exes = connection.scalars(select(Process.exe).distinct())
        wanted = [exe for exe in exes if program_name(exe) in programs]
        found = select(Process.run_id).where(Process.exe.in_(wanted)).distinct()
        return sorted(connection.scalars(found))


def run_details(engine: Engine, run_id: int, *, only_decisive: bool = False) -> RunDetails:
    """Return a run with its processes, paths and mounts. Raises UsageError if there is none.

    `only_decisive`: of the paths only those that somebody asked to change, that were executed, or
    that lie below /etc. The others, thousands, can do nothing for a verdict but be counted.
    """
    with engine.connect() as connection:
        row = connection.execute(select(Run.__table__).where(Run.id == run_id)).one_or_none()
        if row is None:
            raise UsageError(f"there is no run {run_id}; imptrace runs lists them")
        processes = select(Process.__table__).where(Process.run_id == run_id).order_by(Process.id)
        mounts = select(Mount.__table__).where(Mount.run_id == run_id).order_by(Mount.position)
        return RunDetails(
            run=run_record(row),
            processes=tuple(map(process_record, connection.execute(processes))),
            paths=tuple(_paths(connection, run_id, only_decisive=only_decisive)),
            mounts=tuple(events.Mount(*mount[2:]) for mount in connection.execute(mounts)),
        )


def nearest(name: str, names: Iterable[str]) -> str:
    """Say which of `names` a mistyped one may stand for: `did you mean ...? `, or nothing."""
    near = difflib.get_close_matches(name, set(names), n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def run_names(engine: Engine) -> list[str]:
    """Return the names that runs can be asked for by: `latest`, labels, programs."""
    with engine.connect() as connection:
        return _run_names(connection)


def _run_names(connection: Connection) -> list[str]:
    names = {LATEST: None}
    newest_first = select(Run.label, Run.program).order_by(Run.id.desc())
    for label, program in connection.execute(newest_first):
        names[program.decode(errors="backslashreplace")] = None
        if label is not None:
            names[label] = None
    return list(names)


def _no_such_run(connection: Connection, text: str) -> str:
    near = nearest(text, _run_names(connection))
    return f"no run is called {text!r}; {near}imptrace runs lists them"


def _paths(connection: Connection, run_id: int, *, only_decisive: bool) -> Iterable[PathRecord]:
    of_run = select(Access.path_id).where(Access.run_id == run_id)
    wanted: SelectBase = of_run
    condition: ColumnElement[bool] = _ALL
    if only_decisive:
        asked = [OP_CODES[op] for op in (*CHANGES, events.Op.EXEC)]
        # "0" is the byte after "/": the range of the unique index that holds all that is below.
        configuration = select(Path.id).where(Path.name >= b"/etc/", Path.name < b"/etc0")
        wanted = union(
            of_run.where(Access.op.in_(asked)), of_run.where(Access.path_id.in_(configuration))
        )
        condition = Access.path_id.in_(wanted)
    paths = select(Path.id, Path.name).where(Path.id.in_(wanted))
    names = dict(connection.execute(paths).all())
    accesses = accesses_by_path(connection, run_id, condition, names)
    states = dict(states_by_path(connection, run_id))
    for path_id in sorted(names, key=names.__getitem__):
        yield path_record(
            run_id, names[path_id], tuple(accesses[path_id]), states.get(path_id, States())
        )


def accesses_by_path(
    connection: Connection,
    run_id: int,
    condition: ColumnElement[bool] = _ALL,
    names: Mapping[int, bytes] = MappingProxyType({}),
) -> dict[int, list[AccessRecord]]:
    """Read accesses of a run by path id, each path's in their order of time."""
    accesses: dict[int, list[AccessRecord]] = {}
    of_run = select(Access.__table__).where(Access.run_id == run_id, condition)
    for row in _rows(connection, of_run.order_by(Access.first)):
        accesses.setdefault(row[2], []).append(access_record(row, names))
    return accesses


def states_by_path(
    connection: Connection, run_id: int, condition: ColumnElement[bool] = _ALL
) -> Iterator[tuple[int, States]]:
    """Read the states of a run's paths, with the path's id."""
    of_run = select(FileState.__table__).where(FileState.run_id == run_id, condition)
    rows = _rows(connection, of_run.order_by(FileState.path_id, FileState.moment))
    for path_id, of_path in groupby(rows, key=itemgetter(1)):
        states = States()
        for row in of_path:
            states = states.joined(row)
        yield path_id, states


def _rows(connection: Connection, statement: Select[Any]) -> Iterator[Sequence[Any]]:
    """Read many rows, thousands at once: one by one takes twice as long."""
    return chain.from_iterable(connection.execute(statement).partitions(_ROWS))
