"""Damaged and hostile databases: a command answers, or says in one line that it cannot."""

import contextlib
import io
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fuzzing import budget
from hypothesis import given
from hypothesis import strategies as st
from recordings import DIRECTORY, FILE, HOME, LATER, START, access, create, process, record
from recordings import read as reading
from recordings import rename as renaming

from imptrace.cli.app import main
from imptrace.tracer.events import ABSENT, Access, AccessFlag, Op, Warned

EXIT_CODES = {0, 1, 2, 125}
PATIENCE_SECONDS = 30
COMMANDS = (
    ("runs",),
    ("runs", "--json"),
    ("show", "1"),
    ("show", "latest", "--json"),
    ("files", "demo", "--reads"),
    ("who", "/home/someone/.demo"),
    ("recommend", "1"),
    ("recommend", "demo", "--format", "json"),
    ("export", "1", "--dry-run"),
    ("rm", "1"),
)


def ask(words: tuple[str, ...], database: Path) -> tuple[int, str, str]:
    """Run a command on a database; returns its exit code, and what it said."""
    answer, said = io.StringIO(), io.StringIO()
    arguments, sys.argv = sys.argv, ["imptrace", *words, "--db", str(database)]
    signal.alarm(PATIENCE_SECONDS)  # ends the tests: a command that hangs is a failure
    try:
        with (
            contextlib.redirect_stdout(answer),
            contextlib.redirect_stderr(said),
            pytest.raises(SystemExit) as ended,
        ):
            main()
    finally:
        signal.alarm(0)
        sys.argv = arguments
    assert isinstance(ended.value.code, int)
    return ended.value.code, answer.getvalue(), said.getvalue()


def answers_or_complains(words: tuple[str, ...], database: Path) -> None:
    """Check the exit code, and that a complaint is one clear line."""
    code, _, said = ask(words, database)
    assert code in EXIT_CODES
    assert "Traceback" not in said
    assert "internal error" not in said, (words, said)
    if code == 125:
        assert said.count("\n") == 1, said
        assert said.startswith("imptrace: ")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record two runs."""
    place = tmp_path_factory.mktemp("good") / "runs.db"
    events = [
        process(2, exe=b"/usr/bin/helper", parent=1),
        Warned("setuid", "a program"),
        *(reading(b"/etc/file-%d" % number, process=2) for number in range(40)),
        access(Op.WRITE, HOME + b"/.demo/state.db", before=FILE, count=3),
        access(Op.MKDIR, HOME + b"/.demo/new", before=ABSENT),
        create(HOME + b"/.demo/a.tmp"),
        renaming(HOME + b"/.demo/a.tmp", HOME + b"/.demo/a"),
    ]
    after = {HOME + b"/.demo/state.db": LATER, HOME + b"/.demo/new": DIRECTORY}
    record(place, events, after | {HOME + b"/.demo/a": FILE}, start=replace(START, label="one"))
    record(place, [reading(b"/etc/passwd")], start=replace(START, program=b"other"))
    assert not place.with_name("runs.db-wal").exists()
    return place


_damages = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=30)


@budget(150)
@given(_damages, st.one_of(st.just(1.0), st.floats(0, 1)), st.sampled_from(COMMANDS))
def test_a_damaged_database(
    good: Path,
    tmp_path: Path,
    damages: list[tuple[float, int]],
    length: float,
    words: tuple[str, ...],
) -> None:
    """Bytes are changed anywhere, and the end is cut off."""
    content = bytearray(good.read_bytes())
    used = [position for position, byte in enumerate(content) if byte]
    for position, byte in damages:
        content[used[int(position * (len(used) - 1))]] = byte
    database = tmp_path / "damaged.db"
    for old in tmp_path.iterdir():
        old.unlink()
    database.write_bytes(content[: int(length * len(content))])
    answers_or_complains(words, database)


@budget(40)
@given(st.one_of(st.binary(max_size=200), st.binary().map(b"SQLite format 3\0".__add__)))
def test_a_file_of_any_bytes(tmp_path: Path, content: bytes) -> None:
    """What is no database is refused, or is empty."""
    database = tmp_path / "any.db"
    for old in tmp_path.iterdir():
        old.unlink()
    database.write_bytes(content)
    answers_or_complains(("show", "1"), database)


_names = st.binary(min_size=1, max_size=40).map(lambda name: name.replace(b"\0", b"?"))
_paths = st.lists(_names, min_size=1, max_size=5).map(lambda names: b"/" + b"/".join(names))
_accesses = st.builds(
    lambda op, path, other, flags: access(
        op, path, other if op in (Op.RENAME, Op.LINK, Op.SYMLINK) else None, flags=flags
    ),
    st.sampled_from(Op),
    _paths,
    _paths,
    st.integers(0, 2047).map(AccessFlag),
)


@budget(25)
@given(
    st.lists(_accesses, max_size=12),
    st.lists(_names, max_size=4).map(tuple),
    st.one_of(st.none(), st.text(max_size=20)),
    _names,
)
def test_names_of_any_bytes(
    tmp_path: Path,
    accesses: list[Access],
    argv: tuple[bytes, ...],
    label: str | None,
    program: bytes,
) -> None:
    """Each is stored, and shown without a character that could command a terminal."""
    database = tmp_path / "names.db"
    for old in tmp_path.iterdir():
        old.unlink()
    start = replace(START, label=label, argv=argv, program=program, cwd=program)
    record(database, [process(argv=argv, exe=b"/" + program), *accesses], start=start)
    for words in COMMANDS[:3] + COMMANDS[6:7]:
        code, answer, said = ask(words, database)
        assert code == 0 or "saw no path" in said, said
        assert all(character.isprintable() or character == "\n" for character in answer + said)
