"""One workload under one recorder: how long it took, and whether the program did the same."""

import contextlib
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.recorders import Recorder
from benchmarks.workloads import Workload

TIMED = 'a=$EPOCHREALTIME; sh -euc "$1"; b=$?; echo $a $EPOCHREALTIME >"$0"; exit $b'


@dataclass(frozen=True)
class Run:
    """How long a program took, its exit status, and a checksum of what it left behind."""

    seconds: float
    """The whole command: until the last row is stored."""
    program: float
    """The program itself, from its start to its end: what its user feels."""
    status: int
    checksum: str
    complaint: str
    """The last line on stderr."""

    def same_result(self, other: "Run") -> bool:
        return (self.status, self.checksum) == (other.status, other.checksum)


class Bench:
    """A directory with the data of the workloads, in which they run one at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._home = root / "home"
        self._home.mkdir()

    def prepare(self, workload: Workload) -> None:
        """Make the workload's data."""
        data = self._data(workload)
        data.mkdir()
        workload.prepare(data)

    def run(self, workload: Workload, recorder: Recorder, *, timeout: float) -> Run:
        """Run once in a new directory.

        Raises TimeoutError when it takes longer than `timeout` seconds.
        """
        with self._new_directory("work") as work, self._new_directory("output") as output:
            # What earlier runs left to write must not be written during this one.
            os.sync()
            times = self._root / "times"
            script = f"exec >stdout; {workload.script}"
            command = [*recorder.prefix(output), "bash", "-c", TIMED, times, script]
            started = time.monotonic()
            status = run_command(command, work, self._environment(workload), timeout)
            seconds = time.monotonic() - started
            complaints = (work / "stderr").read_text(errors="replace").strip().splitlines()
            program = seconds_between(times)
            return Run(
                seconds, program, status, checksum(work), complaints[-1] if complaints else ""
            )

    def _data(self, workload: Workload) -> Path:
        return self._root / f"data-{workload.name}"

    @contextlib.contextmanager
    def _new_directory(self, name: str) -> Iterator[Path]:
        path = self._root / name
        path.mkdir()
        try:
            yield path
        finally:
            shutil.rmtree(path)

    def _environment(self, workload: Workload) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._home),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "DATA": str(self._data(workload)),
            "PYTHON": sys.executable,
            "GIT_CONFIG_NOSYSTEM": "1",
            # Otherwise reprozip asks on its first run whether it may report on its use.
            "REPROZIP_USAGE_STATS": "off",
        }


def seconds_between(times: Path) -> float:
    """Read what TIMED has written; NaN where it was not let come to that."""
    words = times.read_text().split() if times.exists() else []
    times.unlink(missing_ok=True)
    return float(words[1]) - float(words[0]) if len(words) == 2 else float("nan")


def run_command(
    command: list[str | Path], work: Path, environment: dict[str, str], timeout: float
) -> int:
    """Run to the end; return the exit status. What it says goes to the file stderr in `work`."""
    with (work / "stderr").open("wb") as talk:
        process = subprocess.Popen(
            command,
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=talk,
            stderr=talk,
            start_new_session=True,
        )
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            # Whatever is left of it, the programs of a recorder that was stopped included.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def checksum(root: Path) -> str:
    """Names, types, modes and contents below `root`.

    Without what differs from run to run: .git (times, and how objects are packed) and stderr,
    where recorders talk.
    """
    digest = hashlib.sha256()
    for directory, directories, files in os.walk(root):
        directories[:] = sorted(set(directories) - {".git"})
        for name in sorted(set(files) - {"stderr"}) + directories:
            path = Path(directory, name)
            digest.update(describe(path, root))
    return digest.hexdigest()


def describe(path: Path, root: Path) -> bytes:
    state = path.lstat()
    head = f"{path.relative_to(root)}\0{state.st_mode:o}\0"
    content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(state.st_mode) else ""
    return f"{head}{content}\n".encode()
