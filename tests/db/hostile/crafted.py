"""Databases that are well formed and hold what imptrace never writes."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

DEEP = "[" * 50_000 + "]" * 50_000
VALUES: tuple[object, ...] = (
    "a text",
    "\x1b[31m\u202e\x9b",
    b"\x00\xff blob",
    -1,
    (1 << 63) - 1,
    -(1 << 63),
    1e308,
    "",
    b"",
    DEEP,
    '{"code": 1}',
    None,
)
"""What a column gets that was made for something else."""

STATEMENTS = (
    "DROP TABLE {table}",
    "ALTER TABLE {table} RENAME TO other; CREATE VIEW {table} AS SELECT * FROM other",
    """ALTER TABLE {table} RENAME TO other; CREATE VIEW {table} AS WITH RECURSIVE n(x) AS
    (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS id, other.* FROM n, other""",
    "CREATE TRIGGER t BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, 'no\nmore'); END",
    """CREATE TRIGGER t AFTER INSERT ON {table} BEGIN
    INSERT INTO {table} SELECT * FROM {table}; END""",
    "DELETE FROM {table}",
)
"""What is done to a whole table."""


def tables(database: Path) -> dict[str, list[str]]:
    """List the tables and their columns."""
    with sqlite3.connect(database) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
            for name in names
        }


def crafted(good: Path, place: Path, step: int = 1) -> Iterator[tuple[str, Path]]:
    """Make one after the other at `place`, every `step`th of all; what was done to each."""
    changes = [
        (f"UPDATE OR IGNORE {table} SET {column} = ?", (value,))  # noqa: S608 (its own names)
        for table, columns in tables(good).items()
        for column in columns
        for value in VALUES
    ]
    changes += [
        (statement.format(table=table), ()) for table in tables(good) for statement in STATEMENTS
    ]
    for statement, values in changes[::step]:
        for old in place.parent.glob(f"{place.name}*"):
            old.unlink()
        shutil.copy(good, place)
        connection = sqlite3.connect(place)
        try:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            if values:
                connection.execute(statement, values)
            else:
                connection.executescript(statement)
            connection.commit()
        except sqlite3.Error:
            continue  # SQLite does not let it be written
        finally:
            connection.close()
        yield f"{statement} {str(values)[:60]}", place
