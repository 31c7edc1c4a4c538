"""What goes wrong with a database is said in one line, and what was stored is kept."""

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from recordings import ENDED_NS, FILE, START, access, create, details, process, read, record

from imptrace.db import queries, version
from imptrace.db.engine import open_database
from imptrace.db.recording_place import open_to_record
from imptrace.db.records import RunStatus
from imptrace.db.trouble import NoDatabaseError
from imptrace.db.writer import RunWriter
from imptrace.errors import ImptraceError
from imptrace.tracer.events import FileState, Op

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small tmpfs, which needs root")
NOBODY = 65534


@contextlib.contextmanager
def locked(place: Path) -> Iterator[None]:
    """Let another process hold the database's write lock."""
    code = """
        import sqlite3, sys
        connection = sqlite3.connect(sys.argv[1], isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        print("locked", flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        try:
            yield
        finally:
            other.communicate(timeout=30)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of half a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", 0) as file:
        while True:
            file.write(bytes(4096))


def message(place: Path, *, create: bool = False, read_only: bool = True) -> str:
    with pytest.raises(ImptraceError) as caught:
        open_database(place, create=create, read_only=read_only)
    text = str(caught.value)
    assert "\n" not in text
    assert str(place) in text
    return text


def test_a_lock_delays_rows_and_loses_none(place: Path) -> None:
    writer = RunWriter(open_to_record(place), START)
    with locked(place):
        writer.feed([process(), read(b"/while-locked")])
        writer.commit()
        assert writer.failure is not None
        assert "locked" in str(writer.failure)
        writer.feed([read(b"/fed-meanwhile")])
    writer.commit()
    assert writer.failure is None
    writer.finish(ENDED_NS, 0, None)
    writer.close()
    assert [path.path for path in details(place).paths] == [b"/fed-meanwhile", b"/while-locked"]


def test_a_lock_that_stays_leaves_what_was_committed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imptrace.db.writer.BUSY_TIMEOUT_MS", 100)
    monkeypatch.setattr("imptrace.db.writer.PATIENCE_SECONDS", 2.0)
    writer = RunWriter(open_to_record(place), START)
    writer.feed([process(), read(b"/stored")])
    writer.commit()
    with locked(place):
        writer.feed([read(b"/too-late")])
        writer.finish(ENDED_NS, 0, None)
    assert "another program holds it locked" in str(writer.failure)
    writer.close()
    assert [path.path for path in details(place).paths] == [b"/stored"]


def test_two_writers_take_turns(place: Path) -> None:
    writers = [RunWriter(open_to_record(place), START) for _ in range(2)]
    for round_ in range(5):
        for writer in writers:
            writer.feed([process(), read(b"/%d" % round_), read(b"/own-%d" % writer.run_id)])
            writer.commit()
    for writer in writers:
        writer.finish(ENDED_NS, 0, None)
        assert writer.failure is None
        writer.close()
    for run in (1, 2):
        assert len(details(place, run).paths) == 6


@needs_root
def test_a_full_disk_keeps_what_was_stored(small_disk: Path) -> None:
    place = small_disk / "imptrace.db"
    writer = RunWriter(open_to_record(place), START)
    writer.feed([process(), create(b"/early")])
    writer.commit()
    assert writer.failure is None
    writer.feed(create(b"/%0200d" % number) for number in range(20_000))
    writer.commit()
    assert "the disk is full" in str(writer.failure)
    writer.feed([create(b"/late")])
    writer.finish(ENDED_NS, 0, None, 0, [(b"/early", FILE)])
    assert "the disk is full" in str(writer.failure)
    writer.close()
    assert [path.path for path in details(place).paths] == [b"/early"]
    with contextlib.closing(sqlite3.connect(place)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@needs_root
def test_a_disk_with_room_again_takes_all(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    writer = RunWriter(open_to_record(small_disk / "imptrace.db"), START)
    fill(ballast)
    writer.feed([process(), *(create(b"/%d" % number) for number in range(300))])
    writer.commit()
    assert "the disk is full" in str(writer.failure)
    ballast.unlink()
    writer.finish(ENDED_NS, 0, None)
    assert writer.failure is None
    writer.close()
    assert len(details(small_disk / "imptrace.db").paths) == 300


@pytest.mark.parametrize("how", ["removed", "replaced", "overwritten", "directory", "run"])
def test_what_is_taken_away_meanwhile_is_not_called_stored(tmp_path: Path, how: str) -> None:
    """SQLite goes on writing a file that has no name any more."""
    place = tmp_path / "d/runs.db"
    writer = RunWriter(open_to_record(place), START)
    writer.feed([process(), read(b"/before")])
    writer.commit()
    if how == "removed":
        place.unlink()
    elif how == "replaced":
        (tmp_path / "other").write_text("hello")
        (tmp_path / "other").rename(place)
    elif how == "overwritten":
        place.write_text("hello")
    elif how == "directory":
        shutil.rmtree(place.parent)
    else:
        with contextlib.closing(sqlite3.connect(place)) as other, other:
            other.execute("DELETE FROM run")
    writer.feed([read(b"/after")])
    writer.finish(ENDED_NS, 0, None)
    writer.close()
    assert writer.failure is not None
    assert str(place) in str(writer.failure)
    assert "\n" not in str(writer.failure)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    place = tmp_path / "notes.txt"
    place.write_text("These are my notes, and long enough to be no empty file.\n" * 30)
    assert "not a database" in message(place)
    assert "not a database" in message(place, create=True, read_only=False)


def test_a_directory(tmp_path: Path) -> None:
    assert "is a directory" in message(tmp_path)


def test_another_programs_database(tmp_path: Path) -> None:
    place = tmp_path / "other.db"
    with sqlite3.connect(place) as other:
        other.execute("CREATE TABLE moz_places (id INTEGER)")
    other.close()
    assert "another program's tables" in message(place)
    assert "another program's tables" in message(place, create=True, read_only=False)


def test_a_newer_schema(place: Path) -> None:
    record(place, [read(b"/a")])
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    text = message(place)
    assert "written by a newer imptrace (schema 9999" in text
    assert f"this one knows {version.HEAD}" in text


def test_a_damaged_database(place: Path) -> None:
    record(place, [create(b"/%d" % number) for number in range(500)])
    content = bytearray(place.read_bytes())
    content[4096:] = b"\x55" * (len(content) - 4096)
    place.write_bytes(content)
    assert "damaged" in message(place)


def test_nothing_recorded_yet(place: Path) -> None:
    with pytest.raises(NoDatabaseError, match="begin with: imptrace run PROGRAM"):
        open_database(place, create=False, read_only=True)
    assert not place.parent.exists()


def test_a_directory_that_may_not_be_written_to(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    done = as_ordinary_user("open", closed / "imptrace.db")
    assert "Permission denied" in done


def test_a_database_that_may_not_be_written_to(place: Path) -> None:
    record(place, [read(b"/a")])
    place.parent.chmod(0o555)
    place.chmod(0o444)
    assert "may not be written to" in as_ordinary_user("write", place)


def test_a_database_that_may_only_be_read_is_read(place: Path) -> None:
    record(place, [read(b"/a")])
    place.parent.chmod(0o555)
    place.chmod(0o444)
    assert as_ordinary_user("read", place) == "1 run"


def as_ordinary_user(what: str, place: Path) -> str:
    """Use a database in a process without root's privilege to write anywhere."""
    for parent in place.parents:
        if not parent.stat().st_mode & 0o005:
            parent.chmod(parent.stat().st_mode | 0o055)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            text = _use(what, place)
        except BaseException as error:  # noqa: BLE001 (all must reach the test)
            text = repr(error)
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        text = answer.read().decode()
    os.waitpid(child, 0)
    return text


