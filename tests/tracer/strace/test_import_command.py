"""`imptrace import`, from the command line to the database."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import forked
import pytest
from reading import needs_strace, strace

LOG = (
    b'7 execve("/usr/bin/tool", ["tool", "-x"], 0x7ffd /* 9 vars */) = 0\n'
    b'7 openat(AT_FDCWD, "/home/u/.toolrc", O_RDONLY) = 3\n'
    b'7 mkdir("/home/u/.tool", 0700) = 0\n'
    b'7 open("/home/u/.tool/db", O_RDWR|O_CREAT|O_EXCL, 0600) = 4\n'
    b"7 +++ exited with 4 +++\n"
)


class Command:
    """imptrace with a database of its own."""

    def __init__(self, directory: Path) -> None:
        self.database = directory / "test.db"

    def __call__(self, *words: str | Path) -> forked.Done:
        """Run one command."""
        return forked.run_text(*words, env={**os.environ, "IMPTRACE_DB": str(self.database)})

    def shown(self, run: str = "latest") -> dict[str, object]:
        """Return a run as `imptrace show --json` tells of it."""
        answer: dict[str, object] = json.loads(self("show", run, "--json").stdout)
        return answer


@pytest.fixture
def imptrace(tmp_path: Path) -> Command:
    """Give a command with a new database."""
    return Command(tmp_path)


def _complaint(done: forked.Done) -> str:
    """Return the one line of a refusal."""
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("imptrace: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_log_becomes_a_run(imptrace: Command, tmp_path: Path) -> None:
    """Program, arguments, exit code, label, service and effects are there to be asked for."""
    log = tmp_path / "tool.log"
    log.write_bytes(LOG)
    done = imptrace("import", "--label", "first", "--service", "tool", log)
    assert (done.returncode, done.stdout) == (0, "")
    assert (
        "run 1 (tool): 2 paths read, 2 created, 0 modified, 0 deleted, from 5 lines" in done.stderr
    )
    run = imptrace.shown("first")
    assert run["run"] == run["run"] | {
        "program": "tool",
        "argv": ["tool", "-x"],
        "exit": {"code": 4, "signal": None},
        "recorder": "strace",
        "status": "complete",
        "service": "tool",
    }
    effects = {path["path"]: path["effect"] for path in run["paths"]}
    assert effects == {
        "/usr/bin/tool": None,
        "/home/u/.toolrc": None,
        "/home/u/.tool": "created",
        "/home/u/.tool/db": "created",
    }


def test_lines_that_are_not_understood_are_counted_and_shown(
    imptrace: Command, tmp_path: Path
) -> None:
    """They are never fatal; the first few are named by number."""
    log = tmp_path / "tool.log"
    log.write_bytes(LOG + b"what is this?\n" + b'7 unlink("/x"\n' * 9)
    done = imptrace("import", log)
    assert done.returncode == 0
    expected = (
        "10 lines not understood: tool.log:6, tool.log:7, tool.log:8, tool.log:9, tool.log:10"
    )
    assert f"{expected}, ..." in done.stderr


def test_relative_paths_need_a_directory(imptrace: Command, tmp_path: Path) -> None:
    """Without one they are left out and counted; with --cwd they are there."""
    log = tmp_path / "tool.log"
    log.write_bytes(LOG + b'8 mkdir("sub", 0700) = 0\n')
    assert "1 call with a relative path left out: give --cwd" in imptrace("import", log).stderr
    imptrace("import", "--cwd", "/srv", log)
    paths = [path["path"] for path in imptrace.shown()["paths"]]
    assert "/srv/sub" in paths


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"int main(void)\n{\n\treturn 0;\n}\n", "is neither a log of strace nor"),
        (b"\x7fELF\x02\x01\x01\0" * 50, "is neither a log of strace nor"),
        (os.urandom(5000), "is neither a log of strace nor"),
        (b'{"some": "json"}\n', "is neither a log of strace nor"),
        (b"PID TTY TIME CMD\n1 ? 00:00:01 init\n", "is neither a log of strace nor"),
    ],
)
def test_what_is_no_log_is_refused(
    content: bytes, complaint: str, imptrace: Command, tmp_path: Path
) -> None:
    """One line, exit code 2, and no database is made for it."""
    file = tmp_path / "a\x1b[31mfile"
    file.write_bytes(content)
    stderr = _complaint(imptrace("import", file))
    assert complaint in stderr
    assert "\x1b" not in stderr
    assert not imptrace.database.exists()


def test_what_is_not_there_is_refused(imptrace: Command, tmp_path: Path) -> None:
    """A missing file, a directory, a pipe; and a good file beside a bad one is not imported."""
    good = tmp_path / "good.log"
    good.write_bytes(LOG)
    os.mkfifo(tmp_path / "pipe")
    assert "there is no file" in _complaint(imptrace("import", good, tmp_path / "nope"))
    assert "is not a file" in _complaint(imptrace("import", tmp_path))
    assert "is not a file" in _complaint(imptrace("import", tmp_path / "pipe"))
    assert not imptrace.database.exists()


@needs_strace
def test_the_files_of_one_strace_ff_are_one_run(imptrace: Command, tmp_path: Path) -> None:
    """They may be named one by one, or by what strace was given."""
    work = tmp_path / "work"
    work.mkdir()
    strace(["-ff", "-y"], ["sh", "-c", "mkdir a; (mkdir b; mkdir c); :"], work, tmp_path / "log")
    assert len(list(tmp_path.glob("log.*"))) > 2
    imptrace("import", "--label", "prefix", tmp_path / "log")
    imptrace("import", "--label", "files", *tmp_path.glob("log.*"))
    for label in ("prefix", "files"):
        run = imptrace.shown(label)
        made = {path["path"] for path in run["paths"] if "mkdir" in path["ops"]}
        assert made == {str(work / name) for name in "abc"}
    assert len(json.loads(imptrace("runs", "--json").stdout)["runs"]) == 2


@needs_strace
def test_here_looks_at_what_was_left_behind(imptrace: Command, tmp_path: Path) -> None:
    """The state of files, and the links that lead to them, come from this machine."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    log = tmp_path / "log"
    script = "umask 077; mkdir link/d; echo 12345 >link/d/f; : >link/d/g; rm link/d/g"
    strace(["-f"], ["sh", "-c", script], tmp_path, log)
    imptrace("import", "--here", "--cwd", tmp_path, log)
    run = imptrace.shown()
    paths = {path["path"]: path for path in run["paths"]}
    kept = paths[str(tmp_path / "real/d/f")]
    assert kept["after"]["size"] == 6
    assert kept["after"]["mode"] == "0600"
    assert paths[str(tmp_path / "real/d/g")]["after"] is None


