"""Opening the database: where it is, who may read it, and what is said when it cannot be used."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from imptrace.db import asking, schema, sound
from imptrace.db.location import default_path, elsewhere, shown
from imptrace.errors import ImptraceError, UsageError

BUSY_TIMEOUT_MS = 5000
CONNECT_SECONDS = 10
"""How long a server may take to answer."""
READS = "imptrace_reads"
"""Execution option of a connection that, although it may write, only reads now."""


class DatabaseBusyError(ImptraceError):
    """Others are writing, and do not let us: to be tried again."""


class NoDatabaseError(UsageError):
    """Nothing was ever recorded there."""


def open_database(
    place: str | os.PathLike[str] | None = None, *, create: bool, read_only: bool
) -> Engine:
    """Open the database at a path or SQLAlchemy URL; None stands for the default place.

    An older schema is migrated first, also for a reader. The caller disposes of the engine.
    Raises NoDatabaseError if there is none and `create` is False, ImptraceError if it cannot be
    used: not writable, locked, damaged, no database, or of a newer imptrace.
    """
    url = _url(place)
    with explained(place):
        if url.get_backend_name() == "sqlite":
            _prepare_file(Path(str(url.database)), create=create)
        _ensure_schema(url, create=create)
        return _engine(url, read_only=read_only)


def used_bytes(engine: Engine) -> int:
    """Tell how much a database holds; of a file without the room that it keeps for more."""
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            size = connection.exec_driver_sql("SELECT pg_database_size(current_database())")
            return int(size.scalar_one())
        asked = ("page_count", "freelist_count", "page_size")
        pages, free, size_of_page = (
            int(connection.exec_driver_sql(f"PRAGMA {each}").scalar_one()) for each in asked
        )
        return (pages - free) * size_of_page


def compact(engine: Engine, most: int) -> None:
    """Give back the room of what was removed, where a file is larger than `most` bytes."""
    file = str(engine.url.database)
    if engine.dialect.name != "sqlite" or os.path.getsize(file) <= most:
        return
    # Outside of a transaction, in which SQLAlchemy's connections always are.
    raw = sqlite3.connect(file, BUSY_TIMEOUT_MS / 1000, isolation_level=None)
    # Where others are writing, another time will do.
    with closing(raw), suppress(sqlite3.OperationalError):
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def explained(place: str | os.PathLike[str] | None) -> Iterator[None]:
    """Turn what a database driver raises into an ImptraceError of one clear line."""
    try:
        yield
    except DBAPIError as error:
        kind = DatabaseBusyError if is_passing(error) else ImptraceError
        raise kind(f"database {shown(place)}: {reason(error)}") from error
    except schema.SchemaError as error:
        raise ImptraceError(f"database {shown(place)}: {error}") from error
    except OSError as error:
        raise ImptraceError(f"database {shown(place)}: {error.strerror or error}") from error


_DAMAGED = "it is damaged; move it away, or try sqlite3's .recover on it"
_SQLITE_REASONS = {
    sqlite3.SQLITE_BUSY: "another program holds it locked; try again when that has finished",
    sqlite3.SQLITE_FULL: "the disk is full; make room, or name another place with --db",
    sqlite3.SQLITE_READONLY: "it may not be written to; name another place with --db",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the permissions of its directory",
    sqlite3.SQLITE_NOTADB: "this file is not a database; name another with --db",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_IOERR: "the disk reported an error while it was read or written",
}
_PRIMARY_CODE = 0xFF
_UNFINISHED = {sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY}
"""A journal lies beside the database that only a writer can play back."""


_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_PASSING_STATES = {"40P01", "40001", "55P03"}
"""PostgreSQL's codes of a deadlock, of a lost race, and of a lock that was not to be had."""


def is_passing(error: DBAPIError) -> bool:
    """Whether the same may work a moment later, when other writers have finished."""
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return getattr(original, "sqlite_errorcode", 0) & _PRIMARY_CODE in _PASSING
    return getattr(original, "sqlstate", None) in _PASSING_STATES


def reason(error: DBAPIError) -> str:
    """Say what a database error means for the user and what to do about it, on one line."""
    original = error.orig
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", 0) & _PRIMARY_CODE
        if code in _SQLITE_REASONS:
            return _SQLITE_REASONS[code]
    lines = str(original).strip().splitlines()
    return lines[0] if lines else type(original).__name__


def _url(place: str | os.PathLike[str] | None) -> URL:
    text = os.fspath(place) if place is not None else str(default_path())
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
        # SQLAlchemy's default driver for it is psycopg2; the extra installs its successor.
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError(
            f"{shown(place)} is neither a path nor a database URL such as postgresql://host/name"
        ) from error
    return url


def _prepare_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise ImptraceError(f"database {shown(path)}: it is a directory; name a file in it")
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


