"""`imptrace run` by a user on a machine that is recorded: the machine's recorder tells him."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from asked_service import PATIENCE, Service, everywhere, place, service, serving
from recorded_programs import IMPTRACE, needs_bpf

from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.records import RunDetails
from imptrace.facts.answering import (
    EVERYTHING,
    FOLLOW,
    FOLLOWING,
    MOST_LINE,
    NO,
    QUESTIONS,
    WRITES,
)
from imptrace.record.following import PROGRAMS_OF_ONE
from imptrace.tracer import _native
from imptrace.tracer.asked.told import Told
from imptrace.tracer.events import Access, Event, Lost, Notice, Op, Outcome, ProgramEnded
from imptrace.tracer.native.ring import Decoder

pytestmark = needs_bpf
__all__ = ["everywhere", "place", "service"]


@pytest.fixture(scope="module")
def built(everywhere: Path) -> Callable[[str, str], Path]:
    """Compile a few lines of C."""

    def build(name: str, lines: str) -> Path:
        source = everywhere / f"{name}.c"
        source.write_text(lines)
        command = ["gcc", "-D_GNU_SOURCE", "-o", str(everywhere / name), str(source)]
        subprocess.run(command, check=True, timeout=PATIENCE)
        return everywhere / name

    return build


def told(details: RunDetails) -> dict[bytes, set[tuple[Op, Outcome]]]:
    """Say what was done to which path."""
    return {
        record.path: {(access.op, access.outcome) for access in record.accesses}
        for record in details.paths
    }


def test_a_users_program_is_recorded_by_the_service(service: Service) -> None:
    """Without a filter, a tracer, or a change of how it ends; with its arguments."""
    script = (
        "grep -E '^(Seccomp|TracerPid|NoNewPrivs):' /proc/self/status; echo hi > a; mv a b; exit 3"
    )
    done = service("run", "sh", "-c", script, "name", "--an-argument")
    assert done.returncode == 3
    assert dict(line.split(":\t") for line in done.stdout.splitlines()) == {
        "TracerPid": "0",
        "NoNewPrivs": "0",
        "Seccomp": "0",
    }
    assert "seen by the recorder service" in done.stderr
    details = service.details()
    assert (details.run.recorder, details.run.exit_code) == ("service", 3)
    paths = told(details)
    home = os.fsencode(service.home)
    assert (Op.CREATE, Outcome.OK) in paths[home + b"/a"]
    assert (Op.RENAME, Outcome.OK) in paths[home + b"/b"]
    assert any(b"--an-argument" in process.argv for process in details.processes)
    assert not details.run.warnings


def test_recommend_works_on_it(service: Service) -> None:
    """It is a run like any other."""
    service("run", "-q", "sh", "-c", "mkdir -p .config/thing; echo x > .config/thing/settings")
    done = service("recommend", "sh")
    assert done.returncode == 0, done.stderr
    assert str(service.home) in done.stdout


def test_all_file_systems_are_told_of(service: Service) -> None:
    """Though the machine is recorded only where a boot wipes it."""
    service("run", "-q", "sh", "-c", ": < /proc/self/limits; echo x > /dev/shm/imptrace-told")
    paths = told(service.details())
    Path("/dev/shm/imptrace-told").unlink()
    assert b"/dev/shm/imptrace-told" in paths
    assert any(path.endswith(b"/limits") for path in paths)


def test_a_setuid_program_keeps_its_privilege_and_its_secrets(
    service: Service, built: Callable[[str, str], Path]
) -> None:
    """It has root's rights; what it does with them the user is not told, and that is said."""
    program = built(
        "privileged",
        r"""
        #include <fcntl.h>
        #include <stdio.h>
        #include <unistd.h>
        int main(void) {
            printf("%d\n", geteuid());
            open("/root/secret-of-root", O_RDWR | O_CREAT, 0600);
            unlink("/root/secret-of-root");
            return 0;
        }""",
    )
    program.chmod(0o4755)
    done = service("run", "sh", "-c", f"{program}; sh -c '{program}; echo > after'")
    assert done.stdout == "0\n0\n"
    assert "2 programs ran with other rights than yours" in done.stderr
    assert "not-yours" in dict(service.details().run.warnings)
    assert b"secret-of-root" not in service.database.read_bytes()
    paths = told(service.details())
    assert (Op.EXEC, Outcome.OK) in paths[os.fsencode(program)]
    assert os.fsencode(service.home / "after") in paths