def test_progress_is_shown_on_a_terminal(imptrace: Command, tmp_path: Path) -> None:
    """Only there, only on stderr, and it is gone at the end."""
    log = tmp_path / "tool.log"
    log.write_bytes(LOG * 1_000)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from imptrace.cli.app import main; main()", "import", log],
        env={**os.environ, "IMPTRACE_DB": str(imptrace.database), "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:
        pass  # how a terminal says that everybody has left it
    assert process.communicate(timeout=60)[0] == b""
    os.close(ours)
    assert b"tool.log" in shown
    assert "━".encode() in shown
    assert b"bytes" in shown or b"kB" in shown
    assert b"test.db\r\nimptrace: next: " in shown[shown.rindex(b"tool.log") :]


def test_an_interrupted_import_leaves_no_run(imptrace: Command, tmp_path: Path) -> None:
    """Ctrl-C takes back what was stored so far."""
    log = tmp_path / "tool.log"
    lines = (b'7 openat(AT_FDCWD, "/data/%d", O_RDONLY) = 3\n' % number for number in range(40_000))
    log.write_bytes(LOG[:-26] + b"".join(lines))
    program = (
        "import os, signal, imptrace.record.session as module; from imptrace.cli.app import main\n"
        "from imptrace.db.writer import RunWriter\n"
        "commit = RunWriter.commit\n"
        "def interrupted(self):\n"
        "    commit(self); os.kill(os.getpid(), signal.SIGINT)\n"
        "RunWriter.commit = interrupted; module.COMMIT_SECONDS = 0; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "import", log],
        env={**os.environ, "IMPTRACE_DB": str(imptrace.database)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 130, done.stderr
    assert json.loads(imptrace("runs", "--json").stdout)["runs"] == []
