"""Trouble with the database never touches the program; it is one line and exit code 125."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded_programs import Recorder, needs_root

from imptrace.db.records import RunStatus

FAILED = 125


def expect_failure(result: subprocess.CompletedProcess[bytes], words: bytes) -> None:
    """Expect a program that ended well, and a last line that says what could not be stored."""
    lines = result.stderr.splitlines()
    assert result.returncode == FAILED
    assert lines[-1].startswith(b"imptrace: database ")
    assert words in lines[-1]
    assert b"Traceback" not in result.stderr


def test_no_database(work: Path) -> None:
    """A file that is something else is left as it is."""
    place = work / "runs.db"
    place.write_bytes(b"something else\n" * 100)
    result = Recorder(place)("sh", "-c", ": > ran", cwd=work)
    expect_failure(result, b"not a database")
    assert (work / "ran").exists()
    assert place.read_bytes() == b"something else\n" * 100


def test_programs_own_failure_wins(work: Path) -> None:
    """The exit code 125 is only for a program that itself succeeded."""
    place = work / "runs.db"
    place.write_bytes(b"something else\n" * 100)
    result = Recorder(place)("sh", "-c", "exit 3")
    assert result.returncode == 3
    assert b"not a database" in result.stderr


def test_newer_schema(record: Recorder, work: Path) -> None:
    """A database of a newer imptrace is refused, and kept."""
    record("true")
    with sqlite3.connect(record.database) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    expect_failure(record("sh", "-c", ": > ran", cwd=work), b"newer")
    assert (work / "ran").exists()


def test_directory_that_is_none(work: Path) -> None:
    """A database below a file."""
    (work / "file").write_text("")
    expect_failure(Recorder(work / "file/runs.db")("true"), b"its directory is a file")


def test_locked_for_a_moment(record: Recorder) -> None:
    """While somebody else writes, the rows wait; nothing is lost."""
    record("true")
    holder = sqlite3.connect(record.database, isolation_level=None)
    holder.execute("begin immediate")
    running = subprocess.Popen(
        record.command("sh", "-c", "sleep 1; cat /etc/hostname"), stdout=subprocess.PIPE
    )
    assert running.stdout is not None
    assert running.stdout.readline()
    holder.execute("commit")
    holder.close()
    assert running.wait(60) == 0
    running.stdout.close()
    assert record.details().run.status is RunStatus.COMPLETE
    assert b"/etc/hostname" in record.paths()


@pytest.fixture
def tiny_disk(work: Path) -> Iterator[Path]:
    """Give a file system of one megabyte."""
    place = work / "tiny"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@needs_root
def test_full_disk(tiny_disk: Path, work: Path) -> None:
    """A disk that fills up in the middle: what was stored before is kept."""
    record = Recorder(tiny_disk / "runs.db")
    script = "sleep 1; i=0; while [ $i -lt 6000 ]; do : > some-long-name-$i; i=$((i+1)); done"
    result = record("sh", "-c", script, cwd=work)
    expect_failure(result, b"disk is full")
    assert len(list(work.iterdir())) == 6001
    (tiny_disk / "runs.db-wal").exists()
    assert record.details().run.program == b"sh"


@needs_root
def test_directory_that_is_not_writable(work: Path) -> None:
    """As an ordinary user, in somebody else's directory."""
    place = work / "private"
    place.mkdir(mode=0o755)
    words = ["setpriv", "--reuid", "65534", "--clear-groups"]
    command = Recorder(place / "runs.db").command("echo", "ran")
    for directory in [work, *work.parents][:-1]:
        directory.chmod(directory.stat().st_mode | 0o011)
    result = subprocess.run(
        [*words, *command], capture_output=True, check=False, timeout=60,
        env=os.environ | {"HOME": "/nonexistent"},
    )  # fmt: skip
    assert result.stdout == b"ran\n"
    expect_failure(result, b"ermission denied")
