"""python -m benchmarks.memory: what recording takes in memory and on disk.

Two programs: a million calls on a thousand paths, and 200,000 distinct paths. Prints a Markdown
table: peak resident memory of imptrace's own processes (not of the program), the time from the
program's end to that of imptrace, when all rows are on disk, and the size of the database.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.datasets import compile_program
from benchmarks.recorders import IMPTRACE
from benchmarks.report import print_machine, print_row

POLL_SECONDS = 0.02
NANOSECOND = 1e-9
PROGRAM = "many_paths"


@dataclass(frozen=True)
class Footprint:
    """What one recording took. Memory in kB, as the kernel counts it (shared pages in each)."""

    peak_kilobytes: dict[str, int]
    """Per process of imptrace."""
    seconds_after_end: float
    database_bytes: int
    paths: int
    """Distinct paths below the program's directory that the database knows."""


def main() -> None:
    """Run both programs and print the table."""
    print_machine()
    print_row("", "peak memory", "after the program's end", "database", "per path")
    print_row("---", "---:", "---:", "---:", "---:")
    with tempfile.TemporaryDirectory(prefix="imptrace-benchmark-") as root:
        program = compile_program(PROGRAM, Path(root))
        print_footprint("1,000,000 calls on 1,000 paths", record(program, 1_000_000, 1_000))
        print_footprint("200,000 distinct paths", record(program, 200_000, 200_000))


def record(program: Path, calls: int, paths: int) -> Footprint:
    """Record the program; check that the database knows every path."""
    with tempfile.TemporaryDirectory(prefix="work-", dir=program.parent) as name:
        work = Path(name, "work")
        work.mkdir()
        database = Path(name, "runs.db")
        command: list[str | Path] = [IMPTRACE, "run", "--quiet", "--db", database, "--", program]
        ended_file = Path(name, "ended")
        with ended_file.open("wb") as out:
            recording = subprocess.Popen([*command, str(calls), str(paths)], cwd=work, stdout=out)
            peaks = watch(recording)
        now = time.monotonic()
        if recording.returncode != 0:
            sys.exit(f"{PROGRAM} ended with {recording.returncode} under imptrace")
        known = count_files(database, work)
        if known != paths:
            sys.exit(f"the database knows {known} of {paths} files")
        ended = int(ended_file.read_text()) * NANOSECOND
        size = sum(file.stat().st_size for file in database.parent.glob("runs.db*"))
        return Footprint(peaks, now - ended, size, known)


def watch(recording: subprocess.Popen[bytes]) -> dict[str, int]:
    """Wait for the end; return the peak of every process but the program's, in kB."""
    peaks: dict[str, int] = {}
    while True:
        for role, pid in (("imptrace", recording.pid), *children(recording.pid)):
            peak = peak_kilobytes(pid)
            if peak is not None:
                peaks[role] = max(peak, peaks.get(role, 0))
        try:
            recording.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return peaks


def children(pid: int) -> list[tuple[str, int]]:
    """Return the processes that `pid` started and that still run its own executable."""
    try:
        pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        executable = Path(f"/proc/{pid}/exe").readlink()
        return [
            (f"child {number}", int(child))
            for number, child in enumerate(pids, 1)
            if Path(f"/proc/{child}/exe").readlink() == executable
        ]
    except OSError:  # it ended meanwhile
        return []


def peak_kilobytes(pid: int) -> int | None:
    """Return the highest resident memory so far; None when the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


def count_files(database: Path, work: Path) -> int:
    """Ask imptrace how many of the program's files it has seen."""
    command: list[str | Path] = [IMPTRACE, "show", "latest", "--json", "--db", database]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    paths = json.loads(answer.stdout)["paths"]
    return sum(path["path"].startswith(f"{work}/") and "/file" in path["path"] for path in paths)


def print_footprint(title: str, footprint: Footprint) -> None:
    total = sum(footprint.peak_kilobytes.values()) / 1000
    each = ", ".join(f"{role} {kb / 1000:.0f}" for role, kb in footprint.peak_kilobytes.items())
    print_row(
        title,
        f"{total:.0f} MB ({each})",
        f"{footprint.seconds_after_end:.1f} s",
        f"{footprint.database_bytes / 1e6:.1f} MB",
        f"{footprint.database_bytes / footprint.paths:.0f} bytes",
    )


if __name__ == "__main__":
    main()
