"""The bpf recorder: what only it does, or does another way. The rest is in tests/tracer/story."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_programs import Recorder, needs_bpf

from imptrace.tracer.bpf.recorder import launch, load_machine
from imptrace.tracer.events import Access, Event, Notice, Op, Outcome, ProcessStarted, ProgramEnded
from imptrace.tracer.program import find_program
from imptrace.tracer.recorder import RecorderOptions

IMPTRACE = str(Path(sys.executable).with_name("imptrace"))


pytestmark = needs_bpf


@pytest.mark.skipif(shutil.which("clang") is None, reason="clang is not installed")
def test_it_is_built_where_clang_is() -> None:
    """A failure to compile is not taken for a machine without clang."""
    import imptrace.tracer._bpf  # noqa: F401, PLC0415 (whether it was built)


def recorded(*words: str, stats: bool = False) -> list[Event | Notice]:
    """Record a program to its end."""
    program = find_program([os.fsencode(word) for word in words])
    recorder = launch(program, RecorderOptions(stats=stats))
    events: list[Event | Notice] = []
    deadline = time.monotonic() + 30
    while not any(isinstance(event, ProgramEnded) for event in events):
        assert time.monotonic() < deadline
        events += recorder.events(100)
    recorder.close()
    return events


@pytest.mark.parametrize("portable", [False, True])
def test_the_kernels_names_can_be_followed(*, portable: bool) -> None:
    """Paths of calls by name are taken in the kernel, also as an older one has the programs."""
    machine = load_machine(RecorderOptions(), portable=portable)
    assert machine.counts()["names"]
    machine.close()


def test_setuid_programs_keep_their_privilege(tmp_path: Path, open_work: Path) -> None:
    """Unlike under any tracer."""
    program = open_work / "whoami"
    shutil.copy("/usr/bin/id", program)
    program.chmod(0o4755)
    words = [IMPTRACE, "run", "-q", "--recorder", "bpf", "--user", "nobody", "--db",
             str(tmp_path / "runs.db"), "--", str(program), "-u"]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "0\n"


def test_a_loop_is_told_once_and_counted(tmp_path: Path) -> None:
    """Repeats stay in the kernel, and none is forgotten."""
    (tmp_path / "file").write_text("text")
    script = "for _ in range(5000): open('file').close()"
    os.chdir(tmp_path)
    events = recorded(sys.executable, "-I", "-S", "-c", script)
    path = os.fsencode(tmp_path / "file")
    told = [event for event in events if isinstance(event, Access) and event.path == path]
    # A few times more if somebody renames something meanwhile: it may have another name then.
    assert len(told) < 100
    assert sum(event.count for event in told) == 5000


def test_long_paths_and_any_byte(tmp_path: Path) -> None:
    """Directories below each other, 4,000 bytes of them, and a name that is no text."""
    deep = os.fsencode(tmp_path)
    while len(deep) < 3800:
        deep += b"/" + b"\xff\n" * 100
    os.makedirs(deep)
    os.chdir(deep)
    events = recorded("sh", "-c", "mkdir made && : > file && mv file made/")
    told = {(event.op, event.path) for event in events if isinstance(event, Access)}
    assert {
        (Op.MKDIR, deep + b"/made"), (Op.CREATE, deep + b"/file"), (Op.RENAME, deep + b"/file"),
    } <= told  # fmt: skip


def test_names_begin_at_our_own_root_after_chroot(tmp_path: Path) -> None:
    """Not at that of the machine, as they do in the kernel."""
    jail, db = tmp_path / "jail", tmp_path / "runs.db"
    jail.mkdir()
    script = 'mount --rbind / "$1" && exec chroot "$1" "$2" run -q --recorder bpf --db "$3" '
    script += 'sh -c "cd $4; mkdir made; echo a > made/file; mv made moved"'
    words = ["unshare", "-m", "sh", "-c", script, "sh", jail, IMPTRACE, db, tmp_path]
    subprocess.run([str(word) for word in words], check=True, timeout=60)
    shown = subprocess.run(
        [IMPTRACE, "files", "sh", "--db", str(db), "--json"], capture_output=True, check=True
    ).stdout.decode()
    assert f'"{tmp_path}/moved/file"' in shown
    assert str(jail) not in shown


def test_processes_and_what_a_child_executes(tmp_path: Path) -> None:
    """Who ran what, with arguments, directory and parent."""
    os.chdir(tmp_path)
    events = recorded("sh", "-c", "ls -d . > /dev/null; true")
    shell, program = [event for event in events if isinstance(event, ProcessStarted)]
    assert (program.argv, program.cwd) == ((b"ls", b"-d", b"."), os.fsencode(tmp_path))
    assert (shell.parent, program.parent) == (None, shell.process)
    executed = [event for event in events if isinstance(event, Access) and event.op is Op.EXEC]
    assert [(event.process, event.outcome) for event in executed] == [
        (shell.process, Outcome.OK)
    ] * 2


def test_killing_it_does_not_hurt_the_program(tmp_path: Path) -> None:
    """No call fails and nothing waits when imptrace is killed in the middle."""
    script = (
        "import os, time\n"
        "for n in range(300):\n open(str(n), 'w').close(); time.sleep(0.005)\n"
        "open('done', 'w').close()\n"
    )
    words = [IMPTRACE, "run", "-q", "--recorder", "bpf", "--db", str(tmp_path / "runs.db"), "--",
             sys.executable, "-c", script]  # fmt: skip
    with subprocess.Popen(words, cwd=tmp_path) as imptrace:
        while not (tmp_path / "20").exists():
            time.sleep(0.01)
        imptrace.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while not (tmp_path / "done").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert all((tmp_path / str(number)).exists() for number in range(300))


RING_PATHS = {"dir", "dir/renamed", "linked", "symlink", "old", "empty", "missing"}


@pytest.mark.parametrize("how", ["", "polled", "async", "slots"])
def test_what_io_uring_does(
    record: Recorder, work: Path, compiled: Callable[..., Path], how: str
) -> None:
    """Made, renamed, linked and removed without a call: as if calls had done it."""
    (work / "old").write_text("old")
    (work / "empty").mkdir()
    done = record(str(compiled("ring")), how, options=("--recorder", "bpf"), cwd=work)
    if done.returncode == 2:
        pytest.skip("no io_uring here")
    assert done.stdout == b"done\n", done.stderr
    paths = {os.path.relpath(os.fsdecode(path), work): each
             for path, each in record.paths(work).items()}  # fmt: skip
    assert {name for name in paths if name != "."} == RING_PATHS | {"dir/made"}
    assert {name for name, each in paths.items() if each.effect == "created"} == {
        "dir", "dir/renamed", "linked", "symlink",
    }  # fmt: skip
    assert {"old", "empty"} <= {name for name, each in paths.items() if each.effect == "deleted"}
    assert paths["missing"].outcome is Outcome.MISSING
    assert Op.CREATE in paths["dir/made"].ops or how == "slots"
    assert not record.details().run.warnings


def test_what_io_uring_does_in_silence_is_said(
    record: Recorder, work: Path, compiled: Callable[..., Path]
) -> None:
    """Of operations whose success is told to nobody, that there were some."""
    record(str(compiled("ring")), "silent", options=("--recorder", "bpf"), cwd=work)
    assert list(dict(record.details().run.warnings)) == ["io_uring"]


def test_names_of_every_length_are_followed(record: Recorder, work: Path) -> None:
    """A link is found by the whole of its name, which is hashed and compared in parts."""
    (work / "real").mkdir()
    for length in range(1, 256):
        (work / f"real/{length}").touch()
        (work / ("n" * (length - 1) + "e")).symlink_to(f"real/{length}")
        if length > 1:
            (work / ("n" * (length - 1) + "f")).touch()
    script = "import os; [os.chmod('n' * n + 'e', 0o600) for n in range(255)]"
    done = record(sys.executable, "-c", script, options=("--recorder", "bpf"), cwd=work)
    assert done.returncode == 0, done.stderr
    changed = {path for path, each in record.paths(work / "real").items() if Op.CHMOD in each.ops}
    assert changed == {os.fsencode(work / f"real/{length}") for length in range(1, 256)}


def test_without_sys_it_says_what_is_missing(tmp_path: Path) -> None:
    """Another recorder takes over, and the line tells what to mount."""
    words = [IMPTRACE, "run", "--db", str(tmp_path / "runs.db"), "sh", "-c", "exit 7"]
    script = 'umount -l /sys && exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", *words],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 7
    assert "there is no /sys/kernel/btf/vmlinux: mount /sys" in done.stderr
    assert "seen by the recorder notify" in done.stderr
