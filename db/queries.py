"""Questions about runs, answered with the records of imptrace.db.records."""

import difflib
from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection, Engine, select

from imptrace.db.models import Access, FileState, Mount, Path, Process, Run
from imptrace.db.records import AccessRecord, Effect, PathRecord, RunDetails, RunRecord
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

_LARGEST_ID = (1 << 63) - 1


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


def run_details(engine: Engine, run_id: int) -> RunDetails:
    """Return a run with its processes, paths and mounts. Raises UsageError if there is none."""
    with engine.connect() as connection:
        row = connection.execute(select(Run.__table__).where(Run.id == run_id)).one_or_none()
        if row is None:
            raise UsageError(f"there is no run {run_id}; imptrace runs lists them")
        processes = select(Process.__table__).where(Process.run_id == run_id).order_by(Process.id)
        mounts = select(Mount.__table__).where(Mount.run_id == run_id).order_by(Mount.position)
        return RunDetails(
            run=run_record(row),
            processes=tuple(map(process_record, connection.execute(processes))),
            paths=tuple(_paths(connection, run_id)),
            mounts=tuple(events.Mount(*mount[2:]) for mount in connection.execute(mounts)),
        )


def effects(connection: Connection, run_id: int) -> Counter[Effect | None]:
    """How many distinct paths of a run had which effect; None counts those only read."""
    return Counter(path.effect for path in _paths(connection, run_id))


def nearest(name: str, names: Iterable[str]) -> str:
    """Say which of `names` a mistyped one may stand for: `did you mean ...? `, or nothing."""
    near = difflib.get_close_matches(name, set(names), n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _no_such_run(connection: Connection, text: str) -> str:
    names = [LATEST]
    for label, program in connection.execute(select(Run.label, Run.program).distinct()):
        names.append(program.decode(errors="backslashreplace"))
        if label is not None:
            names.append(label)
    return f"no run is called {text!r}; {nearest(text, names)}imptrace runs lists them"


def _paths(connection: Connection, run_id: int) -> Iterable[PathRecord]:
    of_run = select(Access.path_id).where(Access.run_id == run_id)
    paths = select(Path.id, Path.name).where(Path.id.in_(of_run))
    names = dict(connection.execute(paths).tuples().all())
    accesses: dict[int, list[AccessRecord]] = {}
    statement = select(Access.__table__).where(Access.run_id == run_id).order_by(Access.first)
    for row in connection.execute(statement):
        accesses.setdefault(row.path_id, []).append(access_record(row, names))
    states = _states(connection, run_id)
    for path_id in sorted(names, key=names.__getitem__):
        yield path_record(
            run_id, names[path_id], tuple(accesses[path_id]), states.get(path_id, States())
        )


def _states(connection: Connection, run_id: int) -> dict[int, States]:
    states: dict[int, States] = {}
    for row in connection.execute(select(FileState.__table__).where(FileState.run_id == run_id)):
        states[row.path_id] = states.get(row.path_id, States()).joined(row)
    return states
