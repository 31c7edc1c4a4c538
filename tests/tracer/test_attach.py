"""Attaching: what already runs is recorded from then on, and runs on unharmed whatever happens."""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recorded_programs import (
    IMPTRACE,
    NOBODY,
    PATIENCE,
    Recorder,
    as_ordinary_user,
    needs_bpf,
    needs_root,
)

from imptrace.db.records import RunStatus
from imptrace.tracer import permission, proc, targets
from imptrace.tracer.events import AccessFlag, Op

Started = Callable[..., subprocess.Popen[bytes]]

# Does what its standard input says, a line each; answers each line when it is done.
OBEDIENT = """
    import os, sys, threading
    for line in sys.stdin:
        exec(line)
        print("done", flush=True)
"""
# Appends numbers to a file, in threads and in children, and checks at the end what is there.
BUSY = """
    import os, subprocess, sys, threading
    def write(name):
        for number in range(1000):
            with open(name, "a") as file:
                file.write(f"{number}\\n")
            os.rename(name, name + ".new")
            os.rename(name + ".new", name)
    threads = [threading.Thread(target=write, args=(f"thread{n}",)) for n in range(3)]
    sys.stdin.readline()
    for thread in threads: thread.start()
    for n in range(20): subprocess.run(["/bin/sh", "-c", f"echo {n} >> child"], check=True)
    for thread in threads: thread.join()
    wanted = "".join(f"{n}\\n" for n in range(1000))
    assert all(open(f"thread{n}").read() == wanted for n in range(3))
    assert open("child").read() == "".join(f"{n}\\n" for n in range(20))
"""


@pytest.fixture(params=["ptrace", pytest.param("bpf", marks=needs_bpf)])
def by(request: pytest.FixtureRequest) -> str:
    """Name each recorder that attaches."""
    return str(request.param)