def test_a_program_with_capabilities_is_not_told_of(
    service: Service, built: Callable[[str, str], Path]
) -> None:
    """One that may read everything would name everything."""
    if shutil.which("setcap") is None:
        pytest.skip("setcap is not installed")
    program = built(
        "reader",
        r"""
        #include <fcntl.h>
        int main(void) { return open("/root/.imptrace-secret-name", O_RDONLY) >= 0; }""",
    )
    subprocess.run(["setcap", "cap_dac_read_search+ep", str(program)], check=True)
    service("run", "-q", str(program))
    assert b"imptrace-secret-name" not in service.database.read_bytes()


def test_what_was_refused_is_counted_and_not_named(service: Service, place: Path) -> None:
    """A link behind a directory that he may not search leads to a name that is not his."""
    private = place / "private"
    private.mkdir(mode=0o700)
    (private / "secret-name").write_text("x")
    (private / "link").symlink_to(private / "secret-name")
    done = service("run", "sh", "-c", f"cat {private}/link {private}/secret-name-too; true")
    assert "refused for want of permission" in done.stderr
    names = service.database.read_bytes()
    assert b"private/secret-name\0" not in names
    assert os.fsencode(private / "secret-name") not in told(service.details())


def test_children_are_waited_for(service: Service) -> None:
    """As with every recorder."""
    began = time.monotonic()
    done = service("run", "--wait", "children", "sh", "-c", "(sleep 1; echo x > late) & exit 4")
    assert done.returncode == 4
    assert time.monotonic() - began > 1
    assert os.fsencode(service.home / "late") in told(service.details())
    done = service("run", "sh", "-c", "sleep 2 & exit 5")
    assert done.returncode == 5
    assert "1 process that it started still run" in done.stderr


def test_signals_and_what_does_not_start(service: Service) -> None:
    """How it ends, or that it does not begin, is as without imptrace."""
    assert service("run", "-q", "sh", "-c", "kill -TERM $$").returncode == -signal.SIGTERM
    assert service("run", "-q", "/nowhere/at/all").returncode == 127
    assert service("run", "-q", "/etc/passwd").returncode == 126


def test_a_run_within_a_run(service: Service) -> None:
    """Both see what the inner one does."""
    inner = f"{IMPTRACE} run -q --db {service.home}/inner.db sh -c 'echo > nested'"
    assert service("run", "-q", "sh", "-c", inner).returncode == 0
    nested = os.fsencode(service.home / "nested")
    assert nested in told(service.details())
    with reading(str(service.home / "inner.db")) as engine:
        details = queries.run_details(engine, 1)
    assert details.run.recorder == "service"
    assert nested in told(details)


def test_more_than_a_user_may_have_are_recorded_otherwise(service: Service) -> None:
    """By the next recorder, which is said; and when the others have ended, by the service."""
    held = [
        subprocess.Popen(
            service.command("run", "--db", str(service.home / f"{number}.db"), "cat"),
            env=service.environ(),
            cwd=service.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(PROGRAMS_OF_ONE)
    ]
    for each in held:
        assert each.stdin is not None
        assert each.stdout is not None
        each.stdin.write("it runs\n")
        each.stdin.flush()
        assert each.stdout.readline() == "it runs\n"
    done = service("run", "true")
    for each in held:
        _, said = each.communicate(timeout=PATIENCE)
        assert each.returncode == 0
        assert "seen by the recorder service" in said
    assert "too many programs are followed already; recording with notify instead" in done.stderr
    assert "seen by the recorder service" in service("run", "true").stderr


def test_what_the_service_lacks_is_said(service: Service) -> None:
    """It was started without --stats."""
    done = service("run", "--stats", "true")
    assert "recorded without --stats; recording with notify instead" in done.stderr
    assert service("run", "--recorder", "service", "--stats", "true").returncode != 0
    service("run", "-q", "--writes-only", "sh", "-c", "cat /etc/passwd > copy")
    paths = told(service.details())
    assert b"/etc/passwd" not in paths
    assert os.fsencode(service.home / "copy") in paths


def test_where_nobody_listens_notify_records(service: Service, place: Path) -> None:
    """A socket that a killed service left, or none at all."""
    left = place / "left"
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(left))
    for socket_place, said in ((left, "does not answer at"), (place / "none", "recorder notify")):
        done = replace(service, place=socket_place)("run", "true")
        assert done.returncode == 0
        assert said in done.stderr
        assert "seen by the recorder notify" in done.stderr


