"""Attaching: what already runs is recorded from then on, and runs on unharmed whatever happens."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from attaching import (
    OBEDIENT,
    Started,
    attach_command,
    attached,
    is_free,
    tell,
    wait_for_tracer,
    wait_until,
)
from recorded_programs import IMPTRACE, PATIENCE, Recorder, needs_root

from imptrace.db.records import RunStatus
from imptrace.tracer import proc
from imptrace.tracer.events import AccessFlag, Op

# Appends so many numbers to a file, in threads and in children; checks at the end what is there.
BUSY = """
    import os, subprocess, sys, threading
    numbers = range(int(sys.argv[1]))
    def write(name):
        for number in numbers:
            with open(name, "a") as file:
                file.write(f"{number}\\n")
            os.rename(name, name + ".new")
            os.rename(name + ".new", name)
    threads = [threading.Thread(target=write, args=(f"thread{n}",)) for n in range(3)]
    sys.stdin.readline()
    for thread in threads: thread.start()
    for n in range(20): subprocess.run(["/bin/sh", "-c", f"echo {n} >> child"], check=True)
    for thread in threads: thread.join()
    wanted = "".join(f"{n}\\n" for n in numbers)
    assert all(open(f"thread{n}").read() == wanted for n in range(3))
    assert open("child").read() == "".join(f"{n}\\n" for n in range(20))
