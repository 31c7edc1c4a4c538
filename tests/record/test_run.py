"""`imptrace run` stands in for the program: its output, its end, its arguments."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_programs import IMPTRACE, Installed, Recorder

from imptrace.db.records import Effect, RunStatus
from imptrace.tracer.events import Op


@pytest.fixture
def record(tmp_path: Path) -> Recorder:
    """Record by the installed command: it is what these tests are about."""
    return Installed(tmp_path / "runs.db")


def test_output_is_the_programs_own(record: Recorder) -> None:
    """Not a byte is added to stdout; the summary goes to stderr, behind the program's own."""
    result = record("sh", "-c", "printf out; printf err >&2")
    assert result.stdout == b"out"
    assert result.stderr.startswith(b"errimptrace: run 1 (sh): ")
    assert str(record.database).encode() in result.stderr
    assert b"imptrace recommend sh" in result.stderr


def test_quiet(record: Recorder) -> None:
    """--quiet leaves nothing but the program's own output."""
    result = record("sh", "-c", "echo out", options=["--quiet"])
    assert (result.stdout, result.stderr) == (b"out\n", b"")


@pytest.mark.parametrize("code", [0, 1, 42, 125, 255])
def test_exit_code(record: Recorder, code: int) -> None:
    """The exit code is passed on and recorded."""
    assert record("sh", "-c", f"exit {code}").returncode == code
    assert record.details().run.exit_code == code
    assert record.details().run.status is RunStatus.COMPLETE


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE, signal.SIGINT]
)
def test_same_death(record: Recorder, number: signal.Signals) -> None:
    """A program that a signal ends takes imptrace with it, by the same signal."""
    result = record("sh", "-c", f"kill -{number.value} $$")
    assert result.returncode == -number
    assert record.details().run.exit_signal == number


def test_options_behind_the_program_are_the_programs(record: Recorder) -> None:
    """Also those that imptrace has itself."""
    words = [str(IMPTRACE), "run", "--db", str(record.database), "echo", "--quiet", "--help"]
    result = subprocess.run(words, capture_output=True, check=False, timeout=60)
    assert result.stdout == b"--quiet --help\n"


def test_what_is_known_of_the_run(record: Recorder, work: Path) -> None:
    """Label, service, command line, directory, user."""
    record("ls", "-a", options=["--label", "first", "--service", "nginx"], cwd=work)
    run = record.details().run
    assert (run.label, run.service, run.program, run.argv) == (
        "first",
        "nginx",
        b"ls",
        (b"ls", b"-a"),
    )
    assert run.cwd == os.fsencode(work)
    assert run.uid == os.getuid()


def test_process_tree(record: Recorder) -> None:
    """A child that execs is one process below its parent; an exec makes a new image."""
    record("sh", "-c", "sh -c 'cat /dev/null; exec ls /' ; true")
    outer, middle, cat, ls = record.details().processes
    assert [image.argv[0] for image in (outer, middle, cat, ls)] == [b"sh", b"sh", b"cat", b"ls"]
    assert (outer.parent, middle.parent, cat.parent) == (None, outer.id, middle.id)
    assert (ls.previous, ls.pid) == (middle.id, middle.pid)
    assert ls.exe.endswith(b"/ls")
    assert outer.status == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["no-such-program"], 127, b"'no-such-program': there is no such program in PATH"),
        (["/no/such"], 127, b"'/no/such': there is no such program"),
        (["/etc/passwd"], 126, b"'/etc/passwd' is not executable"),
        (["/etc"], 126, b"'/etc' is a directory"),
    ],
)
def test_program_that_cannot_be_run(
    record: Recorder, words: list[str], code: int, message: bytes
) -> None:
    """One line, the shell's exit code, no run."""
    result = record(*words)
    assert result.returncode == code
    assert result.stderr.startswith(b"imptrace: " + message)
    assert result.stderr.count(b"\n") == 1
    assert not record.database.exists()


