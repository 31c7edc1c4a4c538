"""A database whose writer was killed in the middle of a transaction."""

import subprocess
import sys
from pathlib import Path

from imptrace.db.engine import open_database

KILLED = """
import os, sqlite3, sys
base = sqlite3.connect(sys.argv[1], isolation_level=None)
base.execute("PRAGMA journal_mode = DELETE")
base.execute("PRAGMA cache_size = 1")
base.execute("BEGIN IMMEDIATE")
base.execute("CREATE TABLE filler (text)")
base.executemany("INSERT INTO filler VALUES (?)", (("x" * 4000,) for _ in range(100)))
os._exit(9)
"""


def test_a_reader_has_it_undone(tmp_path: Path) -> None:
    """A reader may not play back a journal itself, and said that the database is not writable."""
    database = tmp_path / "runs.db"
    open_database(database, create=True, read_only=False).dispose()
    subprocess.run([sys.executable, "-c", KILLED, str(database)], check=False, timeout=60)
    assert (tmp_path / "runs.db-journal").exists()
    engine = open_database(database, create=False, read_only=True)
    with engine.connect() as connection:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_schema").scalars().all()
    engine.dispose()
    assert "run" in tables
    assert "filler" not in tables