"""


def test_what_happens_meanwhile(record: Recorder, by: str, work: Path, started: Started) -> None:
    """Changes while attached are recorded with their results; what was before is not."""
    program = started(OBEDIENT)
    tell(program, "open('before', 'w').close()")
    (work / "old").write_text("old")
    with attached(record, by, str(program.pid)):
        tell(program, "open('new', 'w').write('x')")
        tell(program, "open('old').read(); os.rename('old', 'renamed')")
        tell(program, "os.path.exists('x') or os.mkdir('directory')")
        tell(program, "threading.Thread(target=lambda: open('by-thread', 'w')).start()")
        tell(program, "os.system('echo > by-child')")
    tell(program, "open('after', 'w').close()")
    paths = record.paths(work)
    effects = {os.path.basename(path).decode(): each.effect for path, each in paths.items()}
    assert {name for name, effect in effects.items() if effect == "created"} == {
        "new", "renamed", "directory", "by-thread", "by-child",
    }  # fmt: skip
    assert effects["old"] == "deleted"
    assert not {"before", "after"} & set(effects)
    details = record.details()
    assert (details.run.recorder, details.run.status) == (by, RunStatus.COMPLETE)
    assert (details.run.program, details.run.cwd) == (b"python3", os.fsencode(work))
    # The program, and the shell that it started, a child of it.
    first, shell = details.processes
    assert (first.pid, shell.parent) == (program.pid, first.id)


def test_what_is_open_and_mapped(record: Recorder, by: str, work: Path, started: Started) -> None:
    """Descriptors with their flags, libraries, and a shared mapping that is written through."""
    for name in ("read", "written", "both", "mapped"):
        (work / name).write_text("content")
    program = started(OBEDIENT)
    tell(program, "r = open('read'); w = open('written', 'r+b', 0); a = os.open('both', os.O_RDWR)")
    tell(program, "import mmap; f = open('mapped', 'r+b'); m = mmap.mmap(f.fileno(), 0)")
    tell(program, "f.close()")
    with attached(record, by, str(program.pid)):
        tell(program, "w.write(b'longer than before'); m[:7] = b'CONTENT'")
        tell(program, "m.flush()")
    paths = {os.path.basename(path).decode(): each for path, each in record.paths(work).items()}
    assert set(paths["read"].ops) == {Op.READ}
    assert set(paths["both"].ops) == {Op.READ, Op.WRITE}
    assert paths["read"].flags & AccessFlag.ALREADY_OPEN
    assert paths["mapped"].flags & AccessFlag.MAPPED
    assert paths["written"].effect == paths["mapped"].effect == "modified"
    assert paths["both"].effect == "unchanged"
    shown = subprocess.run(
        [IMPTRACE, "show", "latest", "--db", record.database, "--reads"],
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    notes = dict(re.findall(r"work/(\w+)(?:  [\d.]+ \w+)?  \((.*)\)$", shown, re.MULTILINE))
    assert "was open" in notes["written"]
    assert "was open" in notes["read"]
    assert "was in memory" in notes["mapped"]
    libraries = [path for path in record.paths("/usr/lib") if b"/libc.so" in path]
    assert libraries


@pytest.mark.parametrize("way", ["SIGINT", "SIGTERM", "SIGHUP", "time"])
def test_letting_go(record: Recorder, by: str, started: Started, way: str) -> None:
    """However it is asked for: everything is stored, and the program runs on, unstopped."""
    program = started(OBEDIENT)
    duration = ["--for", "1s"] if way == "time" else []
    tracer = subprocess.Popen(
        attach_command(record, by, str(program.pid), *duration), stderr=subprocess.PIPE
    )
    assert tracer.stderr is not None
    assert tracer.stderr.readline().startswith(b"imptrace: attached to ")
    tell(program, "open('meanwhile', 'w').close()")
    if way != "time":
        tracer.send_signal(getattr(signal, way))
    _, said = tracer.communicate(timeout=PATIENCE)
    assert tracer.returncode == 0, said
    assert b"1 created" in said
    assert is_free(program.pid)
    tell(program, "pass")


def test_the_end_of_the_program(record: Recorder, by: str, started: Started) -> None:
    """When nothing is left to trace, imptrace ends by itself."""
    program = started("import sys; sys.stdin.readline(); sys.exit(3)")
    tracer = subprocess.Popen(attach_command(record, by, str(program.pid)), stderr=subprocess.PIPE)
    assert tracer.stderr is not None
    assert tracer.stderr.readline().startswith(b"imptrace: attached to ")
    program.communicate(b"\n", timeout=PATIENCE)
    tracer.communicate(timeout=PATIENCE)
    assert (program.returncode, tracer.returncode) == (3, 0)
    assert record.details().run.status is RunStatus.COMPLETE


def test_killed_tracer(record: Recorder, started: Started, work: Path) -> None:
    """Kill either process of imptrace at random moments: the program ends with a right result."""
    moments = random.Random(5)  # noqa: S311 (moments, no secrets)
    for turn in range(6):
        program = started(BUSY, "1000")
        assert program.stdin is not None
        tracer = subprocess.Popen(
            attach_command(record, "ptrace", "-q", str(program.pid)), stderr=subprocess.DEVNULL
        )
        inner = wait_for_tracer(program.pid)
        program.stdin.write(b"\n")
        program.stdin.flush()
        time.sleep(moments.random() * 0.5)
        assert program.poll() is None
        os.kill(tracer.pid if turn % 2 else inner, signal.SIGKILL)
        _, said = program.communicate(timeout=PATIENCE)
        assert (program.returncode, said) == (0, b"")
        tracer.communicate(timeout=PATIENCE)
        for file in work.iterdir():
            file.unlink()
    assert record.details().run.status is not RunStatus.RECORDING


def test_busy_program_while_attached(
    record: Recorder, by: str, started: Started, work: Path
) -> None:
    """Threads and children at work come to the same result, and all that they made is there."""
    program = started(BUSY, "300")
    with attached(record, by, str(program.pid)):
        _, said = program.communicate(b"\n", timeout=PATIENCE)
    assert (program.returncode, said) == (0, b"")
    created = {path for path, each in record.paths(work).items() if each.effect == "created"}
    assert os.fsencode(work / "child") in created


def test_stopped_process(record: Recorder, started: Started) -> None:
    """A process that a signal has stopped stays so, until it is continued."""
    program = started(OBEDIENT)
    tell(program, "pass")
    os.kill(program.pid, signal.SIGSTOP)
    wait_until(lambda: proc.state(program.pid) == "T")
    with attached(record, "ptrace", str(program.pid)):
        time.sleep(0.2)
        assert proc.state(program.pid) in ("t", "T")
        os.kill(program.pid, signal.SIGCONT)
        tell(program, "open('continued', 'w').close()")
        os.kill(program.pid, signal.SIGSTOP)
        wait_until(lambda: proc.state(program.pid) == "t")
    wait_until(lambda: proc.state(program.pid) == "T")
    os.kill(program.pid, signal.SIGCONT)
    tell(program, "pass")


def test_signals_arrive(record: Recorder, by: str, started: Started) -> None:
    """A handler runs while attached, a sleep goes on, and a deadly signal kills."""
    program = started(OBEDIENT)
    tell(program, "import signal, time; seen = []")
    tell(program, "signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))")
    with attached(record, by, str(program.pid)):
        os.kill(program.pid, signal.SIGUSR1)
        tell(program, "time.sleep(0.05); assert seen == [1], seen")
        program.terminate()
        assert program.wait(timeout=PATIENCE) == -signal.SIGTERM


def test_no_signal_is_lost(record: Recorder, by: str, compiled: Callable[..., Path]) -> None:
    """Not one of many that arrive while imptrace attaches and lets go, again and again."""
    with subprocess.Popen(
        [compiled("count_signals")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"ready\n"
        sent = 0
        for _ in range(5):
            command = attach_command(record, by, "-q", "--for", "0.05s", str(program.pid))
            tracer = subprocess.Popen(command)
            while tracer.poll() is None:
                os.kill(program.pid, signal.SIGRTMIN)
                sent += 1
                time.sleep(0.0005)
            assert tracer.returncode == 0
        counted, _ = program.communicate(timeout=PATIENCE)
    assert (int(counted), sent > 100) == (sent, True)


def test_two_hundred_threads(record: Recorder, started: Started) -> None:
    """All of them are traced, and all of them go on afterwards."""
    program = started(
        """
        import sys, threading, time
        ready = threading.Barrier(201)
        def work():
            ready.wait()
            while True: time.sleep(0.01); open("/dev/null").close()
        for _ in range(200): threading.Thread(target=work, daemon=True).start()
        ready.wait()
        print("done", flush=True)
        sys.stdin.readline()
        """
    )
    assert program.stdout is not None
    program.stdout.readline()
    with attached(record, "ptrace", str(program.pid)):
        tids = proc.threads(program.pid)
        assert len(tids) == 201
        assert all(proc.tracer(tid) for tid in tids)
        time.sleep(0.5)
    assert all(is_free(tid) for tid in tids)
    null = record.paths("/dev/null")[b"/dev/null"]
    assert null.ops[Op.READ]


@needs_root
@pytest.mark.skipif(shutil.which("bindfs") is None, reason="needs bindfs")
def test_fuse_server(record: Recorder, by: str, work: Path, started: Started) -> None:
    """A FUSE server and a program that uses it, both attached to: no deadlock."""
    for name in ("source", "mount"):
        (work / name).mkdir()
    program = started(OBEDIENT)
    server = subprocess.Popen(["bindfs", "-f", "source", "mount"], cwd=work)
    try:
        wait_until((work / "mount").is_mount)
        with attached(record, by, str(program.pid), str(server.pid)):
            tell(program, "open('mount/a', 'w').write('x'); os.rename('mount/a', 'mount/b')")
            tell(program, "os.chdir('mount'); open('b').read(); os.listdir('.'); os.chdir('..')")
    finally:
        subprocess.run(["umount", "-l", work / "mount"], check=True)
        server.kill()
        server.wait()
    assert os.fsencode(work / "source/b") in record.paths(work)
