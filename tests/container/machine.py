"""A machine to try things on: a container with systemd as PID 1, thrown away afterwards."""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

BOOT_SCRIPT = Path(__file__).with_name("boot.sh")
BOOT_SECONDS = 90
COMMAND_SECONDS = 60
_numbers = itertools.count()


class MachineError(Exception):
    """The machine does not boot, or a command on it failed."""


class Machine:
    """Boots a tree made by build.sh; `with` powers it off."""

    def __init__(
        self,
        tree: Path,
        console: Path,
        *,
        over: Path | None = None,
        options: Sequence[str] = (),
    ) -> None:
        """`console` receives what the machine prints while it boots and stops.

        `over` is laid over the tree; `options` go to systemd-nspawn.
        """
        self._tree = f"{over}:{tree}" if over else str(tree)
        self._options = options
        self._console = console
        self._name = f"imptrace-{os.getpid()}-{next(_numbers)}"
        self._leader = 0
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._scratch = Path(tempfile.mkdtemp(prefix="imptrace-machine-"))
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def __enter__(self) -> Self:
        """Boot, and wait until the machine says that it has."""
        notices = self._scratch / "notify"
        root = self._scratch / "mnt"
        root.mkdir()
        self._notices.bind(str(notices))
        with self._console.open("wb") as console:
            self._nspawn = subprocess.Popen(
                ["sh", BOOT_SCRIPT, self._tree, root, self._name, *self._options],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env={**os.environ, "NOTIFY_SOCKET": str(notices)},
                start_new_session=True,
            )
        try:
            self._await_boot()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Power off, and throw everything away."""
        self._stop()

    def reboot(self) -> None:
        """Have the machine reboot, and wait until it has; its files stay."""
        self.run("systemctl", "reboot", check=False)
        self._leader = 0
        self._await_boot()

    def run(
        self, *command: str, check: bool = True, timeout: float = COMMAND_SECONDS, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root on the machine, with `text` as its input.

        Raises MachineError with its output unless it succeeds or `check` is off.
        """
        done = subprocess.run(
            [*self._nsenter(), *command],
            input=text,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            words = " ".join(command)
            raise MachineError(f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def sh(self, script: str, *, check: bool = True, timeout: float = COMMAND_SECONDS) -> str:
        """Run a shell script on the machine; answer its output without the last newline."""
        done = self.run("sh", "-euc", script, check=check, timeout=timeout)
        return done.stdout.rstrip("\n")

    def write(self, path: str, content: str, mode: int = 0o644) -> None:
        """Make a file on the machine, and its directories."""
        self.run(
            "sh", "-euc", 'mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$2" "$1"',
            "sh", path, f"{mode:o}", text=content,
        )  # fmt: skip

    def send(self, content: bytes, path: str) -> None:
        """Make a file of any bytes on the machine."""
        command = [*self._nsenter(), "sh", "-euc", 'cat >"$1"', "sh", path]
        subprocess.run(command, input=content, check=True, timeout=COMMAND_SECONDS)

    def wait_for(self, script: str, *, seconds: float = 60) -> None:
        """Wait until a shell script succeeds on the machine."""
        end = time.monotonic() + seconds
        while True:
            done = self.run("sh", "-euc", script, check=False)
            if done.returncode == 0:
                return
            if time.monotonic() > end:
                raise MachineError(f"not within {seconds} s: {script}\n{done.stdout}{done.stderr}")
            time.sleep(0.1)

    def _nsenter(self) -> list[str]:
        spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root"]
        environ = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        environ += ["HOME=/root", "LANG=C.UTF-8", "USER=root"]
        return ["nsenter", f"--target={self._leader}", *spaces, "env", "-i", "--chdir=/", *environ]

    def _await_boot(self) -> None:
        end = time.monotonic() + BOOT_SECONDS
        self._notices.settimeout(1)
        ready = False
        while not (ready and self._leader):
            assert self._nspawn is not None
            if self._nspawn.poll() is not None or time.monotonic() > end:
                said = self._console.read_text(errors="replace")
                raise MachineError(f"the machine did not boot:\n{said}")
            with contextlib.suppress(TimeoutError):
                for line in self._notices.recv(4096).decode().splitlines():
                    key, _, value = line.partition("=")
                    ready = ready or line == "READY=1"
                    self._leader = int(value) if key == "X_NSPAWN_LEADER_PID" else self._leader

    def _stop(self) -> None:
        assert self._nspawn is not None
        self._notices.close()
        if self._nspawn.poll() is None:
            # nspawn answers SIGTERM with --kill-signal to PID 1: an orderly power-off.
            self._nspawn.terminate()
            try:
                self._nspawn.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self._nspawn.pid, signal.SIGKILL)
                self._nspawn.wait()
        self._remove_cgroup()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _remove_cgroup(self) -> None:
        for hierarchy in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
            for directory, _, _ in os.walk(hierarchy / self._name, topdown=False):
                _remove_when_empty(Path(directory))


def _remove_when_empty(cgroup: Path) -> None:
    """Remove a control group; what is killed in it may take a moment to go."""
    for _ in range(300):
        with contextlib.suppress(OSError):
            cgroup.rmdir()
            return
        with contextlib.suppress(OSError):
            for pid in (cgroup / "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.1)
    cgroup.rmdir()
