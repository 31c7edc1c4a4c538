"""Many rows through one statement, at the speed of the driver.

SQLAlchemy writes the statement for the database at hand, once; the rows then go to the driver as
they are. Its own way, which takes each row's values apart by name and converts each by its type,
costs more than SQLite itself does to store the row.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import ClauseElement, Connection
from sqlalchemy.dialects import sqlite

from imptrace.db.models import Base

T = TypeVar("T")

CHUNK = 1000
"""Rows per call: enough to amortise it, few enough for any database's limit of variables."""


def insert_into(connection: Connection, table: type[Base]) -> Any:
    """Make an INSERT that knows ON CONFLICT, which SQLAlchemy has per dialect only."""
    if connection.dialect.name == "postgresql":
        # It imports asyncio and more, which a recording into SQLite would have to wait for.
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(table).inline()
    return sqlite.insert(table).inline()


def execute_many(
    connection: Connection,
    statement: ClauseElement,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Execute an insert or update once for each row, which has a value for each name.

    The values must be what the driver takes: nothing is converted.
    """
    compiled: Any = statement.compile(dialect=connection.dialect, column_keys=list(names))
    in_order = compiled.positiontup
    for chunk in chunks(rows, CHUNK):
        if in_order is None:
            parameters: list[Any] = [dict(zip(names, row, strict=True)) for row in chunk]
        elif in_order == list(names):
            parameters = chunk
        else:
            pick = itemgetter(*map(names.index, in_order))
            parameters = list(map(pick, chunk))
        connection.exec_driver_sql(str(compiled), parameters)


def insert_paths(connection: Connection, paths: Sequence[bytes]) -> dict[bytes, int]:
    """Store those of `paths` that are not stored yet, in one statement; returns their ids."""
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    values = ", ".join([f"({mark})"] * len(paths))
    made = connection.exec_driver_sql(
        # Nothing but placeholders is put into it.
        f"INSERT INTO path (name) VALUES {values} ON CONFLICT DO NOTHING RETURNING name, id",  # noqa: S608
        tuple(paths),
    )
    return dict(made.all())


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut into lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
