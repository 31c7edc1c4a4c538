"""What the tests of the asking commands share: a database, and the command line."""

from dataclasses import replace
from pathlib import Path

import pytest
from command_line import Answer, Ask
from recordings import (
    DIRECTORY,
    FILE,
    HOME,
    LATER,
    START,
    access,
    create,
    process,
    read,
    record,
    rename,
)

from imptrace.cli.app import main
from imptrace.tracer.events import ABSENT, AccessFlag, FileType, Op, Outcome


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record two runs into a database, and make it the default one."""
    place = tmp_path / "imptrace.db"
    link = FILE._replace(type=FileType.SYMLINK)
    record(
        place,
        [
            process(argv=(b"demo", b"--fast", b"it's \x1b[31mred")),
            process(2, exe=b"/usr/bin/helper", parent=1, argv=(b"helper", b"-v")),
            process(3, exe=b"/usr/bin/other", parent=1, previous=2, pid=4002, argv=(b"other",)),
            *(process(4 + n, exe=b"/usr/bin/cc", parent=3, argv=(b"cc",)) for n in range(3)),
            read(b"/etc/passwd", count=2),
            read(b"/etc/shadow", outcome=Outcome.DENIED, errno=13, process=2),
            read(HOME + b"/.demo/state.db", process=2),
            access(Op.WRITE, HOME + b"/.demo/state.db", before=FILE, count=3),
            access(Op.MKDIR, HOME + b"/.demo/new", before=ABSENT),
            create(HOME + b"/.demo/new/\xff\n", flags=AccessFlag.EXCLUSIVE),
            access(Op.SYMLINK, HOME + b"/.demo/current", b"new", before=ABSENT),
            access(Op.DELETE, HOME + b"/.demo/old", before=FILE),
            create(b"/tmp/scratch"),
            create(HOME + b"/.demo/a.tmp"),
            rename(HOME + b"/.demo/a.tmp", HOME + b"/.demo/a"),
        ],
        {
            HOME + b"/.demo/state.db": LATER,
            HOME + b"/.demo/new": DIRECTORY,
            HOME + b"/.demo/new/\xff\n": FILE,
            HOME + b"/.demo/current": link,
            HOME + b"/.demo/a": FILE,
        },
        start=replace(START, label="first", argv=(b"demo", b"--fast", b"it's \x1b[31mred")),
    )
    record(place, [read(b"/etc/passwd")], start=replace(START, program=b"demo2"))
    monkeypatch.setenv("IMPTRACE_DB", str(place))
    monkeypatch.setenv("HOME", HOME.decode())
    return place


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return a function that runs a command line as the user's shell would."""

    def run(*words: object) -> Answer:
        monkeypatch.setattr("sys.argv", ["imptrace", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, out, err)

    return run
