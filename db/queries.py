"""Questions about runs, answered with the records of imptrace.db.records."""

import difflib
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, Engine, func, select

from imptrace.db.models import Access, Mount, Process, Run
from imptrace.db.read_run import paths_of_run
from imptrace.db.records import Detail, RunDetails, RunRecord
from imptrace.db.rows import (
    process_record,
    run_record,
)
from imptrace.errors import UsageError
from imptrace.facts.programs import program_name
from imptrace.tracer import events

LATEST = "latest"

_LARGEST_ID = (1 << 63) - 1


def runs(engine: Engine) -> list[RunRecord]:
    """All runs, oldest first."""
    with engine.connect() as connection:
        return [run_record(row) for row in connection.execute(select(Run.__table__).order_by("id"))]


def resolve_run(engine: Engine, text: str, known: Iterable[str] = ()) -> int:
    """Find the run that `text` names: an id, a label, a program (its newest run), or `latest`.

    Raises UsageError, with the nearest name there is, if nothing is called so. `known`: names
    that the caller understands besides.
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
        raise UsageError(_no_such_run(connection, text, known))


def executed_programs(engine: Engine) -> set[bytes]:
    """Return the base names of all that was ever executed."""
    with engine.connect() as connection:
        return set(map(program_name, connection.scalars(select(Process.exe).distinct())))


def runs_executing(engine: Engine, programs: Collection[bytes]) -> list[int]:
    """Ids of the runs, oldest first, in which one of `programs` (base names) was executed."""
    with engine.connect() as connection:
        exes = connection.scalars(select(Process.exe).distinct())
        wanted = [exe for exe in exes if program_name(exe) in programs]
        found = select(Process.run_id).where(Process.exe.in_(wanted)).distinct()
        return sorted(connection.scalars(found))


def run_details(engine: Engine, run_id: int, detail: Detail = Detail.EXACT) -> RunDetails:
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
            paths=tuple(paths_of_run(connection, run_id, detail)),
            mounts=tuple(events.Mount(*mount[2:]) for mount in connection.execute(mounts)),
        )


def count_paths(engine: Engine, run_id: int) -> int:
    """Count the distinct paths that a run saw."""
    with engine.connect() as connection:
        counted = func.count(Access.path_id.distinct())
        return connection.scalars(select(counted).where(Access.run_id == run_id)).one()


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


def _no_such_run(connection: Connection, text: str, known: Iterable[str]) -> str:
    near = nearest(text, [*_run_names(connection), *known])
    return f"no run is called {text!r}; {near}imptrace runs lists them"
