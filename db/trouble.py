"""What is said when a database cannot be used: one line, with what to do about it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from imptrace.db.driver import DriverError, sqlite_code
from imptrace.db.location import shown
from imptrace.errors import ImptraceError, UsageError

DAMAGED = "it is damaged; move it away, or try sqlite3's .recover on it"

_SQLITE_REASONS = {
    sqlite3.SQLITE_BUSY: "another program holds it locked; try again when that has finished",
    sqlite3.SQLITE_FULL: "the disk is full; make room, or name another place with --db",
    sqlite3.SQLITE_READONLY: "it may not be written to; name another place with --db",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the permissions of its directory",
    sqlite3.SQLITE_NOTADB: "this file is not a database; name another with --db",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_IOERR: "the disk reported an error while it was read or written",
}
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_PASSING_STATES = {"40P01", "40001", "55P03"}
"""PostgreSQL's codes of a deadlock, of a lost race, and of a lock that was not to be had."""


class DatabaseBusyError(ImptraceError):
    """Others are writing, and do not let us: to be tried again."""


class NoDatabaseError(UsageError):
    """Nothing was ever recorded there."""


class SchemaError(ImptraceError):
    """The tables are not such as this version can work with."""


@contextmanager
def explained(place: str | os.PathLike[str] | None) -> Iterator[None]:
    """Turn what a driver or the disk raises into an ImptraceError of one clear line."""
    try:
        yield
    except DriverError as error:
        raise explanation(place, error.original) from error
    except SchemaError as error:
        raise ImptraceError(f"database {shown(place)}: {error}") from error
    except OSError as error:
        raise ImptraceError(f"database {shown(place)}: {error.strerror or error}") from error


def explanation(
    place: str | os.PathLike[str] | None, original: BaseException | None
) -> ImptraceError:
    """Say what a driver's error means for the user, in place of it."""
    kind = DatabaseBusyError if is_passing(original) else ImptraceError
    return kind(f"database {shown(place)}: {_reason(original)}")


def is_passing(original: BaseException | None) -> bool:
    """Whether the same may work a moment later, when other writers have finished."""
    state = getattr(original, "sqlstate", None)
    return sqlite_code(original) in _PASSING or state in _PASSING_STATES


def _reason(original: BaseException | None) -> str:
    """Say what a driver's error means and what to do about it, on one line."""
    reason = _SQLITE_REASONS.get(sqlite_code(original))
    if reason is not None:
        return reason
    lines = str(original).strip().splitlines()
    return lines[0] if lines else type(original).__name__
