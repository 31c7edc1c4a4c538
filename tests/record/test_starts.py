"""Wherever a program can be started, it can be recorded, or it is said why not."""

import itertools
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from recorded_programs import IMPTRACE, PATIENCE, Recorder, needs_bpf, needs_root

from imptrace.record.watch import the_machine

CLOSED = [
    closed
    for count in range(1, 4)
    for closed in itertools.combinations(("<&-", ">&-", "2>&-"), count)
]


def started(prelude: str, words: list[str | bytes], work: Path, end: str = "") -> int:
    """Start it from a shell that has made something unusual of itself."""
    command = f'{prelude}; "$@" {end}'
    return subprocess.run(
        ["bash", "-c", command, "bash", *words],
        cwd=work, check=False, timeout=PATIENCE, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ).returncode  # fmt: skip


@pytest.mark.parametrize("closed", CLOSED, ids=" ".join)
@pytest.mark.parametrize("recorder", ["notify", "ptrace", pytest.param("bpf", marks=needs_bpf)])
def test_closed_standard_descriptors(
    record: Recorder, work: Path, closed: tuple[str, ...], recorder: str
) -> None:
    """The program finds them closed, its exit code is kept, the run is stored."""
    script = "mkdir made; for fd in 0 1 2; do [ -e /proc/$$/fd/$fd ] || echo $fd >&9; done; exit 7"
    words = record.command("sh", "-c", script, options=["--recorder", recorder])
    assert started("exec 9>found", words, work, " ".join(closed)) == 7
    numbers = [str(("<&-", ">&-", "2>&-").index(each)) for each in closed]
    assert (work / "found").read_text().split() == numbers
    assert os.fsencode(work / "made") in record.paths(work)


def test_directory_that_is_gone(record: Recorder, work: Path) -> None:
    """The program starts there as ever."""
    words = record.command("sh", "-c", f"echo > {work}/made; exit 7")
    assert started("mkdir gone; cd gone; rmdir ../gone", words, work) == 7
    assert os.fsencode(work / "made") in record.paths(work)


@pytest.mark.parametrize("names", ["HUP INT QUIT", "HUP PIPE XFSZ TERM"])
@pytest.mark.parametrize("recorder", ["notify", "ptrace", pytest.param("bpf", marks=needs_bpf)])
def test_ignored_and_blocked_signals(
    record: Recorder, work: Path, recorder: str, names: str
) -> None:
    """What nohup and a shell without job control make of signals is handed on."""
    words = record.command(
        "sh", "-c", "grep ^SigIgn /proc/self/status >&9", options=["--recorder", recorder]
    )
    # Not the last command, which bash executes in its place: then nobody is there to be asked.
    script = f"exec 9>found; trap '' {names}; \"$@\"; exit $?"
    subprocess.run(["bash", "-c", script, "bash", *words], cwd=work, check=True, timeout=PATIENCE)
    ignored = int((work / "found").read_text().split()[1], 16)
    assert ignored == sum(1 << signal.Signals[f"SIG{name}"] - 1 for name in names.split())


_INTERRUPTED = """
import os, signal, sys, threading
from imptrace.record import terminal
from imptrace.record.launch import launch
from imptrace.tracer.program import find_program
from imptrace.tracer.recorder import RecorderOptions
before = terminal.hold_signals()
signal.pthread_kill(threading.get_ident(), signal.SIGINT)
try:
    launch(sys.argv[1], find_program([b"touch", b"made"]), RecorderOptions(), before)
except KeyboardInterrupt:
    os._exit(130)
"""


@pytest.mark.parametrize("recorder", ["notify", "ptrace", pytest.param("bpf", marks=needs_bpf)])
def test_a_signal_that_comes_before_the_program(work: Path, recorder: str) -> None:
    """As Ctrl-C while a recorder gets ready: it is for the program, which is not started then."""
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED, recorder], cwd=work, check=False)
    assert (done.returncode, (work / "made").exists()) == (130, False)


