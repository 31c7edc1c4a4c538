"""A fleet can share a PostgreSQL server: the same answers come from it as from SQLite.

The server is a real one, started for these tests in a directory of its own.
"""

import hashlib
import os
import pwd
import random
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from recordings import (
    ENDED_NS,
    FILE,
    LATER,
    START,
    access,
    create,
    details,
    process,
    read,
    record,
    rename,
)
from sqlalchemy import create_engine, select, text

from imptrace.db import models, queries, schema, uses
from imptrace.db.engine import open_database
from imptrace.db.migrations import configuration
from imptrace.db.recording_place import open_to_record
from imptrace.db.records import RunDetails
from imptrace.db.trouble import NoDatabaseError
from imptrace.db.writer import RunWriter
from imptrace.errors import ImptraceError
from imptrace.tracer.events import Op, Warned

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")


def programs() -> Path:
    """Find the server's programs: Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    usable = [place for place in places if (place / "postgres").exists()]
    if not usable:
        pytest.skip("PostgreSQL's server is not installed")
    return usable[-1]


def identity() -> dict[str, Any]:
    """Say as whom the server is to run: it refuses root."""
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam("postgres")
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server that listens on a socket only; returns its URL but for the database."""
    binaries = programs()
    who = identity()
    with tempfile.TemporaryDirectory(prefix="imptrace-pg-", dir="/tmp") as directory:
        if who:
            os.chown(directory, who["user"], who["group"])
        data = f"{directory}/data"
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8"],
            check=True,
            capture_output=True,
            **who,
        )
        settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-k", directory]
        with subprocess.Popen(
            [binaries / "postgres", "-D", data, *settings],
            stderr=subprocess.PIPE,
            text=True,
            **who,
        ) as running:
            assert running.stderr is not None
            for line in running.stderr:
                if "ready to accept connections" in line:
                    break
            yield f"postgresql://tester@/{{}}?host={directory}"
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=60)


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest) -> str:
    """Make an empty database of the server's."""
    name = f"test_{abs(hash(request.node.name))}"
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.format(name)


# Of the longest length, and of all bytes that a name may have.
INCOMPRESSIBLE = b"".join(hashlib.sha512(bytes([seed])).digest() for seed in range(64))[:4094]
INCOMPRESSIBLE = INCOMPRESSIBLE.replace(b"\0", b"x").replace(b"/", b"y")
EVENTS = [
    Warned("first", "a warning"),
    Warned("second", "another\udcff"),
    process(2, exe=b"/bin/\xff"),
    read(b"/\xff\xfe", count=3, last=99),
    access(Op.WRITE, b"/f", before=FILE._replace(inode=2**64 - 1, uid=2**32 - 1)),
    create(b"/d/x"),
    rename(b"/d", b"/e"),
    read(b"/" + INCOMPRESSIBLE),
]
AFTER = {b"/f": LATER, b"/e": FILE, b"/e/x": FILE}


def without_id(run: RunDetails) -> RunDetails:
    return replace(run, run=replace(run.run, id=0))


def test_it_answers_as_sqlite_does(url: str, place: Path) -> None:
    for where in (url, place):
        record(where, EVENTS, AFTER, start=replace(START, label="a\0b\udcff"))
    assert details(url) == details(place)


def test_batches_fold_in_the_database(url: str) -> None:
    writer = RunWriter(open_to_record(url), START)
    writer.feed([process()])
    for _ in range(3):
        writer.feed([read(b"/a", count=2), access(Op.WRITE, b"/b", before=FILE)])
        writer.commit()
    writer.finish(ENDED_NS, 0, None)
    assert writer.failure is None
    assert writer.summary().read == 1
    writer.close()
    counts = {path.path: path.ops for path in details(url).paths}
    assert counts == {b"/a": {Op.READ: 6}, b"/b": {Op.WRITE: 3}}


def test_questions_across_runs_and_removal(url: str) -> None:
    record(url, EVENTS, AFTER)
    record(url, [read(b"/f")], start=replace(START, program=b"other"))
    engine = open_database(url, create=False, read_only=False)
    assert [use.run for use in uses.path_uses(engine, b"/f")] == [1, 2]
    assert {use.path for use in uses.path_uses(engine, b"/e")} == {b"/e", b"/e/x"}
    assert {use.run for use in uses.program_uses(engine, "other")} == {2}
    assert queries.resolve_run(engine, "other") == 2
    queries.delete_runs(engine, [1])
    assert [use.path for use in uses.path_uses(engine, b"/")] == [b"/f"]
    engine.dispose()


