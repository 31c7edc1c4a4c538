"""What a machine's record says of one user's processes, as a database of its own.

Only what they did themselves, and nothing of what others did or have: rows are chosen by whose
rights a process acted by, refused calls are left out (what they would have led to is not theirs to
know), and of files only the states of their own.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine

from imptrace.db import models, schema
from imptrace.db.codes import (
    CHANGE_CODES,
    DONE_CODES,
    FILE_TYPE_CODES,
    OUTCOME_CODES,
    SCOPE_CODES,
    pack_strings,
)
from imptrace.db.sqlite_file import uri
from imptrace.tracer.events import FileType, Outcome, RunScope

_ARGV = pack_strings((b"imptrace", b"watch"))
_DENIED = OUTCOME_CODES[Outcome.DENIED]
_ABSENT = FILE_TYPE_CODES[FileType.ABSENT]
_CHANGING = ", ".join(map(str, CHANGE_CODES))
_DONE = ", ".join(map(str, DONE_CODES))


def extract(source: Path, uid: int, into: Path) -> None:
    """Write the database `into` of what the user `uid` may know of `source`.

    Raises sqlite3.Error, OSError.
    """
    into.touch(mode=0o600)
    engine = create_engine(f"sqlite:///{into}")
    with engine.begin() as connection:
        schema.create(connection)
    engine.dispose()
    into_uri, source_uri = uri(str(into)), uri(str(source), "mode=ro")
    with closing(sqlite3.connect(into_uri, uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("ATTACH ? AS every", (source_uri,))
        connection.execute("BEGIN")
        for statement in _STATEMENTS:
            connection.execute(statement, {"uid": uid, "argv": _ARGV})
        connection.execute("COMMIT")
        connection.execute("DETACH every")


def _copy(table: type[models.Base], condition: str, **instead: str) -> str:
    """Write the statement that copies the rows of a table; `instead`: what columns become."""
    names = table.__table__.columns.keys()
    values = ", ".join(instead.get(name, f"it.{name}") for name in names)
    name = table.__tablename__
    # Nothing but our own names and numbers is put into it.
    return (
        f"INSERT INTO main.{name} ({', '.join(names)}) "
        f"SELECT {values} FROM every.{name} AS it WHERE {condition}"
    )


_OF_RUN = "it.run_id IN (SELECT id FROM main.run)"
_STATEMENTS = (
    _copy(
        models.RunTable,
        f"it.scope = {SCOPE_CODES[RunScope.MACHINE]} AND EXISTS "
        "(SELECT 1 FROM every.process AS his "
        "WHERE his.run_id = it.id AND his.uid = :uid)",
        argv=":argv",
        cwd="x'2f'",
    ),
    _copy(models.MountTable, _OF_RUN),
    _copy(models.GapTable, _OF_RUN, process_id="NULL", cgroup="x''"),
    _copy(models.ProcessTable, f"{_OF_RUN} AND it.uid = :uid"),
    *(
        f"UPDATE main.process SET {column} = NULL WHERE NOT EXISTS (SELECT 1 FROM "
        f"main.process AS it WHERE it.run_id = process.run_id AND it.id = process.{column})"
        for column in ("parent", "previous")
    ),
    _copy(
        models.AccessTable,
        f"{_OF_RUN} AND it.outcome <> {_DENIED} AND EXISTS (SELECT 1 FROM main.process AS his "
        "WHERE his.run_id = it.run_id AND his.id = it.process_id)",
    ),
    _copy(models.PathTable, "it.id IN (SELECT path_id FROM main.access)"),
    _copy(
        models.FileStateTable,
        f"{_OF_RUN} AND (it.type = {_ABSENT} OR it.uid = :uid) AND EXISTS (SELECT 1 "
        "FROM main.access AS his WHERE his.run_id = it.run_id AND his.path_id = it.path_id "
        f"AND his.op IN ({_CHANGING}) AND his.outcome IN ({_DONE}))",
    ),
)