def _ensure_schema(url: URL, *, create: bool) -> None:
    """Make or migrate the tables, where that is due and allowed."""
    reader = _engine(url, read_only=True)
    try:
        with reader.connect() as connection:
            revision = schema.stored_revision(connection)
    finally:
        reader.dispose()
    if revision == schema.HEAD:
        return
    if revision is None and not create:
        raise NoDatabaseError(f"nothing is recorded yet in {shown(url.database)}")
    # A migration makes some tables anew, and to drop the old one would, with foreign keys on,
    # delete all rows that refer to it.
    writer = _engine(url, read_only=False, foreign_keys=False)
    try:
        with writer.begin() as connection:
            # Asked again: another imptrace may have done it since, and waits no longer now.
            revision = schema.stored_revision(connection)
            if revision is None:
                schema.create(connection)
            elif revision != schema.HEAD:
                schema.upgrade(connection, revision)
    finally:
        writer.dispose()


def _engine(url: URL, *, read_only: bool, foreign_keys: bool = True) -> Engine:
    if url.get_backend_name() != "sqlite":
        return _server_engine(url, read_only=read_only)
    connect = partial(
        _connect_sqlite, str(url.database), read_only=read_only, foreign_keys=foreign_keys
    )
    engine = create_engine(url, creator=connect)

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # Taken at once: a transaction that reads first and writes later fails when another
        # writer comes between, however long the timeout.
        reads = read_only or connection.get_execution_options().get(READS)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _connect_sqlite(path: str, *, read_only: bool, foreign_keys: bool) -> sqlite3.Connection:
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    mode = "mode=ro" if read_only else "mode=rw"
    if read_only and _is_sealed(path):
        mode += "&immutable=1"
    connection = sqlite3.connect(
        f"file:{quoted}?{mode}",
        uri=True,
        # imptrace begins transactions itself, see _begin.
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
            return _connect_sqlite(path, read_only=read_only, foreign_keys=foreign_keys)
        raise
    return connection


def _finish(path: str) -> None:
    """Have SQLite undo what a writer that was killed left half done, which no reader may."""
    with closing(_connect_sqlite(path, read_only=False, foreign_keys=False)) as writer:
        writer.execute("SELECT count(*) FROM sqlite_schema")


def _is_sealed(path: str) -> bool:
    """Whether SQLite could not make the side files that it needs to read, and nobody writes."""
    return not os.access(Path(path).parent, os.W_OK) and not Path(f"{path}-wal").exists()


def _server_engine(url: URL, *, read_only: bool) -> Engine:
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=_patience(url))
    except ModuleNotFoundError as error:
        raise ImptraceError(
            f"the driver for {url.get_backend_name()} is not installed "
            f"(Python module {error.name}); pip install 'imptrace[postgresql]'"
        ) from error
    if read_only and url.get_backend_name() == "postgresql":
        return engine.execution_options(postgresql_readonly=True)
    return engine


def _patience(url: URL) -> dict[str, Any]:
    """Let no server that is silent be waited for without end; what the URL says goes before."""
    if url.get_backend_name() != "postgresql":
        return {}
    limits = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": 2 * CONNECT_SECONDS * 1000}
    return {name: limit for name, limit in limits.items() if name not in url.query}


@contextmanager
def reading(place: str | os.PathLike[str] | None) -> Iterator[Engine]:
    """Open the database for questions: read-only, disposed of at the end, its errors explained."""
    with _opened(place, read_only=True) as engine:
        yield engine


@contextmanager
def reading_if_there(place: str | os.PathLike[str] | None) -> Iterator[Engine | None]:
    """Open the database as `reading` does; None where nothing was recorded yet."""
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(reading(place))
        except NoDatabaseError:
            engine = None
        yield engine


@contextmanager
def writing(place: str | os.PathLike[str] | None, *, create: bool = False) -> Iterator[Engine]:
    """Open a database for a change, as `reading` does for questions."""
    with _opened(place, read_only=False, create=create) as engine:
        yield engine


@contextmanager
def _opened(
    place: str | os.PathLike[str] | None, *, read_only: bool, create: bool = False
) -> Iterator[Engine]:
    with _understood(place), _answered(place, read_only=read_only) as found:
        engine = open_database(found, create=create, read_only=read_only)
        try:
            with explained(place):
                sound.begin(engine)
                yield engine
        finally:
            engine.dispose()


@contextmanager
def _answered(
    place: str | os.PathLike[str] | None, *, read_only: bool
) -> Iterator[str | os.PathLike[str] | None]:
    """Ask the machine's recorder, where that is meant, or there is nothing of one's own."""
    is_meant = place is not None and os.fspath(place) == asking.ASKED
    has_none = place is None and os.geteuid() != 0 and not default_path().exists()
    if is_meant and not read_only:
        raise UsageError("what the machine's recorder answers can only be read")
    if is_meant or (read_only and has_none and asking.is_answered()):
        with asking.told() as answer:
            yield answer
    else:
        yield place


@contextmanager
def _understood(place: str | os.PathLike[str] | None) -> Iterator[None]:
    """Say that a database is damaged whose rows hold what is never written into one."""
    try:
        yield
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ImptraceError(f"database {shown(place)}: {_DAMAGED} ({what})") from error
