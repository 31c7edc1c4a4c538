"""What tests of attaching share: programs that do as they are told, and being attached to them."""

import contextlib
import signal
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recorded_programs import IMPTRACE, PATIENCE, Recorder, needs_bpf

from imptrace.tracer import proc

Started = Callable[..., subprocess.Popen[bytes]]

# Does what its standard input says, a line each; answers each line when it is done.
OBEDIENT = """
    import os, sys, threading
    for line in sys.stdin:
        exec(line)
        print("done", flush=True)
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

    yield start
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
