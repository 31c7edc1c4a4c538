"""`imptrace export` and `imptrace import`: the same answer on another machine, and no names."""

import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from command_line import Answer, Ask

from imptrace.catalogue import shipped
from imptrace.cli.app import main
from imptrace.db.engine import reading
from imptrace.db.recording_place import open_to_record
from imptrace.db.records import RunStart
from imptrace.db.writer import RunWriter
from imptrace.evidence.asked_runs import Question
from imptrace.evidence.file import FIRST_BYTES
from imptrace.evidence.gather import gather
from imptrace.judge.advise import advise
from imptrace.judge.model import Recommendation, Scope
from imptrace.tracer.events import (
    ABSENT,
    Access,
    Event,
    FileState,
    FileType,
    Mount,
    Op,
    Outcome,
    ProcessExited,
    ProcessStarted,
)


class Machine(NamedTuple):
    """Who recorded, and where."""

    host: str
    user: str
    uid: int
    home: bytes


FOREIGN = Machine("heartofgold", "zaphodb", 1042, b"/home/zaphod-home")
OWN_MACHINE = Machine(platform.node(), "root", 0, b"/root")
ROOT = Mount(20, 1, "0:20", b"/", b"/", "ext4", b"/dev/zaphod", "rw")
OWN, SHARED, READ = b"/.config/demo/", b"/.config/mimeapps.list", b"/usr/lib/demo/plugin.so"
FILE = FileState(FileType.FILE, 10, 0o600, 0, 0, 1, 1, 1, 1)


def events(machine: Machine, program: bytes, *changed: bytes) -> Iterator[Event]:
    """Tell of a program that reads a library, and reads and replaces some files."""
    yield ProcessStarted(
        process=1, parent=None, previous=None, pid=7, exe=b"/usr/bin/" + program, argv=(program,),
        cwd=machine.home, uid=machine.uid, gid=machine.uid, cgroup=b"/",
        environ={"HOME": machine.home}, at=0,
    )  # fmt: skip
    yield Access(1, Op.READ, READ, None, Outcome.OK, 1)
    for number, path in enumerate(changed, start=2):
        yield Access(1, Op.READ, path, None, Outcome.OK, number)
        yield Access(1, Op.CREATE, path + b".tmp", None, Outcome.OK, number, before=ABSENT)
        yield Access(
            1, Op.RENAME, path + b".tmp", path, Outcome.OK, number,
            before=FILE._replace(inode=2), before2=FILE,
        )  # fmt: skip
    yield ProcessExited(1, 0, 9)


def record(place: Path, machine: Machine, program: bytes, *names: bytes) -> None:
    """Store a run of a program that changes files of its user."""
    changed = [machine.home + name for name in names]
    state = FILE._replace(uid=machine.uid, gid=machine.uid, inode=2)
    start = RunStart(
        program=program, argv=(program, b"--token=hunter2"), cwd=machine.home,
        user=machine.user, uid=machine.uid, host=machine.host,
        started_ns=1_700_000_000_000_000_000, recorder="notify",
    )  # fmt: skip
    writer = RunWriter(open_to_record(place), start, (ROOT,))
    writer.feed(events(machine, program, *changed))
    after = [(path, state) for path in changed]
    after += [(path + b".tmp", ABSENT) for path in changed]
    writer.finish(1_700_000_001_000_000_000, 0, None, snapshots=after)
    writer.close()


@pytest.fixture(params=[FOREIGN, OWN_MACHINE], ids=["foreign", "own"])
def machine(request: pytest.FixtureRequest) -> Machine:
    """Take this machine, or another whose runs came here."""
    found = request.param
    assert isinstance(found, Machine)
    return found


@pytest.fixture
def database(machine: Machine, tmp_path: Path) -> Path:
    """Record a program twice, and another one that shares a file with it."""
    place = tmp_path / "here.db"
    for _ in range(2):
        record(place, machine, b"demo", OWN + b"settings", SHARED)
    record(place, machine, b"other", SHARED)
    return place


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run the command line in this process."""

    def run(*arguments: str | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["imptrace", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return Answer(caught.value.code, said.out, said.err)

    return run


def recommended(place: Path, program: str) -> tuple[Recommendation, ...]:
    """Judge the runs of a program in a database."""
    with reading(str(place)) as engine:
        return advise(gather(engine, Question(names=(program,)), shipped())).recommendations


def seen(each: Recommendation) -> tuple[object, ...]:
    """Take what must be the same on both machines, once the names are replaced."""
    path = each.path.replace(b"zaphod-home", b"home1")
    user = "user1" if each.user == FOREIGN.user else each.user
    return (
        path, each.scope, each.level, user, each.group, each.mode, each.used_by, each.confidence
    )  # fmt: skip


def test_the_answer_is_the_same_there(
    ask: Ask, machine: Machine, database: Path, tmp_path: Path
) -> None:
    """The same paths at the same levels, owned or shared, with the same other programs."""
    file, there = tmp_path / "demo.jsonl", tmp_path / "there.db"
    exported = ask("export", "demo", "-o", file, "--db", database)
    assert (exported.code, exported.out) == (0, ""), exported.err
    assert "2 runs, 8 paths; 2 that no verdict rests on are left out" in exported.err
    assert "warning" not in exported.err
    assert ask("import", file, "--db", there).code == 0
    here, elsewhere = ([*map(seen, recommended(place, "demo"))] for place in (database, there))
    assert here == elsewhere
    scopes = {path: scope for path, scope, *_ in here}
    home = machine.home.replace(b"zaphod-home", b"home1")
    assert scopes[home + OWN.rstrip(b"/")] is Scope.OWNED
    assert scopes[home + SHARED] is Scope.SHARED


def test_when_things_were_done_leaves_too(ask: Ask, database: Path) -> None:
    """Times within a run tell what came first, where a later version may judge by it."""
    lines = map(json.loads, ask("export", "demo", "--dry-run", "--db", database).out.splitlines())
    times = {each["first"] for line in lines for each in line.get("accesses", ())}
    assert times >= {2, 3}


def test_nothing_private_leaves(ask: Ask, database: Path, tmp_path: Path) -> None:
    """What --dry-run prints is what the file holds, and it holds no names."""
    file = tmp_path / "demo.jsonl"
    assert ask("export", "demo", "-o", file, "--db", database).code == 0
    content = file.read_bytes()
    assert content.startswith(FIRST_BYTES)
    assert ask("export", "demo", "--dry-run", "--db", database).out.encode() == content
    for word in (b"zaphod", b"heartofgold", platform.node().encode(), b"hunter2", b"1042"):
        assert word not in content.lower(), word
    assert READ not in content


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("demo",), "name the file with --output"),
        (("demo", "--dry-run", "-o", "x"), "name the file with --output"),
        (("demo", "-o", "/nowhere/x"), "cannot be written"),
        (("nothing", "--dry-run"), "no run is called 'nothing'"),
    ],
)
def test_wrong_usage(ask: Ask, database: Path, arguments: tuple[str, ...], message: str) -> None:
    """One line, exit code 2."""
    answer = ask("export", *arguments, "--db", database)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1


def test_a_file_is_not_overwritten(ask: Ask, database: Path, tmp_path: Path) -> None:
    """It may be somebody's."""
    file = tmp_path / "mine"
    file.write_text("mine")
    answer = ask("export", "demo", "-o", file, "--db", database)
    assert answer.code == 2
    assert "exists: name another file" in answer.err
    assert file.read_text() == "mine"