@pytest.fixture
def started(work: Path) -> Iterator[Started]:
    """Start a Python program in the work directory; it is killed at the end of the test."""
    processes = []

    def start(source: str, *arguments: str, executable: str = "/usr/bin/python3") -> object:
        process = subprocess.Popen(
            [executable, "-c", textwrap.dedent(source), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=work,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start  # type: ignore[misc]  # a Callable with a default
    for process in processes:
        process.kill()
        process.communicate()


def tell(process: subprocess.Popen[bytes], line: str) -> None:
    """Let an obedient program do something, and wait until it has."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line.encode() + b"\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"done\n"


def attach_command(record: Recorder, by: str, *words: str) -> list[str]:
    """Give the command line of an attachment."""
    return [str(IMPTRACE), "attach", "--db", str(record.database), "--recorder", by, *words]


@contextlib.contextmanager
def attached(record: Recorder, by: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Be attached; let go by SIGINT at the end, and expect that to have gone well."""
    tracer = subprocess.Popen(attach_command(record, by, *words), stderr=subprocess.PIPE)
    assert tracer.stderr is not None
    first = tracer.stderr.readline()
    assert first.startswith(b"imptrace: attached to "), first
    yield tracer
    tracer.send_signal(signal.SIGINT)
    _, said = tracer.communicate(timeout=PATIENCE)
    assert tracer.returncode == 0, said


def is_free(pid: int) -> bool:
    """Whether nobody traces a process, and it is not stopped."""
    return proc.tracer(pid) == 0 and proc.state(pid) not in ("t", "T")


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for something that is about to happen."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def wait_for_tracer(pid: int) -> int:
    """Wait until a process is traced; return who traces it."""
    wait_until(lambda: proc.tracer(pid) != 0)
    return proc.tracer(pid)


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
        program = started(BUSY)
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
    program = started(BUSY)
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


def test_by_name(record: Recorder, by: str, work: Path) -> None:
    """All processes of a program are found by its file's name, also under Nix's name for it."""
    for file in ("particular", ".particular-wrapped"):
        (work / file).symlink_to("/usr/bin/sleep")
    programs = [
        subprocess.Popen([work / file, "60"]) for file in ("particular", ".particular-wrapped")
    ]
    try:
        wait_until(lambda: all(proc.state(each.pid) == "S" for each in programs))
        with attached(record, by, "--name", "particular"):
            pass
    finally:
        for program in programs:
            program.kill()
            program.wait()
    assert record.details().run.program == b"particular"
    assert {each.pid for each in record.details().processes} == {each.pid for each in programs}


HIERARCHIES = [
    Path("/sys/fs/cgroup", *below)
    for below in ((), ("systemd",), ("unified",))
    if Path("/sys/fs/cgroup", *below, "cgroup.procs").exists()
]


@needs_root
@pytest.mark.skipif(not HIERARCHIES, reason="no control groups here")
@pytest.mark.parametrize("hierarchy", HIERARCHIES, ids=lambda path: path.name)
def test_by_unit(record: Recorder, by: str, started: Started, hierarchy: Path) -> None:
    """Every process of the unit's control group and of groups below it, in any hierarchy."""
    unit = hierarchy / "imptrace-test.slice" / "imptrace-test@1.service"
    try:
        (unit / "below").mkdir(parents=True)
    except OSError as error:
        pytest.skip(f"control groups cannot be made here: {error.strerror}")
    first, second, other = (started(OBEDIENT) for _ in range(3))
    try:
        (unit / "cgroup.procs").write_text(str(first.pid))
        (unit / "below/cgroup.procs").write_text(str(second.pid))
        with attached(record, by, "--unit", "imptrace-test@1"):
            for name, program in (("first", first), ("second", second), ("other", other)):
                tell(program, f"open('by-{name}', 'w').close()")
        assert record.details().run.service == "imptrace-test@1.service"
        made = {os.path.basename(path) for path in record.paths()}
        assert made & {b"by-first", b"by-second", b"by-other"} == {b"by-first", b"by-second"}
    finally:
        for process in (first, second):
            process.kill()
            process.wait()
        for group in (unit / "below", unit, unit.parent):
            wait_until(lambda group=group: not (group / "cgroup.procs").read_text())  # type: ignore[misc]
            group.rmdir()


UNIFIED = next((each for each in HIERARCHIES if (each / "cgroup.controllers").exists()), None)


@needs_bpf
@pytest.mark.skipif(UNIFIED is None, reason="no control groups of version 2 here")
def test_a_unit_that_is_restarted(record: Recorder, work: Path) -> None:
    """Its group is removed and made anew, as systemd does it: what runs in that is recorded too."""
    assert UNIFIED is not None
    unit = UNIFIED / "imptrace-again.slice" / "imptrace-again.service"
    script = 'echo $$ > "$0"; exec sh -c "echo > $1; sleep 60"'

    def start(name: str) -> subprocess.Popen[bytes]:
        try:
            unit.mkdir(parents=True)
        except OSError as error:
            pytest.skip(f"control groups cannot be made here: {error.strerror}")
        words = ["sh", "-c", script, str(unit / "cgroup.procs"), name]
        process = subprocess.Popen(words, cwd=work, start_new_session=True)
        wait_until((work / name).exists)
        return process

    def stop(process: subprocess.Popen[bytes]) -> None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not (unit / "cgroup.procs").read_text())
        unit.rmdir()

    first = start("first")
    try:
        with attached(record, "bpf", "--unit", "imptrace-again"):
            stop(first)
            second = start("second")
            time.sleep(0.2)
            stop(second)
    finally:
        unit.parent.rmdir()
    made = {os.path.basename(path) for path, each in record.paths(work).items() if each.effect}
    assert b"second" in made
    assert record.details().run.service == "imptrace-again.service"


def refused(*words: str) -> tuple[int, str]:
    """Try to attach; give exit code and the one line that was said."""
    done = subprocess.run(
        [IMPTRACE, "attach", *words], capture_output=True, check=False, timeout=PATIENCE, text=True
    )
    (line,) = done.stderr.splitlines()
    assert not done.stdout
    return done.returncode, line


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["4194304"], 2, "there is no process 4194304"),
        (["--name", "no-such-program"], 2, "no program 'no-such-program' runs here"),
        (["--unit", "no-such-unit"], 2, "unit no-such-unit has no processes"),
        ([], 2, "name what to attach to"),
        (["1", "--name", "x"], 2, "name what to attach to"),
        (["1", "--for", "soon"], 2, "'soon' is no duration"),
        (["1", "--for", "0s"], 2, "'0s' is no duration"),
        (["word"], 2, "must be a number"),
    ],
)
def test_bad_input(words: list[str], code: int, said: str) -> None:
    """One clear line each, and a documented exit code."""
    found, line = refused(*words)
    assert (found, said in line) == (code, True), line


