"""A database of any age becomes one of today, and the models are what migrations make."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from recordings import START, details, read, record
from sqlalchemy import Connection, create_engine, inspect, text

from imptrace.db import schema, version
from imptrace.db.engine import open_database
from imptrace.db.migrations import configuration
from imptrace.db.models import Base
from imptrace.errors import ImptraceError
from imptrace.evidence.machine import brought_along
from imptrace.tracer.events import MountNamed


def tables(connection: Connection) -> dict[str, str]:
    """Return the statements that would make tables and indexes, with single spaces."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    # A table that was made anew and given its name by SQLite has that in quotes.
    return {name: " ".join(sql.split()).replace(f'"{name}"', name) for name, sql in rows}


def test_models_and_migrations_agree() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        schema.upgrade(connection, "base")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        migrated = tables(connection)
        names = {
            constraint["name"]
            for table in Base.metadata.tables
            for constraint in inspect(connection).get_foreign_keys(table)
        }
    engine.dispose()
    fresh = create_engine("sqlite://")
    with fresh.begin() as connection:
        schema.create(connection)
        assert tables(connection) == migrated
    fresh.dispose()
    assert "fk_access_path_id_path" in names


def test_a_fresh_database_is_stamped_with_the_newest_revision() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        scripts = ScriptDirectory.from_config(configuration(connection))
        assert scripts.get_current_head() == version.HEAD
    engine.dispose()


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let imptrace have one more revision; returns where its script is."""
    script = tmp_path / "r9999_next.py"

    def with_it(connection: Connection) -> Config:
        config = configuration(connection)
        own = Path(config.get_main_option("script_location") or "", "versions")
        config.set_main_option("version_path_separator", "os")  # before Alembic 1.16
        config.set_main_option("version_locations", f"{own}{os.pathsep}{tmp_path}")
        return config

    monkeypatch.setattr("imptrace.db.migrations.configuration", with_it)
    monkeypatch.setattr(version, "HEAD", "9999")
    return script


CURRENT = version.HEAD
NEXT = """
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "CURRENT"
def upgrade():
    with op.batch_alter_table("run", recreate="always") as batch:
        batch.alter_column("host", new_column_name="machine")
""".replace("CURRENT", CURRENT)


def test_an_older_database_is_migrated_on_open_even_for_a_reader(
    place: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(version, "HEAD", CURRENT)
        record(place, [read(b"/a")])
    newer.write_text(NEXT)
    engine = open_database(place, create=False, read_only=True)
    with engine.connect() as connection:
        assert schema.stored_revision(connection) == "9999"
        assert connection.scalar(text("SELECT machine FROM run")) == START.host
        # What refers to the table that was made anew is still there.
        assert connection.scalar(text("SELECT count(*) FROM access")) == 1
    engine.dispose()


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    place: Path, newer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(version, "HEAD", CURRENT)
        record(place, [read(b"/a")])
    newer.write_text(NEXT + "    op.execute('DROP TABLE no_such_table')\n")
    with pytest.raises(ImptraceError, match="no such table"):
        open_database(place, create=False, read_only=True)
    monkeypatch.setattr(version, "HEAD", CURRENT)
    assert [path.path for path in details(place).paths] == [b"/a"]


def test_alembic_is_not_imported_where_no_migration_is_due(tmp_path: Path) -> None:
    code = (
        "import sys; from imptrace.db.engine import open_database;"
        "open_database(sys.argv[1], create=True, read_only=False).dispose();"
        "open_database(sys.argv[1], create=False, read_only=True).dispose();"
        "print('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "x.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "False\n"


@pytest.fixture
def first_version(tmp_path: Path) -> Path:
    """Give a database that imptrace wrote when its schema was the first."""
    return of_revision("0001", tmp_path)


def of_revision(revision: str, directory: Path) -> Path:
    """Give a database that the imptrace of that revision wrote."""
    place = directory / f"{revision}.db"
    with closing(sqlite3.connect(place)) as connection:
        connection.executescript(Path(__file__).with_name(f"schema_{revision}.sql").read_text())
    return place


def test_a_database_of_the_first_version(first_version: Path) -> None:
    """What stood as JSON in the properties of a run is where it belongs now."""
    service, program, log = (details(first_version, number) for number in (1, 2, 3))
    assert [each.run.scope for each in (service, program, log)] == ["unit", "program", "log"]
    assert service.run.properties == {
        "StateDirectory": "demo",
        "User": "demo",
        "InvocationID": "ab12",
    }
    assert service.mount_names == (
        MountNamed(b"/tmp", b"/private/\xff"),
        MountNamed(b"/tmp", None),
        MountNamed(b"/data", b"/srv/data"),
    )
    assert [process.unit for process in service.processes] == ["demo.service"]
    assert (service.run.lost, len(service.run.warnings), len(service.mounts)) == (2, 1, 1)
    assert {path.path: path.effect for path in service.paths} == {
        b"/etc/demo.conf": None,
        b"/var/lib/demo/new": "created",
        b"/var/lib/demo/state": "modified",
    }
    assert (program.run.properties, program.run.elsewhere) == ({}, None)
    brought = brought_along(log.run)
    assert brought is not None
    assert (log.run.properties, brought.system) == ({}, "Debian 12")


def test_a_first_version_with_damaged_properties(first_version: Path) -> None:
    """They are left out; the rest of the run is there."""
    with closing(sqlite3.connect(first_version)) as connection:
        connection.execute("UPDATE run SET properties = '[1' WHERE id = 1")
        connection.execute('UPDATE run SET properties = \'{"MountNames": "7"}\' WHERE id = 2')
        connection.commit()
    assert details(first_version, 1).run.properties == {}
    assert details(first_version, 2).mount_names == ()
    assert len(details(first_version, 1).paths) == 3


@pytest.mark.parametrize("revision", ["0002", "0003"])
def test_a_recording_of_a_later_version(revision: str, tmp_path: Path) -> None:
    """One program, recorded for real by the imptrace of that revision: all of it is there."""
    found = details(of_revision(revision, tmp_path), 1)
    ((code, text),) = found.run.warnings
    assert code == "io_uring-off"
    assert text.startswith("a program asked for io_uring, which is switched off because its")
    assert (found.run.exit_code, found.run.host, len(found.mounts)) == (3, "demo", 2)
    assert {path.path: path.effect for path in found.paths} == {
        b"/tmp/demo/demo": None,
        b"/tmp/demo/missing": None,
        b"/tmp/demo/state": "created",
        b"/tmp/demo/state/data": "created",
    }


@pytest.mark.parametrize(
    ("written", "carried"),
    [
        ('[["a", "one"], ["b", "two"]]', (("a", "one"), ("b", "two"))),
        ('[["a", "x\\u0000y\\udcff"], ["b"], 7, ["c", 1]]', (("a", "xy\\xff"),)),
        ('[["a"', ()),
        ("{}", ()),
        ("[" * 100_000, ()),
    ],
)
def test_warnings_of_an_earlier_version(
    written: str, carried: tuple[tuple[str, str], ...], tmp_path: Path
) -> None:
    """In their order; of a list that somebody damaged, what is of that form."""
    place = of_revision("0003", tmp_path)
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("UPDATE run SET warnings = ?", (written,))
        connection.commit()
    assert details(place, 1).run.warnings == carried