def _use(what: str, place: Path) -> str:
    try:
        if what == "read":
            engine = open_database(place, create=False, read_only=True)
            return f"{len(queries.runs(engine))} run"
        RunWriter(open_to_record(place), START)
    except ImptraceError as error:
        return str(error)
    return "no error"


def test_only_the_owner_may_read_what_was_recorded(place: Path) -> None:
    mask = os.umask(0)
    try:
        record(place, [read(b"/a")])
        writer = RunWriter(open_to_record(place), START)
        modes = {path.name: path.stat().st_mode & 0o777 for path in place.parent.iterdir()}
        writer.close()
    finally:
        os.umask(mask)
    assert modes.keys() == {"imptrace.db", "imptrace.db-wal", "imptrace.db-shm"}
    assert set(modes.values()) == {0o600}
    assert place.parent.stat().st_mode & 0o777 == 0o700


def test_a_name_with_characters_of_urls(tmp_path: Path) -> None:
    place = tmp_path / "50% ?odd#name&mode=ro.db"
    record(place, [read(b"/a")])
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
    assert details(place).run.program == b"demo"


KILLED_WRITER = """
    import sys
    sys.path.insert(0, sys.argv[2])
    from recordings import START, create, process
    from imptrace.db.recording_place import open_to_record
    from imptrace.db.writer import RunWriter
    writer = RunWriter(open_to_record(sys.argv[1]), START)
    writer.feed([process()])
    for number in range(1_000_000):
        writer.feed([create(b"/%d" % number)])
        writer.commit()
        print(number, flush=True)
"""