def test_models_and_migrations_agree(url: str) -> None:
    engine = create_engine(url.replace(":", "+psycopg:", 1))
    with engine.begin() as connection:
        schema.upgrade(connection, "base")
        # Alembic does not ask for which database a constraint is.
        options = {"include_object": lambda _, name, *__: name != "uq_path_name"}
        context = MigrationContext.configure(connection, opts={"compare_type": True, **options})
        assert compare_metadata(context, models.Base.metadata) == []
    engine.dispose()
    for _ in range(2):
        record(url, EVENTS)
    with engine.connect() as connection:
        names = connection.scalars(select(models.PathTable.name)).all()
    assert len(names) == len(set(names))
    engine.dispose()


def test_warnings_of_an_earlier_version(url: str) -> None:
    """They stood as JSON in a column."""
    engine = create_engine(url.replace(":", "+psycopg:", 1))
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0003")
        connection.execute(
            text(
                'INSERT INTO run (program, argv, cwd, "user", uid, host, started_ns, recorder, '
                "recorder_pid, recorder_started, boot_id, status, lost, unseen, scope, warnings) "
                "VALUES ('demo', 'demo', '/', 'u', 1, 'h', 1, 'notify', 1, 1, '', 1, 0, 0, 0, "
                ":told)"
            ),
            {"told": '[["a", "one"], ["b", "two"]]'},
        )
    engine.dispose()
    assert details(url).run.warnings == (("a", "one"), ("b", "two"))


def test_an_empty_database_has_nothing_to_tell(url: str) -> None:
    with pytest.raises(NoDatabaseError, match="nothing is recorded yet"):
        open_database(url, create=False, read_only=True)


def test_a_server_that_went_away_is_one_line(url: str) -> None:
    with pytest.raises(ImptraceError) as caught:
        open_database(url.replace("host=/", "host=/nowhere/"), create=True, read_only=False)
    assert "\n" not in str(caught.value)


def test_a_server_that_drops_the_connection_gets_the_rest(url: str, server: str) -> None:
    """As one does that is restarted: the next batch asks for another connection."""
    writer = RunWriter(open_to_record(url), START)
    writer.feed([process(), read(b"/before")])
    writer.commit()
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
    writer.feed([read(b"/meanwhile")])
    writer.commit()
    assert writer.failure is not None
    writer.feed([read(b"/after")])
    writer.finish(ENDED_NS, 0, None)
    assert writer.failure is None
    writer.close()
    assert [path.path for path in details(url).paths] == [b"/after", b"/before", b"/meanwhile"]


def test_writers_that_meet_the_same_new_paths(url: str) -> None:
    """In opposite order, each within one long transaction: neither waits for the other for ever."""
    open_database(url, create=True, read_only=False).dispose()
    failures: list[str] = []

    def write(order: int) -> None:
        writer = RunWriter(open_to_record(url), START)
        for turn in range(3):
            numbers = list(range(4000))
            random.Random(order).shuffle(numbers)  # noqa: S311 (no secret)
            writer.feed([process(), *(read(b"/%d-%d" % (turn, number)) for number in numbers)])
            writer.commit()
        writer.finish(ENDED_NS, 0, None)
        failures.extend([str(writer.failure)] if writer.failure else [])
        writer.close()

    threads = [Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [len(details(url, run).paths) for run in (1, 2, 3, 4)] == [12_000] * 4


def test_many_that_find_an_empty_database(url: str) -> None:
    """One makes the tables, the others wait for it."""
    failures: list[BaseException] = []
    together = Barrier(8)

    def begin() -> None:
        together.wait()
        try:
            open_database(url, create=True, read_only=False).dispose()
        except ImptraceError as error:
            failures.append(error)

    threads = [Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_readers_cannot_write(url: str) -> None:
    record(url, EVENTS)
    engine = open_database(url, create=False, read_only=True)
    with pytest.raises(Exception, match="read-only transaction"):
        queries.delete_runs(engine, [1])
    engine.dispose()
