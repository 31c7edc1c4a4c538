"""Opening a database to write a run into, without SQLAlchemy where that is not needed."""

import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from imptrace.db import sqlite_file, version
from imptrace.db.driver import Driver, DriverError
from imptrace.db.location import default_path, shown
from imptrace.db.trouble import explained


def open_to_record(place: str | os.PathLike[str] | None) -> Driver:
    """Open the database at a path or URL, made or migrated first. Raises as open_database does."""
    text = os.fspath(place) if place is not None else str(default_path())
    if "://" not in text:
        with explained(place):
            sqlite_file.prepare(Path(text), create=True)
            if _is_of_this_version(text):
                return _driver(text, read_only=False)
    from imptrace.db.engine import driver_of, open_database  # noqa: PLC0415 (imports SQLAlchemy)

    engine = open_database(place, create=True, read_only=False)
    with explained(place):
        return driver_of(engine)


def _is_of_this_version(path: str) -> bool:
    """Whether a file is a database as this imptrace makes it; why it is not, others tell."""
    try:
        # A reader is asked first: to open another program's database as a writer changes it.
        reader = _driver(path, read_only=True)
        try:
            with reader.transaction(reads=True):
                return version.is_newest(reader)
        finally:
            reader.close()
    except DriverError:
        return False


def _driver(path: str, *, read_only: bool) -> Driver:
    return Driver(partial(_connect, path, read_only=read_only), shown(path), is_sqlite=True)


def _connect(path: str, *, read_only: bool) -> Any:
    try:
        return sqlite_file.connect(path, read_only=read_only)
    except sqlite3.Error as error:
        raise DriverError(error) from error
