"""A connection of a database's own driver (PEP 249): what a run is written through.

SQLAlchemy takes longer to import than all else that recording a short program needs. So whatever
writes a run speaks to the driver, in SQL that SQLite and PostgreSQL both understand.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

_PRIMARY_CODE = 0xFF
_ELSEWHERE = frozenset(
    {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB}
)
"""Told of a table that is not there, damage, no file, and no database."""


class DriverError(Exception):
    """What a driver raised: `original`."""

    def __init__(self, original: BaseException | None) -> None:
        """Keep the driver's own error."""
        super().__init__(str(original))
        self.original = original


class Driver:
    """A connection. Statements have `?` for each value, and run within `transaction`."""

    def __init__(self, connect: Callable[[], Any], place: str, *, is_sqlite: bool) -> None:
        """Connect. `place` is what messages call the database. Raises DriverError."""
        self.place = place
        self._connect = connect
        self._is_sqlite = is_sqlite
        self._raw = connect()

    @contextmanager
    def transaction(self, *, reads: bool = False) -> Iterator[None]:
        """Commit at the end, or undo all of it. Raises DriverError.

        `reads`: nothing is changed, so that other writers need not wait.
        """
        # SQLite's has no such mark; a server's is set when the server has gone away.
        if getattr(self._raw, "closed", False):
            self._raw = self._connect()
        try:
            if self._is_sqlite:
                # Taken at once: a transaction that reads first and writes later fails when another
                # writer comes between, however long the timeout.
                self._raw.execute("BEGIN" if reads else "BEGIN IMMEDIATE")
            yield
            self._raw.commit()
        except BaseException as error:
            with suppress(self._raw.Error):
                self._raw.rollback()
            if isinstance(error, self._raw.Error):
                raise DriverError(error) from error
            raise

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement; the rows that it answers with."""
        cursor = self._raw.execute(self._marked(statement), tuple(values))
        return cursor.fetchall() if cursor.description else []

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement once for each row."""
        self._raw.cursor().executemany(self._marked(statement), rows)

    def is_kept(self, statement: str, values: Sequence[Any]) -> bool:
        """Whether rows are found by whoever asks from now on.

        A file can be removed, replaced and overwritten while this connection goes on writing it.
        """
        if not self._is_sqlite:
            return True
        try:
            other = self._connect()
        except DriverError as error:
            return not _is_elsewhere(error.original)
        try:
            return bool(other.execute(statement, tuple(values)).fetchall())
        except other.Error as error:
            return not _is_elsewhere(error)
        finally:
            other.close()

    def wait_for_lock(self, milliseconds: int) -> None:
        """Say how long another writer of the same file is waited for."""
        if self._is_sqlite:
            self._raw.execute(f"PRAGMA busy_timeout = {milliseconds}")

    def close(self) -> None:
        """Give the connection back."""
        self._raw.close()

    def _marked(self, statement: str) -> str:
        return statement if self._is_sqlite else statement.replace("?", "%s")


def _is_elsewhere(error: BaseException | None) -> bool:
    """Whether the file at the path is surely not what was written."""
    return sqlite_code(error) in _ELSEWHERE


def sqlite_code(error: BaseException | None) -> int:
    """SQLite's primary code of an error; 0 of what is no error of SQLite's."""
    return int(getattr(error, "sqlite_errorcode", 0)) & _PRIMARY_CODE
