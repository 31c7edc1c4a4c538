"""The shim becomes its program, recorded or not, whatever the recorder does."""

import array
import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from imptrace.record.service.shim import installed_shim

SHIM = str(installed_shim())
MAGIC = 0x31706D69
OFFER = struct.pack("=II", MAGIC, 0)
PATIENCE = f"{10_000:x}"
# linux/seccomp.h: struct seccomp_notif is 80 bytes, its answer 24.
NOTIF_RECV, NOTIF_SEND = 0xC0502100, 0xC0182101
NOTIF_FLAG_CONTINUE = 1


class Recorder:
    """A recorder as simple as can be: a socket, and somebody who answers at it."""

    def __init__(self, path: Path, behave: "Behaviour") -> None:
        """Listen at `path`; behave towards the first client, then be gone."""
        self.calls: list[int] = []
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._door.bind(str(path))
        self._door.listen()
        self._thread = threading.Thread(target=self._serve, args=(behave,), daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Wait until everything is done."""
        self._thread.join(10)
        self._door.close()

    def answer(self, listener: int) -> None:
        """Let every call go on, and note its number, until nobody asks any more."""
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while not poll.poll()[0][1] & select.POLLHUP:
            request = bytearray(80)
            fcntl.ioctl(listener, NOTIF_RECV, request)
            (number,) = struct.unpack_from("=Q", request)
            self.calls.append(struct.unpack_from("=i", request, 16)[0])
            answer = struct.pack("=QqiI", number, 0, 0, NOTIF_FLAG_CONTINUE)
            fcntl.ioctl(listener, NOTIF_SEND, answer)
        os.close(listener)

    def _serve(self, behave: "Behaviour") -> None:
        client, _ = self._door.accept()
        with client:
            behave(self, client)
        self._door.close()


Behaviour = Callable[[Recorder, socket.socket], None]


def receive_listener(client: socket.socket) -> int:
    """Take what the shim sends."""
    answer, ancillary, _, _ = client.recvmsg(64, socket.CMSG_SPACE(4))
    assert struct.unpack("=II", answer)[0] == MAGIC
    ((_, _, data),) = ancillary
    (listener,) = array.array("i", data)
    return listener


def record(recorder: Recorder, client: socket.socket) -> None:
    """Do as the real one does."""
    client.send(OFFER)
    listener = receive_listener(client)
    client.send(OFFER)
    recorder.answer(listener)


def vanish_before_offer(_recorder: Recorder, _client: socket.socket) -> None:
    """Hang up at once."""


def vanish_after_offer(_recorder: Recorder, client: socket.socket) -> None:
    """Hang up when the filter is installed."""
    client.send(OFFER)
    os.close(receive_listener(client))


def speak_nonsense(_recorder: Recorder, client: socket.socket) -> None:
    """Offer something else."""
    client.send(b"nonsense")


@pytest.fixture
def door(tmp_path: Path) -> Path:
    """Name a place for the socket."""
    return tmp_path / "socket"


def shim(door: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command behind the shim."""
    return subprocess.run(
        [SHIM, str(door), "0", "0", PATIENCE, command[0], *command],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("behave", [record, vanish_before_offer, speak_nonsense])
def test_the_program_runs(door: Path, behave: Behaviour) -> None:
    """With its own output and exit status, recorded or not."""
    with Recorder(door, behave) as recorder:
        done = shim(door, "/bin/sh", "-c", "cat /etc/hostname >/dev/null; echo said; exit 7")
    assert (done.stdout, done.returncode) == ("said\n", 7)
    assert bool(recorder.calls) == (behave is record)


def test_a_recorder_that_vanishes_for_good(door: Path) -> None:
    """The filter is there already: a process of the shim's answers in the recorder's place."""
    with Recorder(door, vanish_after_offer):
        done = shim(door, "/bin/sh", "-c", "cat /etc/hostname >/dev/null; echo said; exit 7")
    assert (done.stdout, done.returncode) == ("said\n", 7)
    (stand_in,) = processes_of(door)
    os.kill(stand_in, signal.SIGKILL)


def processes_of(door: Path) -> list[int]:
    """Find the processes with this socket on their command line."""
    name = os.fsencode(door)
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if name in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def test_without_a_recorder(door: Path) -> None:
    """It says so, in one line."""
    done = shim(door, "/bin/echo", "unrecorded")
    assert done.stdout == "unrecorded\n"
    if not Path("/run/systemd/journal/socket").exists():
        assert done.stderr == "imptrace: not recorded: the recorder cannot be reached (error 2)\n"


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    """The limit of an address is kept."""
    done = shim(tmp_path / ("x" * 200), "/bin/echo", "unrecorded")
    assert done.stdout == "unrecorded\n"


def test_a_missing_program(door: Path) -> None:
    """The exit status is systemd's own for it."""
    assert shim(door, "/no/such/program").returncode == 203


def test_signals_and_descriptors_are_untouched(door: Path) -> None:
    """What systemd has set up reaches the program: mask, dispositions, descriptors, process id."""
    read_end, write_end = os.pipe()
    script = "echo through >&$0; grep -E '^Sig(Blk|Ign|Cgt)' /proc/$$/status"
    command = ["/bin/bash", "/bin/bash", "-c", script, str(write_end)]

    def run(*before: str) -> str:
        return subprocess.run(
            [*before, *(command if before else command[1:])],
            pass_fds=[write_end],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR2]),
            restore_signals=False,
            check=True,
        ).stdout

    with Recorder(door, record):
        recorded = run(SHIM, str(door), "0", "0", PATIENCE)
    assert recorded == run()
    os.close(write_end)
    assert os.read(read_end, 100) == b"through\nthrough\n"
    os.close(read_end)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to have capabilities to give up")
def test_capabilities_are_given_up(door: Path) -> None:
    """From the bounding set, and so from what root gains by executing a program."""
    sys_admin = 1 << 21
    done = subprocess.run(
        [
            SHIM,
            str(door),
            f"{sys_admin:x}",
            "0",
            PATIENCE,
            "/bin/grep",
            "grep",
            "Cap",
            "/proc/self/status",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    sets = dict(line.split(":\t") for line in done.stdout.splitlines())
    assert not int(sets["CapBnd"], 16) & sys_admin
    assert not int(sets["CapPrm"], 16) & sys_admin
    assert int(sets["CapPrm"], 16)
