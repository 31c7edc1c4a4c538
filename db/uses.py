"""Questions across runs: what a program touches, and who touches a path."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, or_, select

from imptrace.db.effect import effect_of
from imptrace.db.models import Access, FileState, Path, Process, Run
from imptrace.db.programs import program_name
from imptrace.db.queries import nearest
from imptrace.db.records import AccessRecord, PathUse, best_outcome, count_calls
from imptrace.db.rows import States, access_record
from imptrace.errors import UsageError

_Place = tuple[int, int]
"""Run, path id."""
_Key = tuple[int, int, bytes]
"""Run, path id, exe."""


def program_uses(engine: Engine, program: str) -> list[PathUse]:
    """Return what a program touched in all runs, by path, then run.

    `program` is a base name, or the path of an executable. To a program belong the processes that
    execute it, and all processes of the runs that were asked to run it: its helpers.
    Raises UsageError, with the nearest name there is, if it was never recorded.
    """
    wanted = program.encode(errors="surrogateescape")
    with engine.connect() as connection:
        exes = set(connection.scalars(select(Process.exe).distinct()))
        names = {exe: program_name(exe) for exe in exes}
        matching = [exe for exe in exes if wanted in (exe, names[exe])]
        runs = connection.scalars(select(Run.id).where(Run.program == wanted)).all()
        if not matching and not runs:
            known = [name.decode(errors="backslashreplace") for name in names.values()]
            raise UsageError(
                f"no program called {program!r} was recorded; "
                f"{nearest(program, known)}imptrace runs lists what was"
            )
        return _uses(connection, or_(Process.exe.in_(matching), Process.run_id.in_(runs)))


def path_uses(engine: Engine, path: bytes) -> list[PathUse]:
    """Who touched a path or anything below it, by path, then run. `path` is absolute."""
    directory = path.rstrip(b"/")
    # "0" is the byte after "/": the range of the unique index that holds all that is below.
    below = and_(Path.name >= directory + b"/", Path.name < directory + b"0")
    with engine.connect() as connection:
        return _uses(connection, or_(Path.name == (directory or b"/"), below))


def _uses(connection: Connection, condition: ColumnElement[bool]) -> list[PathUse]:
    names: dict[int, bytes] = {}
    accesses: dict[_Key, list[AccessRecord]] = {}
    statement = _joined(select(Access.__table__, Process.exe, Path.name), condition)
    for row in connection.execute(statement):
        names[row.path_id] = row.name
        key = (row.run_id, row.path_id, row.exe)
        accesses.setdefault(key, []).append(access_record(row, names))
    states = _states(connection, condition)
    uses = [
        _use(key, names[key[1]], found, states.get((key[0], key[1]), States()))
        for key, found in accesses.items()
    ]
    return sorted(uses, key=lambda use: (use.path, use.run, use.exe))


def _states(connection: Connection, condition: ColumnElement[bool]) -> dict[_Place, States]:
    same_place = and_(
        FileState.run_id == Access.run_id,
        FileState.path_id == Access.path_id,
    )
    statement = (
        _joined(select(FileState.__table__), condition).join(FileState, same_place).distinct()
    )
    states: dict[_Place, States] = {}
    for row in connection.execute(statement):
        place = (row.run_id, row.path_id)
        known = states.get(place, States())
        states[place] = known.joined(row)
    return states


def _joined(statement: Select[Any], condition: ColumnElement[bool]) -> Select[Any]:
    return (
        statement.select_from(Access)
        .join(Path, Path.id == Access.path_id)
        .join(Process, and_(Process.run_id == Access.run_id, Process.id == Access.process_id))
        .where(condition)
    )


def _use(key: _Key, path: bytes, accesses: list[AccessRecord], states: States) -> PathUse:
    run, _, exe = key
    return PathUse(
        path=path,
        run=run,
        program=program_name(exe),
        exe=exe,
        ops=count_calls(accesses),
        outcome=best_outcome(accesses),
        effect=effect_of(states.before, states.after, accesses),
    )
