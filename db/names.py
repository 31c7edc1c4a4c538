"""Names of what was recorded, read without SQLAlchemy: for a TAB that somebody waits for."""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing

from imptrace.db.asking import ASKED
from imptrace.db.location import default_path, no_file
from imptrace.db.records import LATEST
from imptrace.db.sqlite_file import uri
from imptrace.facts.answering import SOCKET

_SECONDS = 0.2
"""So long others may hold the database before there are no names."""
_RUNS = "SELECT id, program, label, service FROM run ORDER BY id DESC"

Row = tuple[int, bytes, str | None, str | None]
"""A run: its id, program, label and service."""


def runs_in_file(place: str | None) -> list[Row] | None:
    """Read the runs of a database in a file, newest first; None: ask it otherwise."""
    path = place or str(default_path())
    if not os.path.lexists(path):
        is_elsewhere = "://" in path or place == ASKED
        return None if is_elsewhere or (place is None and os.path.exists(SOCKET)) else []
    if no_file(path) is not None:
        return []
    name = uri(os.path.abspath(path), "mode=ro")
    try:
        with closing(sqlite3.connect(name, uri=True, timeout=_SECONDS)) as database:
            return list(database.execute(_RUNS))
    except sqlite3.DatabaseError as error:
        return [] if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB else None


def run_names(runs: Iterable[Row]) -> list[str]:
    """List what runs can be asked for by: `latest`, programs, labels and services."""
    names = {LATEST: None}
    for _, program, *others in runs:
        names[program.decode(errors="backslashreplace")] = None
        names.update((each, None) for each in others if each is not None)
    return list(names)
