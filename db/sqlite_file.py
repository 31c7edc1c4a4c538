"""SQLite's file: made, connected to, finished after a writer that was killed, made smaller."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from imptrace.db.location import elsewhere, no_file, shown
from imptrace.db.trouble import NoDatabaseError
from imptrace.errors import ImptraceError

BUSY_TIMEOUT_MS = 5000
_UNFINISHED = {sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY}
"""A journal lies beside the database that only a writer can play back."""


def prepare(path: Path, *, create: bool) -> None:
    """See to it that there is a file. Raises NoDatabaseError, ImptraceError, OSError."""
    if path.is_dir():
        raise ImptraceError(f"database {shown(path)}: it is a directory; name a file in it")
    if reason := no_file(path):
        raise ImptraceError(f"database {shown(path)}: {reason}; name another with --db")
    if path.exists():
        return
    if not create:
        raise NoDatabaseError(
            f"nothing is recorded yet: there is no {shown(path)}; begin with: imptrace run PROGRAM"
            f"{elsewhere(path)}"
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ImptraceError(
            f"database {shown(path)}: its directory is a file; name another place with --db"
        ) from error
    # SQLite gives its side files the mode of the database, which lists what people run and keep.
    path.touch(mode=0o600)


def connect(path: str, *, read_only: bool, foreign_keys: bool = True) -> sqlite3.Connection:
    """Connect; transactions are the caller's to begin. Raises sqlite3.Error."""
    mode = "mode=ro" if read_only else "mode=rw"
    if read_only and _is_sealed(path):
        mode += "&immutable=1"
    connection = sqlite3.connect(
        uri(path, mode),
        uri=True,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_MS / 1000,
        check_same_thread=False,
    )
    try:
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            # Room for the indexes of a large run, and fewer copies of the same pages to the disk.
            connection.execute("PRAGMA cache_size = -16000")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute(f"PRAGMA foreign_keys = {int(foreign_keys)}")
        connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        connection.close()
        if read_only and error.sqlite_errorcode in _UNFINISHED:
            _finish(path)
            return connect(path, read_only=read_only, foreign_keys=foreign_keys)
        raise
    return connection


def uri(path: str, options: str = "") -> str:
    """Name a file to SQLite as a URI; `options` stand behind its question mark."""
    return f"file:{quote(path)}?{options}"


def compact(path: str, most: int) -> None:
    """Give back the room of what was removed, where a file is larger than `most` bytes."""
    if os.path.getsize(path) <= most:
        return
    raw = sqlite3.connect(path, BUSY_TIMEOUT_MS / 1000, isolation_level=None)
    # Where others are writing, another time will do.
    with closing(raw), suppress(sqlite3.OperationalError):
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _finish(path: str) -> None:
    """Have SQLite undo what a writer that was killed left half done, which no reader may."""
    with closing(connect(path, read_only=False, foreign_keys=False)) as writer:
        writer.execute("SELECT count(*) FROM sqlite_schema")


def _is_sealed(path: str) -> bool:
    """Whether SQLite could not make the side files that it needs to read, and nobody writes."""
    return not os.access(Path(path).parent, os.W_OK) and not Path(f"{path}-wal").exists()
