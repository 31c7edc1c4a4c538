"""What can be attached to, by number, name and unit; what is refused, and in which words."""

import os
import signal
import subprocess
import time
from pathlib import Path

import forked
import pytest
from attaching import OBEDIENT, Started, attached, is_free, tell, wait_until
from recorded_programs import (
    IMPTRACE,
    NOBODY,
    Recorder,
    as_ordinary_user,
    needs_bpf,
    needs_root,
)

from imptrace.tracer import permission, proc, targets


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
            wait_until(lambda group=group: not (group / "cgroup.procs").read_text())
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
    done = forked.run_text("attach", *words)
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
        subprocess.Popen(["sleep", "60"], **nobody) as own,
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
