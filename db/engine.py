"""Opening the database for questions and changes, through SQLAlchemy."""

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from imptrace.db import asking, schema, sound, sqlite_file, trouble, version
from imptrace.db.driver import Driver, DriverError
from imptrace.db.location import default_path, shown
from imptrace.db.trouble import NoDatabaseError
from imptrace.errors import ImptraceError, UsageError

_SCHEMA_LOCK = int.from_bytes(b"imptrace")
"""What is locked in a server while tables are made or migrated."""
CONNECT_SECONDS = 10
"""How long a server may take to answer."""


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
            sqlite_file.prepare(Path(str(url.database)), create=create)
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


def driver_of(engine: Engine) -> Driver:
    """Make a connection of the driver alone, which goes on when the engine is disposed of.

    Raises DriverError.
    """

    def connect() -> Any:
        try:
            pooled = engine.raw_connection()
        except engine.dialect.loaded_dbapi.Error as error:
            raise DriverError(error) from error
        connection = pooled.driver_connection
        pooled.detach()
        return connection

    url = engine.url.render_as_string(hide_password=True).removeprefix("sqlite:///")
    return Driver(connect, url, is_sqlite=engine.dialect.name == "sqlite")


def compact(engine: Engine, most: int) -> None:
    """Give back the room of what was removed, where a file is larger than `most` bytes."""
    if engine.dialect.name == "sqlite":
        sqlite_file.compact(str(engine.url.database), most)


@contextmanager
def explained(place: str | os.PathLike[str] | None) -> Iterator[None]:
    """Turn what SQLAlchemy, a driver or the disk raises into an ImptraceError of one clear line."""
    with trouble.explained(place):
        try:
            yield
        except DBAPIError as error:
            raise trouble.explanation(place, error.orig) from error


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


def _ensure_schema(url: URL, *, create: bool) -> None:
    """Make or migrate the tables, where that is due and allowed."""
    reader = _engine(url, read_only=True)
    try:
        with reader.connect() as connection:
            revision = schema.stored_revision(connection)
    finally:
        reader.dispose()
    if revision == version.HEAD:
        return
    if revision is None and not create:
        raise NoDatabaseError(f"nothing is recorded yet in {shown(url.database)}")
    # A migration makes some tables anew, and to drop the old one would, with foreign keys on,
    # delete all rows that refer to it.
    writer = _engine(url, read_only=False, foreign_keys=False)
    try:
        with writer.begin() as connection:
            if url.get_backend_name() == "postgresql":
                # Two that make the same table at once are no race to the server, but an error.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))
            # Asked again: another imptrace may have done it since, and waits no longer now.
            revision = schema.stored_revision(connection)
            if revision is None:
                schema.create(connection)
            elif revision != version.HEAD:
                schema.upgrade(connection, revision)
    finally:
        writer.dispose()


def _engine(url: URL, *, read_only: bool, foreign_keys: bool = True) -> Engine:
    if url.get_backend_name() != "sqlite":
        return _server_engine(url, read_only=read_only)
    connect = partial(
        sqlite_file.connect, str(url.database), read_only=read_only, foreign_keys=foreign_keys
    )
    engine = create_engine(url, creator=connect)

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # At once, as in imptrace.db.driver.
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _server_engine(url: URL, *, read_only: bool) -> Engine:
    # What it has to say of a connection that broke would stand before our own line.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
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
    has_none = place is None and os.geteuid() != 0 and _is_missing(default_path())
    if is_meant and not read_only:
        raise UsageError("what the machine's recorder answers can only be read")
    if is_meant or (read_only and has_none and asking.is_answered()):
        with asking.told() as answer:
            yield answer
    else:
        yield place


def _is_missing(path: Path) -> bool:
    """Whether there surely is no such file: one that cannot be looked for may well be there."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def _understood(place: str | os.PathLike[str] | None) -> Iterator[None]:
    """Say that a database is damaged whose rows hold what is never written into one."""
    try:
        yield
    except UnicodeEncodeError as error:
        # Not what is in it, but what is asked for: an argument in another encoding than UTF-8.
        raise UsageError(
            "a name that is asked for is not UTF-8, as all names are that are stored"
        ) from error
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ImptraceError(f"database {shown(place)}: {trouble.DAMAGED} ({what})") from error