def test_itself() -> None:
    """The shell that becomes imptrace knows its pid before."""
    done = subprocess.run(
        ["sh", "-c", f"exec {IMPTRACE} attach $$"], capture_output=True, check=False, text=True
    )
    assert done.returncode == 2
    assert "is imptrace itself" in done.stderr


def test_kernel_thread() -> None:
    """A thread of the kernel is told from a process without arguments."""
    kernel = next((pid for pid in proc.processes() if proc.is_kernel_thread(pid)), None)
    if kernel is None:
        pytest.skip("no thread of the kernel is seen from inside this container")
    code, line = refused(str(kernel))
    assert (code, "is a thread of the kernel" in line) == (2, True), line


def test_traced_already(record: Recorder, started: Started) -> None:
    """Its tracer is named."""
    program = started(OBEDIENT)
    with attached(record, "ptrace", str(program.pid)):
        code, line = refused(str(program.pid))
        assert (code, "is traced already, by process" in line) == (125, True), line
        tell(program, "pass")


def test_a_zombie(started: Started) -> None:
    """What has ended and waits to be collected is no process to attach to."""
    program = started("pass")
    wait_until(lambda: proc.state(program.pid) == "Z")
    assert refused(str(program.pid)) == (2, f"imptrace: there is no process {program.pid}")


@needs_root
def test_as_an_ordinary_user(open_work: Path) -> None:
    """Their own process: yes. Another user's: one line."""
    database = open_work / "home/runs.db"

    def attach(*words: str) -> subprocess.CompletedProcess[bytes]:
        command = [IMPTRACE, "attach", "--db", database, *words]
        return as_ordinary_user([os.fspath(word) for word in command], open_work / "home")

    nobody = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid}
    with (
        subprocess.Popen(["sleep", "60"], **nobody) as own,  # type: ignore[call-overload]
        subprocess.Popen(["sleep", "60"]) as other,
    ):
        done = attach(str(own.pid), "--for", "0.2s")
        assert done.returncode == 0, done.stderr
        assert is_free(own.pid)
        done = attach(str(other.pid))
        assert done.returncode == 125
        assert b"belongs to root: use sudo" in done.stderr
        done = attach("--name", "sleep", "--for", "0.1s")
        assert done.returncode == 0, done.stderr
        own.kill()
        other.kill()


def test_yama(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where Yama refuses, its setting is named, and the way out."""
    scope = tmp_path / "ptrace_scope"
    monkeypatch.setattr(permission, "_SCOPE", scope)
    monkeypatch.setattr(permission, "is_privileged", lambda: False)
    scope.write_text("1\n")
    text = str(targets.refusal(os.getpid(), 1))
    assert "kernel.yama.ptrace_scope is 1" in text
    assert "sudo" in text
    scope.write_text("3\n")
    assert "until the machine starts" in str(targets.refusal(os.getpid(), 1))


@pytest.mark.parametrize(
    ("first", "name"),
    [
        ("/opt/bin/.editor-wrapped", b"editor"),
        ("-shell", b"shell"),
        ("server: master process", b"server"),
        ("/opt/bin/server *:80", b"server"),
    ],
)
def test_names_of_programs(first: str, name: bytes) -> None:
    """A process is called what it was started as, or by the first word of its title."""
    with subprocess.Popen([first, "60"], executable="/usr/bin/sleep") as process:
        wait_until(lambda: proc.arguments(process.pid)[:1] == (first.encode(),))
        program = targets.described(process.pid).program
        process.kill()
    assert program == name


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
