"""A user asks the machine's recorder, and learns what his own processes did: nothing of others."""

import os
import random
import socket
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from recorded_programs import IMPTRACE, NOBODY
from recordings import FILE, START, access, create, process, read, record

from imptrace.db import asking, queries
from imptrace.db.engine import reading
from imptrace.db.records import RunDetails
from imptrace.errors import ImptraceError
from imptrace.facts.answering import ENVIRONMENT, MOST_LINE, NO, OK, READ
from imptrace.record import answering
from imptrace.record.answering import Answering
from imptrace.tracer.events import Op, Outcome, RunScope

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
HIS, OTHER = NOBODY.pw_uid, 1001
SECRET = b"/home/other/secret-name"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Record a machine of two users and root, and a run of root's own."""
    place = tmp_path / "imptrace.db"
    his, other = FILE._replace(uid=HIS), FILE._replace(uid=OTHER, size=777_777)
    record(
        place,
        [
            process(1, exe=b"/usr/bin/his", uid=HIS),
            process(2, exe=b"/usr/bin/other-program", uid=OTHER),
            process(3, exe=b"/usr/bin/helper", uid=HIS, parent=2),
            process(4, exe=b"/usr/bin/passwd", uid=0, parent=1),
            create(b"/home/his/own"),
            create(b"/srv/both"),
            access(Op.WRITE, b"/srv/both", process=2, before=other),
            create(SECRET, process=2),
            read(b"/home/other/denied", outcome=Outcome.DENIED),
            access(Op.WRITE, b"/home/other/refused", before=other, outcome=Outcome.DENIED),
            read(b"/etc/shadow", process=4),
        ],
        {b"/home/his/own": his, b"/srv/both": other, SECRET: other},
        start=replace(
            START, scope=RunScope.MACHINE, argv=(b"imptrace", b"watch", b"--path", SECRET)
        ),
    )
    record(place, [process(uid=HIS), read(b"/root/run")], start=START)
    return place