@pytest.mark.parametrize("words", [["--bogus", "true"], [], ["--user", "no-such-user", "true"]])
def test_wrong_usage(words: list[str]) -> None:
    """Exit code 2 and one line."""
    result = subprocess.run([str(IMPTRACE), "run", *words], capture_output=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(b"imptrace: ")
    assert result.stderr.count(b"\n") == 1


def test_nothing_but_the_database_is_left(record: Recorder) -> None:
    """It is closed at the end, which takes what was written aside into it."""
    assert record("true").returncode == 0
    assert list(record.database.parent.glob("runs.db*")) == [record.database]


def test_script_without_interpreter_line(record: Recorder, work: Path) -> None:
    """Such a script is the shell's, as for every program that searches PATH."""
    script = work / "script"
    script.write_text("exit 9\n")
    script.chmod(0o755)
    assert record(str(script)).returncode == 9


def test_script_whose_interpreter_is_missing(record: Recorder, work: Path) -> None:
    """The message names the interpreter, since the script itself is there."""
    script = work / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    result = record(str(script))
    assert result.returncode == 127
    assert b"interpreter is not there" in result.stderr


def test_writes_only(record: Recorder, work: Path) -> None:
    """Reads are not stopped at all; changes are seen as ever."""
    (work / "read").write_text("x")
    record("sh", "-c", "cat read > new", options=["--writes-only"], cwd=work)
    assert set(record.paths(work)) == {os.fsencode(work / "new")}


def test_stats(record: Recorder, work: Path) -> None:
    """Questions are recorded on request only."""
    asked = os.fsencode(work / "asked")
    record("test", "-e", "asked", cwd=work)
    assert asked not in record.paths(work)
    record("test", "-e", "asked", options=["--stats"], cwd=work)
    assert record.paths(work)[asked].ops == {Op.STAT: 1}


def test_effects(record: Recorder, work: Path) -> None:
    """Created, modified, deleted, unchanged: what is there after, compared with before."""
    for name in ("old", "gone", "same"):
        (work / name).write_text("x")
    record("sh", "-c", "echo y >> old; rm gone; : >> same; echo > new; mv new moved", cwd=work)
    effects = {os.path.basename(path): seen.effect for path, seen in record.paths(work).items()}
    assert effects == {
        b"old": Effect.MODIFIED,
        b"gone": Effect.DELETED,
        b"same": Effect.UNCHANGED,
        b"new": Effect.UNCHANGED,
        b"moved": Effect.CREATED,
    }


def test_read_first(record: Recorder, work: Path) -> None:
    """State from an earlier run shows by being read before it is written."""
    (work / "state").write_text("x")
    record("sh", "-c", "cat state; echo y > state; echo z > new; cat new", cwd=work)
    paths = record.paths(work)
    assert paths[os.fsencode(work / "state")].read_first
    assert not paths[os.fsencode(work / "new")].read_first


def test_32_bit_program(record: Recorder, work: Path, compiled: Callable[..., Path]) -> None:
    """The calls of a 32-bit program have numbers of their own."""
    try:
        program = compiled("changes", "-m32")
    except subprocess.CalledProcessError:
        pytest.skip("no 32-bit C library here: apt-get install gcc-multilib")
    assert record(str(program), cwd=work).returncode == 0
    names = {os.path.basename(path): seen.ops for path, seen in record.paths(work).items()}
    assert names[b"file"] == {Op.CREATE: 1, Op.WRITE: 1, Op.CHMOD: 2, Op.UTIME: 1, Op.RENAME: 1}
    assert names[b"renamed"] == {Op.RENAME: 1, Op.LINK: 1, Op.TRUNCATE: 1, Op.DELETE: 1}
    assert names[b"directory"] == {Op.MKDIR: 1, Op.DELETE: 1}
    assert names[b"socket"] == {Op.BIND: 1, Op.CONNECT: 1, Op.DELETE: 1}


def test_io_uring_is_off_unless_asked_for(record: Recorder, compiled: Callable[..., Path]) -> None:
    """io_uring_setup fails with ENOSYS, so that programs fall back to calls that are seen."""
    program = str(compiled("io_uring"))
    notify = ["--recorder", "notify"]
    refused = record(program, options=notify)
    assert refused.stdout == b"ENOSYS\n"
    assert b"io_uring, which is switched off" in refused.stderr
    assert list(dict(record.details().run.warnings)) == ["io_uring-off"]
    advice = subprocess.run(
        [IMPTRACE, "recommend", "latest", "--db", str(record.database)],
        capture_output=True, check=False,
    )  # fmt: skip
    assert b"io_uring" in advice.stdout + advice.stderr
    allowed = record(program, options=[*notify, "--io-uring"])
    assert allowed.stdout == b"there\n"
    assert b"not all that it does by it is seen" in allowed.stderr
