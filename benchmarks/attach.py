"""python -m benchmarks.attach: what being attached to costs a program.

Prints a Markdown table: the loop of path calls in a process that `imptrace attach`, python-ptrace's
own strace.py and strace have attached to, and how long it takes imptrace to attach to a process of
many threads and to let go of it.
"""

import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.datasets import compile_program
from benchmarks.recorders import IMPTRACE, STRACE_PY
from benchmarks.report import print_machine, print_row

CALLS_A_ROUND = 3
PATIENCE = 30.0
SETTLE_SECONDS = 0.5
"""After the kernel says that the program is traced, until all of the tracer is ready."""

Attacher = Callable[[int, Path], list[str | Path]]
ATTACHERS: dict[str, Attacher | None] = {
    "untraced": None,
    "imptrace attach, bpf": lambda pid, output: [
        IMPTRACE, "attach", "--recorder", "bpf", "--db", output / "runs.db", str(pid),
    ],
    "imptrace attach, ptrace": lambda pid, output: [
        IMPTRACE, "attach", "--recorder", "ptrace", "--db", output / "runs.db", str(pid),
    ],
    "strace.py": lambda pid, output: [
        sys.executable, STRACE_PY, "-q", "-f", "--filename", "-o", output / "log", "-p", str(pid),
    ],
    "strace": lambda pid, output: [
        "strace", "-f", "-e", "trace=%file", "-o", output / "log", "-p", str(pid),
    ],
}  # fmt: skip


def main(
    *,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is run.")] = 3,
    calls: Annotated[int, typer.Option(min=3, help="Path calls in the loop.")] = 60_000,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the large process.")] = 200,
) -> None:
    """Measure what being attached to costs."""
    with tempfile.TemporaryDirectory(prefix="imptrace-benchmark-", dir="/dev/shm") as name:
        root = Path(name)
        loop = compile_program("path_calls", root)
        there = {title: each for title, each in ATTACHERS.items() if is_there(title)}
        found: dict[str, list[float]] = {title: [] for title in there}
        for _ in range(rounds):
            for title, attacher in there.items():
                found[title].append(
                    loop_seconds([loop, str(calls // CALLS_A_ROUND)], attacher, root)
                )
        print_machine()
        print_row("", "median", "fastest", "added per call")
        print_row("---", "---:", "---:", "---:")
        untraced = statistics.median(found["untraced"])
        for title, times in found.items():
            median = statistics.median(times)
            added = f"{(median - untraced) / calls * 1e6:.1f} us"
            print_row(title, f"{median:.2f} s", f"{min(times):.2f} s", added)
        large = compile_program("many_threads", root)
        print_row(f"attach to {threads} threads and let go", *threads_row(large, threads, root))


def is_there(title: str) -> bool:
    """Whether one of them is installed."""
    if title == "strace":
        return shutil.which("strace") is not None
    return title != "strace.py" or STRACE_PY.exists()


def loop_seconds(command: list[str | Path], attacher: Attacher | None, root: Path) -> float:
    """Seconds that the loop takes in a process that was attached to before it began."""
    with tempfile.TemporaryDirectory(dir=root) as name:
        waiting = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; exec "$@"', "sh", *command],
            stdin=subprocess.PIPE,
            cwd=name,
        )
        tracer = attacher and start_tracer(attacher(waiting.pid, Path(name)), waiting.pid)
        started = time.monotonic()
        waiting.communicate(b"\n")
        if waiting.returncode:
            sys.exit(f"the loop failed with {waiting.returncode}")
        elapsed = time.monotonic() - started
        if tracer:
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
        return elapsed


def start_tracer(command: list[str | Path], pid: int) -> subprocess.Popen[bytes]:
    """Attach, and wait until it says so, or the kernel does."""
    if command[0] == IMPTRACE:
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
        if tracer.stderr is None or b"attached to" not in tracer.stderr.readline():
            sys.exit(f"{command[0]} has not attached")
        return tracer
    tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE
    while "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text():
        if tracer.poll() is not None or time.monotonic() > end:
            sys.exit(f"{command[0]} has not attached")
        time.sleep(0.01)
    time.sleep(SETTLE_SECONDS)
    return tracer


def threads_row(program: Path, threads: int, root: Path) -> list[str]:
    """Attach to a process of many threads and let go at once: the whole command's time."""
    process = subprocess.Popen([program, str(threads)], stdin=subprocess.PIPE, cwd=root)
    time.sleep(SETTLE_SECONDS)  # all threads have started
    times = []
    for _ in range(3):
        started = time.monotonic()
        subprocess.run(
            [
                IMPTRACE, "attach", "--quiet", "--for", "0.001s", "--db", root / "runs.db",
                str(process.pid),
            ],
            check=True,
        )  # fmt: skip
        times.append(time.monotonic() - started)
    process.communicate()
    return [f"{statistics.median(times):.2f} s", f"{min(times):.2f} s", ""]


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
