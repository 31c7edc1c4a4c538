"""Signals: none fails a call because it is recorded, and each arrives once."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_programs import PATIENCE, Recorder, needs_bpf, needs_root
from test_program_first import wait_until

STORM = "1.5"
"""Seconds for which signals come."""
RECORDERS = ("notify", "ptrace")

SHELL = """
n=0; bad=0
while [ $n -lt 150 ]; do
    n=$((n+1)); true &
    for i in 1 2 3 4 5; do echo x > f$i || bad=$((bad+1)); cd . || bad=$((bad+1)); done
done
wait; echo $bad
"""
PERL = """
$SIG{CHLD} = sub { 1 while waitpid(-1, 1) > 0 }; my $bad = 0; my $end = time + 2;
sub t { $bad++ if !$_[0] && $!{EINTR} }
while (time < $end) {
    exec "true" if !fork;
    for (1..20) {
        t(mkdir "p"); t(open(my $f, ">", "q")); t(rename "q", "r"); t(unlink "r"); t(rmdir "p")
    }
}
print "$bad\\n";
"""
PYTHON = """
import os, signal, subprocess, time
signal.signal(signal.SIGCHLD, lambda *_: None)
bad, end, kids = 0, time.monotonic() + 1.5, []
while time.monotonic() < end:
    kids = [kid for kid in kids if kid.poll() is None] + [subprocess.Popen(["true"])]
    for _ in range(20):
        open("q", "w").close()
        for call in ((os.mkdir, "p"), (os.rename, "q", "r"), (os.unlink, "r"), (os.rmdir, "p")):
            try:
                call[0](*call[1:])
            except InterruptedError:
                bad += 1
            except OSError:
                pass
print(bad)
"""
WAITS = """
import ctypes, errno, fcntl, os, signal
c, found = ctypes.CDLL(None, use_errno=True), []
def interrupted(call, *arguments):
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    found.append(call(*arguments) < 0 and ctypes.get_errno() == errno.EINTR)
signal.signal(signal.SIGALRM, lambda *_: None)
os.mkfifo("fifo")
for _ in range(3):
    interrupted(c.open, b"fifo", os.O_RDONLY)