@pytest.mark.parametrize("recorder", ["notify", "ptrace", pytest.param("bpf", marks=needs_bpf)])
def test_the_terminal_goes_away(record: Recorder, work: Path, recorder: str) -> None:
    """Its end is told to imptrace alone where that leads the session, and meant for the program."""
    words = record.command("sh", "-c", "echo up; exec sleep 60", options=["--recorder", recorder])
    pid, master = pty.fork()
    if not pid:
        os.chdir(work)
        os.execv(words[0], words)
    with open(master, "rb", buffering=0) as screen:
        seen = b""
        while b"up" not in seen:
            seen += screen.read(100)
    os.waitpid(pid, 0)
    assert record.details().run.exit_signal == signal.SIGHUP


@pytest.mark.parametrize("recorder", ["notify", "ptrace", pytest.param("bpf", marks=needs_bpf)])
def test_ignored_children(record: Recorder, recorder: str) -> None:
    """Whose end nobody wants to be told of: imptrace is told all the same, the program is not."""
    starter = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])
"""
    words = record.command("grep", "SigIgn", "/proc/self/status", options=["--recorder", recorder])
    done = subprocess.run(
        [sys.executable, "-c", starter, *words], capture_output=True, check=True, timeout=PATIENCE
    )
    assert int(done.stdout.split()[1], 16) & 1 << signal.SIGCHLD - 1


def test_without_shared_memory(record: Recorder, work: Path) -> None:
    """No /dev/shm."""
    words = record.command("sh", "-c", "echo > made; exit 7")
    if os.geteuid() or started("true", ["unshare", "-m", "true"], work):
        pytest.skip("needs mount namespaces")
    assert started("true", ["unshare", "-m", "sh", "-c", 'umount -l /dev/shm; "$@"', "sh", *words],
                   work) == 7  # fmt: skip
    assert os.fsencode(work / "made") in record.paths(work)


@needs_root
def test_without_proc(record: Recorder, work: Path) -> None:
    """The program runs, its exit code is kept, and it is said that nothing can be told."""
    words = record.command("sh", "-c", "echo > made; exit 7")
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", 'umount -l /proc; "$@"', "sh", *words],
        cwd=work, check=False, capture_output=True, timeout=PATIENCE,
    )  # fmt: skip
    assert result.returncode == 7
    assert (work / "made").exists()
    assert b"/proc is not mounted" in result.stderr
    assert b"internal error" not in result.stderr


@needs_root
@pytest.mark.parametrize("limit", [2, 4, 60])
def test_few_processes_allowed(open_work: Path, limit: int) -> None:
    """Either it is recorded, or one line says why not and nothing was started."""
    uid = 4_711
    home = open_work / "home"
    os.chown(home, uid, uid)
    result = subprocess.run(
        ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups",
         "prlimit", f"--nproc={limit}", str(IMPTRACE), "run", "--db", str(home / "db"), "-q",
         "sh", "-c", "echo > made; exit 7"],
        cwd=home, check=False, capture_output=True, timeout=PATIENCE,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    if result.returncode != 7:
        assert limit < 60
        assert result.returncode == 125
        assert len(result.stderr.splitlines()) == 1
        assert not (home / "made").exists()


@needs_root
def test_processes_that_nobody_may_see(open_work: Path) -> None:
    """With hidepid=2 a process that hides, and its child, are counted all the same."""
    script = (
        "import ctypes, os; ctypes.CDLL(None).prctl(4, 0)\n"
        "for _ in range(20): os.access('x', 0) or open('/etc/passwd').close()\n"
        "if not os.fork():\n for _ in range(20): open('/etc/passwd').close()\n"
        "else: os.wait()"
    )
    home = open_work / "home"
    words = Recorder(home / "db").command("/usr/bin/python3", "-c", script)
    become = "exec setpriv --reuid 65534 --regid 65534 --clear-groups"
    remount = f'mount -o remount,hidepid=2 /proc; {become} "$@"'
    try:
        result = subprocess.run(
            ["unshare", "-m", "sh", "-c", remount, "sh", *words],
            cwd=home, check=False, capture_output=True, timeout=PATIENCE,
            env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
    finally:
        subprocess.run(["mount", "-o", "remount,hidepid=0", "/proc"], check=True)
    assert result.returncode == 0, result.stderr
    run = Recorder(home / "db").details()
    assert run.run.unseen >= 40
    assert len(run.processes) == 2


def test_the_machine_is_watched_from_a_directory_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert the_machine(None, (), None).subject.cwd == os.fsencode(gone)