def test_a_killed_recorder_leaves_an_interrupted_run(place: Path) -> None:
    place.parent.mkdir()
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(KILLED_WRITER),
        place,
        Path(__file__).parent.parent,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as recorder:
        assert recorder.stdout is not None
        for _ in range(20):
            recorder.stdout.readline()
        assert details(place).run.status is RunStatus.RECORDING
        recorder.send_signal(signal.SIGKILL)
        committed = recorder.stdout.read().splitlines()
    found = details(place)
    assert found.run.status is RunStatus.INTERRUPTED
    assert found.run.ended_ns is None
    assert len(found.paths) >= 20 + len(committed)


def test_a_run_is_recording_while_its_recorder_lives(place: Path) -> None:
    writer = RunWriter(open_to_record(place), START)
    writer.feed([process(), access(Op.WRITE, b"/f", before=FILE)])
    writer.commit()
    assert details(place).run.status is RunStatus.RECORDING
    writer.close()


def test_the_look_at_files_keeps_nobody_out(place: Path) -> None:
    """Snapshots are taken outside of any transaction: others write meanwhile."""
    writer = RunWriter(open_to_record(place), START)
    writer.feed([process(), create(b"/made")])

    def looks() -> Iterator[tuple[bytes, FileState]]:
        with closing(sqlite3.connect(place, timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        yield (b"/made", FILE)

    writer.finish(ENDED_NS, 0, None, snapshots=looks())
    assert writer.failure is None
    with locked(place):
        assert writer.summary().created == 1  # a reader waits for no writer
    writer.close()


@needs_root
def test_a_full_disk_is_told_by_the_run_itself(small_disk: Path) -> None:
    """What could not be stored is counted, and how the program ended is known."""
    place = small_disk / "runs.db"
    writer = RunWriter(open_to_record(place), START)
    writer.feed([process(), read(b"/first")])
    writer.commit()
    writer.feed([read(b"/%d/" % number + b"n" * 200) for number in range(5000)])
    writer.finish(ENDED_NS, 7, None)
    assert "the disk is full" in str(writer.failure)
    writer.close()
    found = details(place)
    assert (found.run.exit_code, found.run.lost) == (7, 5000)
    assert [path.path for path in found.paths] == [b"/first"]
    assert [code for code, _ in found.run.warnings] == ["not-stored"]


def test_many_at_once(tmp_path: Path) -> None:
    """Each run makes the database or finds it busy: none fails."""
    program = "import os; [os.path.exists('/') or 0 for _ in range(9)]; open('/etc/hostname')"
    imptrace = Path(sys.executable).with_name("imptrace")
    words = [imptrace, "run", "-q", "--db", tmp_path / "x.db", "--", sys.executable, "-c", program]
    running = [subprocess.Popen(words, stderr=subprocess.PIPE) for _ in range(12)]
    said = [each.communicate(timeout=120)[1] for each in running]
    assert said == [b""] * 12
    assert [each.returncode for each in running] == [0] * 12
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        assert connection.execute("SELECT count(*), sum(status) FROM run").fetchone() == (12, 12)


def test_a_server_that_accepts_and_stays_silent(tmp_path: Path) -> None:
    """It is given up in time, and the program's exit code is kept."""
    pytest.importorskip("psycopg")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://x@127.0.0.1:{server.getsockname()[1]}/x?connect_timeout=2"
        imptrace = Path(sys.executable).with_name("imptrace")
        done = subprocess.run(
            [imptrace, "run", "--db", url, "sh", "-c", "exit 7"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 7
    assert "timeout" in done.stderr
    assert done.stderr.count("\n") == 1