lock, other = open("lock", "w"), open("lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
interrupted(c.flock, other.fileno(), fcntl.LOCK_EX)
leased = open("leased", "r+")
signal.signal(signal.SIGIO, signal.SIG_IGN)
fcntl.fcntl(leased, fcntl.F_SETLEASE, fcntl.F_WRLCK)
if not os.fork():
    interrupted(c.open, b"leased", os.O_RDONLY)
    print(found[-1], flush=True)
    os._exit(0)
os.wait()
print(found)
"""
COUNTING = """
import signal, time
got = []
last = time.monotonic() + 8  # patience for the first one
def count(number, frame):
    global last
    got.append(number)
    last = time.monotonic()
for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
    signal.signal(number, count)
print("ready", flush=True)
while time.monotonic() < last + 1.5:
    time.sleep(0.01)
print(*map(int, got), flush=True)
"""


@pytest.mark.parametrize("handlers", [[], ["first"]])
@pytest.mark.parametrize("bits", [[], ["-m32"]])
def test_storm(
    record: Recorder,
    work: Path,
    compiled: Callable[..., Path],
    bits: list[str],
    handlers: list[str],
) -> None:
    """A timer of 1 kHz over threads and a forked child, some older than the handler."""
    try:
        program = compiled("interrupts", *bits)
    except subprocess.CalledProcessError:
        pytest.skip("no compiler for 32 bits")
    result = record(str(program), STORM, *handlers, cwd=work)
    assert result.returncode == 0, result.stdout
    assert result.stdout.count(b"1 handled, 0 failed") == 2


@pytest.mark.parametrize(
    "command",
    [
        ("dash", "-c", SHELL),
        ("bash", "-c", SHELL),
        ("bash", "-c", f"trap : CHLD; {SHELL}"),
        ("perl", "-e", PERL),
        (sys.executable, "-c", PYTHON),
    ],
    ids=["dash", "bash", "bash trap", "perl", "python"],
)
def test_children_that_end(record: Recorder, work: Path, command: tuple[str, ...]) -> None:
    """SIGCHLD while the shell works."""
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]} here")
    result = record(*command, cwd=work)
    assert result.stdout.splitlines()[-1:] == [b"0"], result.stderr
    assert result.returncode == 0


def test_waits_that_may_be_interrupted(record: Recorder, work: Path) -> None:
    """A FIFO, a lock and a lease are waited for, and a signal ends that, as untraced."""
    (work / "leased").touch()
    result = record(sys.executable, "-c", WAITS, cwd=work)
    assert result.stdout.splitlines() == [b"True", b"[True, True, True, True]"], result.stderr


def test_ignored_signals_wake_nobody(
    record: Recorder, work: Path, compiled: Callable[..., Path]
) -> None:
    """A tracer is told of a SIGCHLD that nobody wants; epoll_wait and recv do not notice."""
    result = record(str(compiled("ignored_signals")), cwd=work)
    assert result.stdout.split() == [b"0", b"5"]


@pytest.mark.parametrize(
    "script",
    [
        "gdb -q -batch -ex run -ex 'info inferiors' --args /bin/echo seen",
        "sleep 9 & gdb -q -batch -p $! -ex 'info threads' | grep -o nanosleep | sort -u; kill $!",
        "strace -o log /bin/echo seen; tail -n 1 log",
        "{work} & p=$!; sleep 0.5; timeout 1 strace -f -o log -p $p; wait $p; grep -c openat log",
        "unshare -fp --mount-proc sh -c '{work} & p=$!; sleep 0.5\ntimeout 1 strace -o log -p $p\n\
wait $p; grep -c openat log'",
    ],
    ids=["gdb", "gdb -p", "strace", "strace -p", "strace -p in a pid namespace"],
)
@needs_root
def test_tracers_inside(record: Recorder, work: Path, script: str) -> None:
    """Whoever wants to be traced by somebody else can be, handlers or not."""
    worker = (
        f"{sys.executable} -c 'import signal, time\n"
        "signal.signal(signal.SIGALRM, lambda *_: None)\n"
        'for i in range(20): time.sleep(0.1); open("/etc/passwd").close()\''
    )
    untraced = subprocess.run(
        ["bash", "-c", script.replace("{work}", worker)],
        cwd=work, capture_output=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    traced = record("bash", "-c", script.replace("{work}", worker), cwd=work)
    assert traced.returncode == untraced.returncode
    if b"openat" in untraced.stdout or untraced.stdout.strip().isdigit():
        assert int(traced.stdout) > 3
    else:
        assert traced.stdout.count(b"seen") == untraced.stdout.count(b"seen")
        assert traced.stdout.count(b"nanosleep") == untraced.stdout.count(b"nanosleep")


def test_stopped_and_continued_by_a_stranger(record: Recorder, work: Path) -> None:
    """Who stops and continues the program alone finds imptrace going on with it."""
    script = (
        "import os, signal, time; signal.signal(2, lambda *_: 0)\n"
        "open('pid', 'w').write(str(os.getpid())); os.rename('pid', 'on'); time.sleep(1)"
    )
    imptrace = subprocess.Popen(record.command(sys.executable, "-c", script), cwd=work)
    wait_until((work / "on").exists, "the program")
    program = int((work / "on").read_text())
    os.kill(program, signal.SIGSTOP)
    wait_until(lambda: _state(imptrace.pid) == "T", "imptrace to stop too")
    assert _state(program) in "Tt"
    os.kill(program, signal.SIGCONT)
    assert imptrace.wait(PATIENCE) == 0


def test_killed_imptrace_leaves_signals_harmless(
    work: Path, record: Recorder, compiled: Callable[..., Path]
) -> None:
    """The supervisor goes on mending when nobody reads any more."""
    with (work / "out").open("wb") as out:
        imptrace = subprocess.Popen(
            record.command(str(compiled("interrupts")), "2", options=["--recorder", "notify"]),
            cwd=work,
            stdout=out,
        )
        time.sleep(1)
        imptrace.kill()
        imptrace.wait()
    wait_until(lambda: (work / "out").read_bytes().count(b" 0 failed") == 2, "the program to end")


@pytest.mark.parametrize("recorder", [*RECORDERS, pytest.param("bpf", marks=needs_bpf)])
@pytest.mark.parametrize("how", ["group", "timeout", "imptrace"])
def test_signals_arrive_once(record: Recorder, work: Path, recorder: str, how: str) -> None:
    """Whether the whole group is signalled, imptrace alone, or one after the other."""
    command = record.command(sys.executable, "-c", COUNTING, options=["-q", "--recorder", recorder])
    if how == "timeout":
        command = ["timeout", "-s", "TERM", "3", *command]
    with subprocess.Popen(
        command, cwd=work, stdout=subprocess.PIPE, start_new_session=True
    ) as imptrace:
        assert imptrace.stdout is not None
        assert imptrace.stdout.readline() == b"ready\n"
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGTERM):
            if how == "timeout":
                break
            (os.killpg if how == "group" else os.kill)(imptrace.pid, number)
            time.sleep(0.2)
        rest = imptrace.stdout.read()
        imptrace.wait(PATIENCE)
    assert sorted(rest.split()) == ([b"15"] if how == "timeout" else [b"10", b"15", b"15"])


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_short_torture() -> None:
    """The benchmark that tries all of it, for a moment."""
    checkout = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.torture", "--seconds", "1", "--short"],
        cwd=checkout, capture_output=True, text=True, check=False, timeout=4 * PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
