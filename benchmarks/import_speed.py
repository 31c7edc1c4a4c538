"""How fast `imptrace import` reads logs of strace, and how much memory it takes.

    python -m benchmarks.import_speed [--megabytes N] [--json FILE]

Real logs are recorded with strace (several sets of options, one workload), repeated until they
have the wanted size, with new process ids each time, and imported into a new database. The figures
are those of the whole import, from start to stored run; only starting Python is not counted.
"""

import argparse
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from imptrace.record.log import find_logs, import_log
from imptrace.tracer.strace.recorder import LogOptions

OPTIONS = [
    ["-f"],
    ["-f", "-y", "-ttt"],
    ["-f", "-xx", "-v", "-T"],
    ["-f", "-e", "trace=%file,%process"],
]
WORKLOAD = """
git init -q r; cd r; for i in $(seq 40); do echo $i >f$i; done; git add .; git status >/dev/null
git -c user.name=a -c user.email=b commit -qm x; python3 -c 'import json, asyncio, http.client'
for i in $(seq 40); do cat f$i >/dev/null; done; tar cf /dev/null . 2>/dev/null
find /usr/share -maxdepth 3 >/dev/null; grep -rs zzzz /etc >/dev/null; cp -r . ../copy
"""
_PID = re.compile(rb"^\d+", re.MULTILINE)
_PIDS_OF_A_SAMPLE = 30_000
_PIDS = 4_000_000
_MEGABYTE = 1 << 20


class Figures(NamedTuple):
    """What one import took."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float


def record(options: list[str], directory: Path) -> bytes:
    """Record the workload with the real strace."""
    log = directory / "sample"
    with tempfile.TemporaryDirectory(dir=directory) as work:
        subprocess.run(["strace", *options, "-o", log, "sh", "-c", WORKLOAD], cwd=work, check=False)
    return log.read_bytes()


def enlarge(sample: bytes, log: Path, size: int) -> int:
    """Write the sample again and again, each time with other process ids; returns the lines."""
    lines = 0
    with log.open("wb") as file:
        for repeat in range(max(1, round(size / len(sample)))):
            first = repeat * _PIDS_OF_A_SAMPLE % _PIDS
            file.write(_PID.sub(partial(_moved, first), sample))
            lines += sample.count(b"\n")
    return lines


def _moved(first: int, pid: re.Match[bytes]) -> bytes:
    return b"%d" % (first + int(pid[0]) % _PIDS_OF_A_SAMPLE)


def import_in_child(log: Path, database: Path) -> Figures:
    """Import in a process of its own, whose memory is that of the import alone."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, json.dumps(_import(log, database)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        figures = Figures(*json.loads(answer.read()))
    os.waitpid(child, 0)
    return figures


def _import(log: Path, database: Path) -> Figures:
    begun, cpu_begun = time.perf_counter(), time.process_time()
    for files in find_logs([log]):
        import_log(str(database), files, LogOptions(cwd=b"/srv"), lambda _: None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Figures(time.perf_counter() - begun, time.process_time() - cpu_begun, peak)


def measure(options: list[str], directory: Path, megabytes: int) -> list[dict[str, float]]:
    """Import a log of this size and one of a tenth; print a row of the table for each."""
    sample = record(options, directory)
    rows = []
    for wanted in (max(1, megabytes // 10), megabytes):
        log = directory / "large.log"
        lines = enlarge(sample, log, wanted * _MEGABYTE)
        figures = import_in_child(log, directory / "test.db")
        for file in directory.glob("test.db*"):
            file.unlink()
        size = log.stat().st_size / _MEGABYTE
        print(
            f"| `{' '.join(options)}` | {size:.0f} MB | {lines:,} | {lines / figures.seconds:,.0f} "
            f"| {lines / figures.cpu_seconds:,.0f} | {figures.peak_megabytes:.0f} MB |",
            flush=True,
        )
        rows.append({"megabytes": size, "lines": lines, **figures._asdict()})
    return rows


def main() -> int:
    """Measure each kind of log, small and large."""
    parser = argparse.ArgumentParser(description="Measure imptrace import.")
    parser.add_argument("--megabytes", type=int, default=200, help="size of the large logs")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    print(
        f"{platform.machine()}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}\n"
    )
    print("| strace | log | lines | lines a second | lines a CPU second | peak memory |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as directory:
        figures = {
            " ".join(options): measure(options, Path(directory), arguments.megabytes)
            for options in OPTIONS
        }
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
