"""`imptrace attach` by a user on a machine that is recorded: its recorder tells him."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from asked_service import DROP, PATIENCE, Service, everywhere, place, service, serving
from recorded_programs import needs_bpf

from imptrace.db.records import RunDetails
from imptrace.facts.answering import ATTACH, EVERYTHING, NO
from imptrace.tracer.events import AccessFlag, Op

__all__ = ["everywhere", "place", "service"]
pytestmark = needs_bpf
OBEDIENT = "import os,sys\nfor line in sys.stdin: exec(line); print('done', flush=True)"


@contextmanager
def obedient(service: Service, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start a program of the user's that does what it is told."""
    command = [*(words or DROP), "/usr/bin/python3", "-c", OBEDIENT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=service.home
    ) as program:
        tell(program, "pass")
        try:
            yield program
        finally:
            program.kill()


def tell(program: subprocess.Popen[str], line: str) -> None:
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(line + "\n")
    program.stdin.flush()
    assert program.stdout.readline() == "done\n"


@contextmanager
def attached(service: Service, *pids: int) -> Iterator[subprocess.Popen[str]]:
    """Be attached, as the user, until Ctrl-C."""
    with subprocess.Popen(
        service.command("attach", *map(str, pids)),
        env=service.environ(), cwd=service.home, stderr=subprocess.PIPE, text=True,
    ) as attach:  # fmt: skip
        assert attach.stderr is not None
        assert attach.stderr.readline().startswith("imptrace: attached to ")
        yield attach
        attach.send_signal(signal.SIGINT)
        _, said = attach.communicate(timeout=PATIENCE)
        assert attach.returncode == 0, said
        assert "seen by the recorder service" in said


def effects(details: RunDetails, home: Path) -> dict[str, str | None]:
    return {
        os.path.relpath(os.fsdecode(each.path), home): each.effect
        for each in details.paths
        if each.path.startswith(os.fsencode(home))
    }


def test_what_his_processes_do(service: Service) -> None:
    """From then on, with children; two at once; nothing traces them, and they go on."""
    with obedient(service) as one, obedient(service) as two:
        tell(one, "open('before', 'w').close(); held = open('held', 'w')")
        with attached(service, one.pid, two.pid):
            assert "TracerPid:\t0" in Path(f"/proc/{one.pid}/status").read_text()
            tell(one, "open('new', 'w').close(); os.rename('new', 'renamed')")
            tell(one, "os.system('echo > by-child')")
            tell(two, "open('second', 'w').close()")
        tell(one, "open('after', 'w').close()")
        details = service.details()
    found = effects(details, service.home)
    assert {name for name, effect in found.items() if effect == "created"} == {
        "renamed", "by-child", "second",
    }  # fmt: skip
    assert not {"before", "after"} & set(found)
    held = next(each for each in details.paths if each.path.endswith(b"/held"))
    assert held.flags & AccessFlag.ALREADY_OPEN
    assert Op.WRITE in held.ops


def test_a_loop_while_attached_and_its_end(service: Service) -> None:
    """All of it is told, and attach ends with the program."""
    with obedient(service) as program:
        with attached(service, program.pid) as attach:
            for number in range(20):
                tell(program, f"[open(f'n{number}.{{n}}', 'w').close() for n in range(50)]")
            assert program.stdin is not None
            program.stdin.close()
            program.wait(PATIENCE)
            attach.wait(PATIENCE)
        found = effects(service.details(), service.home)
    assert {f"n{a}.{b}" for a in range(20) for b in range(50)} <= set(found)


@pytest.mark.parametrize(
    "words",
    [
        ("setpriv", "--reuid", "daemon", "--clear-groups"),
        ("setpriv", "--reuid", "nobody", "--rgid", "nogroup", "--egid", "daemon", "--clear-groups"),
        ("setpriv", "--ruid", "nobody", "--euid", "root"),
        ("unshare", "-m", *DROP),
    ],
    ids=["another's", "of another group", "with root's rights", "with mounts of its own"],
)
def test_what_is_not_his_alone_is_refused(service: Service, words: tuple[str, ...]) -> None:
    """And nothing of it is told."""
    with obedient(service, *words) as program:
        said = asked(service, b"%d" % program.pid)
    assert said.startswith(NO + b"process %d " % program.pid), said


@pytest.mark.parametrize("pids", [b"0", b"1", b"-1", b"4194305", b"x", b"99999999999999999999"])
def test_what_is_no_process_of_his(service: Service, pids: bytes) -> None:
    assert asked(service, pids).startswith(NO)
    assert "seen by the recorder service" in service("run", "true").stderr


def asked(service: Service, pids: bytes) -> bytes:
    """Ask by hand, as the user, and give the first that is said."""
    script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
    script += "s.sendall(sys.argv[2].encode()); print(s.recv(200).decode(), end='')"
    question = (ATTACH + EVERYTHING + b" " + pids + b"\n").decode()
    words = [*DROP, "/usr/bin/python3", "-c", script, str(service.place), question]
    return subprocess.run(words, capture_output=True, check=True, timeout=PATIENCE).stdout


def test_the_service_is_killed_meanwhile(place: Path) -> None:
    """It is said, and since when nothing was recorded is a gap; the program goes on."""
    with serving(place) as service, obedient(service) as program:
        with subprocess.Popen(
            service.command("attach", str(program.pid)),
            env=service.environ(), cwd=service.home, stderr=subprocess.PIPE, text=True,
        ) as attach:  # fmt: skip
            assert attach.stderr is not None
            assert attach.stderr.readline().startswith("imptrace: attached to ")
            tell(program, "open('seen', 'w').close()")
            time.sleep(0.5)
            service.process.kill()
            _, said = attach.communicate(timeout=PATIENCE)
        assert "the machine's recorder ended before the program did" in said
        tell(program, "open('unseen', 'w').close()")
        details = service.details()
    assert "seen" in effects(details, service.home)
    assert details.gaps