def test_the_service_is_killed_meanwhile(place: Path) -> None:
    """The program goes on, ends as ever, and since when nothing was recorded is said and stored."""
    with serving(place) as service:
        script = "echo > before; echo ready; read go; echo > after; exit 6"
        with subprocess.Popen(
            service.command("run", "sh", "-c", script),
            env=service.environ(),
            cwd=service.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as run:
            assert run.stdin is not None
            assert run.stdout is not None
            assert run.stdout.readline() == "ready\n"
            time.sleep(0.5)
            service.process.kill()
            service.process.wait()
            time.sleep(0.5)
            _, said = run.communicate("go\n", timeout=PATIENCE)
        assert run.returncode == 6
        assert "the machine's recorder ended before the program did" in said
        details = service.details()
        assert os.fsencode(service.home / "before") in told(details)
        assert (service.home / "after").exists()
        assert details.gaps
        assert details.run.exit_code == 6


def follow(place: Path, words: list[bytes], what: bytes = EVERYTHING) -> _native.Asked:
    """Ask by hand, and start a program."""
    asked = _native.Asked(os.fsencode(place), FOLLOW + what + b"\n", FOLLOWING)
    asked.launch(words[0], words, [], [])
    return asked


def test_who_takes_nothing_slows_nobody_and_is_told_so(service: Service) -> None:
    """What waits for him is bounded; what was dropped is counted with its time."""
    script = (
        "import os\nfor n in range(40_000):\n"
        " try: os.unlink(f'/nowhere/{n}' + 'x' * 250)\n except OSError: pass"
    )
    asked = follow(service.place, [os.fsencode(sys.executable), b"-ISc", os.fsencode(script)])
    for _ in range(600):
        if asked.look():
            break
        time.sleep(0.1)
    time.sleep(1)
    memory = Path(f"/proc/{service.process.pid}/status").read_text()
    resident = int(memory.split("VmRSS:")[1].split()[0])
    assert resident < 400_000
    assert "seen by the recorder service" in service("run", "true").stderr
    source, decoder = Told(asked, 0), Decoder()
    events: list[Event | Notice] = []
    deadline = time.monotonic() + PATIENCE
    while not any(isinstance(event, ProgramEnded) for event in events):
        assert time.monotonic() < deadline
        events += decoder.decode(source.read(100))
    source.close()
    lost = [event for event in events if isinstance(event, Lost) and event.count]
    seen = sum(isinstance(event, Access) and event.path.startswith(b"/nowhere") for event in events)
    assert lost
    assert seen + sum(event.count for event in lost) >= 40_000
    assert all(event.since is not None and event.until is not None for event in lost)


def test_whatever_is_asked_the_next_is_answered(service: Service) -> None:
    """Half questions, other layouts of records, random bytes, and who goes away at once."""
    chance = random.Random(14)  # noqa: S311 (no secret)
    whole = FOLLOW + EVERYTHING + b"\n"
    questions = [whole[:length] for length in range(len(whole) - 1)]
    questions += [FOLLOW + word + b"\n" for word in (b"", b"ALL", b"all all", b"\0", b"x" * 300)]
    questions += [FOLLOW.replace(b"follow 1", b"follow 2") + EVERYTHING + b"\n"]
    questions += [FOLLOW + chance.randbytes(chance.randrange(MOST_LINE)) for _ in range(60)]
    for question in questions:
        with closing(socket.socket(socket.AF_UNIX)) as asked:
            asked.settimeout(30)
            asked.connect(str(service.place))
            try:
                asked.sendall(question)
                asked.shutdown(socket.SHUT_WR)
                said = asked.makefile("rb").read()
            except ConnectionError:
                continue
            assert said == b"" or said.startswith(NO), (question, said)
    for what in (EVERYTHING, WRITES, QUESTIONS):
        for _ in range(5):
            with closing(socket.socket(socket.AF_UNIX)) as gone:
                gone.connect(str(service.place))
                gone.sendall(FOLLOW + what + b"\n")
    deadline = time.monotonic() + PATIENCE
    while "seen by the recorder service" not in service("run", "true").stderr:
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    "said",
    [b"", b"hello\n", FOLLOWING + b"x\n", FOLLOWING + b"1\n\xff\xff\xff\xff", FOLLOWING + b"1\n"
     + b"\x10\0\0\0" + b"\x01" * 16, FOLLOWING + b"1\n\x04\0\0\0\0\0\0\0", NO + b"\xff\x1b[2J\n"],
)  # fmt: skip
def test_whoever_answers_the_program_runs(said: bytes, place: Path, service: Service) -> None:
    """Something else at that place: the exit code is the program's."""
    sock = place / "sock"
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(sock))
        sock.chmod(0o666)
        listening.listen()
        child = os.fork()
        if not child:
            connection, _ = listening.accept()
            connection.recv(MOST_LINE)
            connection.sendall(said)
            time.sleep(0.3)
            os._exit(0)
        done = replace(service, place=sock)("run", "sh", "-c", "echo out; exit 9")
        os.waitpid(child, 0)
    assert (done.returncode, done.stdout) == (9, "out\n"), done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