@pytest.fixture
def place(database: Path, open_work: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve it."""
    monkeypatch.setattr(answering, "PAUSE_SECONDS", 0.0)
    server = Answering(open_work / "sock", database)
    server.start()
    yield open_work / "sock"
    server.close()


def as_user(uid: int, ask: Callable[[], bytes]) -> bytes:
    """Do something in a process of another user."""
    end, start = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setresuid(uid, uid, uid)
            os.write(start, ask())
        finally:
            os._exit(0)
    os.close(start)
    with open(end, "rb") as said:
        text = said.read()
    os.waitpid(child, 0)
    return text


def answer(place: Path, uid: int, into: Path) -> RunDetails | None:
    """Ask as a user; what he is told of the first run."""

    def ask() -> bytes:
        with asking.told(str(place)) as found:
            return Path(found).read_bytes()

    into.write_bytes(as_user(uid, ask))
    with reading(str(into)) as engine:
        ids = [run.id for run in queries.runs(engine)]
        return queries.run_details(engine, ids[0]) if ids else None


@needs_root
def test_a_user_is_told_of_his_own(place: Path, tmp_path: Path) -> None:
    """Of a file that is another's neither state nor size; of refused calls nothing."""
    found = answer(place, HIS, tmp_path / "his.db")
    assert found is not None
    assert {path.path for path in found.paths} == {b"/home/his/own", b"/srv/both"}
    assert {process.exe for process in found.processes} == {b"/usr/bin/his", b"/usr/bin/helper"}
    after = {path.path: path.after for path in found.paths}
    assert after[b"/home/his/own"] is not None
    assert after[b"/srv/both"] is None
    told = (tmp_path / "his.db").read_bytes()
    for name in (SECRET, b"other-program", b"denied", b"refused", b"shadow", b"/root/run"):
        assert name not in told, name


@needs_root
def test_who_did_nothing_is_told_nothing(place: Path, tmp_path: Path) -> None:
    assert answer(place, 4242, tmp_path / "none.db") is None


@needs_root
def test_the_commands_ask_by_themselves(
    place: Path, open_work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a user has recorded nothing himself."""
    script = (
        "import sys; from imptrace.cli.main import main;"
        "sys.argv[:] = ['imptrace', *sys.argv[1:]]; sys.exit(main())"
    )
    monkeypatch.delenv("IMPTRACE_DB", raising=False)
    home = open_work / "user"
    home.mkdir()
    home.chmod(0o777)
    command = [sys.executable, "-c", script, "files", "his"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        user=HIS,
        cwd="/",
        env={"HOME": str(home), "PATH": os.environ["PATH"], ENVIRONMENT: str(place)},
    )
    assert (done.returncode, "/home/his/own" in done.stdout) == (0, True), done.stderr


def exchanged(place: Path, question: bytes, *, end: bool = True) -> bytes:
    with closing(socket.socket(socket.AF_UNIX)) as asked:
        asked.settimeout(30)
        asked.connect(str(place))
        try:
            asked.sendall(question)
            if end:
                asked.shutdown(socket.SHUT_WR)
            return asked.makefile("rb").read()
        except ConnectionError:
            return b""


def test_whatever_is_asked_it_answers_the_next(place: Path) -> None:
    """Random bytes, half questions, endless lines, and clients that go away."""
    chance = random.Random(7)  # noqa: S311 (no secret)
    questions = [READ[:length] for length in range(len(READ))]
    questions += [READ.replace(b"read", word) for word in (b"write", b"READ", b"", b"read read")]
    questions += [b"\0" * MOST_LINE, b"x" * 100_000, b"\n", READ.replace(b"1", b"2")]
    questions += [chance.randbytes(chance.randrange(1, 2 * MOST_LINE)) for _ in range(200)]
    for question in questions:
        assert exchanged(place, question) in (NO + b"this is no question\n", b"")
    with closing(socket.socket(socket.AF_UNIX)) as gone:
        gone.connect(str(place))
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.sendall(READ)
    # Those that went away count as connections until that is noticed.
    deadline = time.monotonic() + 30
    while not exchanged(place, READ).startswith(OK):
        assert time.monotonic() < deadline


def test_one_user_has_few_connections(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More are closed at once; they come back when the slow ones have had their time."""
    monkeypatch.setattr(answering, "ASKING_SECONDS", 1.0)
    idle = [socket.socket(socket.AF_UNIX) for _ in range(answering.CONNECTIONS_OF_ONE)]
    for each in idle:
        each.connect(str(place))
    time.sleep(0.2)
    assert exchanged(place, READ) == b""
    time.sleep(2)
    assert exchanged(place, READ).startswith(OK)
    for each in idle:
        each.close()


def test_nothing_is_left_behind(place: Path, database: Path) -> None:
    for _ in range(5):
        assert exchanged(place, READ).startswith(OK)
    assert [each.name for each in database.parent.glob(".told-*")] == []


@pytest.mark.parametrize(
    "said",
    [b"", b"hello\n", OK + b"-1\n", OK + b"99999999999999999999\n", OK + b"5\nabc", b"x" * 999],
)
def test_a_wrong_answer_is_an_error(said: bytes, tmp_path: Path) -> None:
    """Whoever listens there: one line, and no database."""
    place = tmp_path / "sock"
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(place))
        listening.listen()
        child = os.fork()
        if not child:
            connection, _ = listening.accept()
            connection.recv(MOST_LINE)
            connection.sendall(said)
            os._exit(0)
        with pytest.raises(ImptraceError, match="sock"), asking.told(str(place)):
            pass
        os.waitpid(child, 0)


def test_an_answer_is_a_database(place: Path, tmp_path: Path) -> None:
    (tmp_path / "answer.db").write_bytes(exchanged(place, READ).partition(b"\n")[2])
    with closing(sqlite3.connect(tmp_path / "answer.db")) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert IMPTRACE.exists()
