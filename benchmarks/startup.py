"""python -m benchmarks.startup: how long imptrace takes to get out of the way.

Prints a Markdown table: the time from the command to the program's own first instruction, what
`imptrace run -- true` adds to `true`, and how long `imptrace --help` takes.
"""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.datasets import compile_program
from benchmarks.recorders import IMPTRACE
from benchmarks.report import print_machine, print_row

NANOSECOND = 1e-9


def main(
    *, rounds: Annotated[int, typer.Option(min=1, help="How often each is run.")] = 15
) -> None:
    """Measure how long imptrace takes to start a program, and to answer."""
    with tempfile.TemporaryDirectory(prefix="imptrace-benchmark-") as name:
        root = Path(name)
        program = compile_program("program_start", root)
        run: list[str | Path] = [IMPTRACE, "run", "--quiet", "--db", root / "runs.db", "--"]
        measures: dict[str, Callable[[], float]] = {
            "untraced: command to program's start": lambda: seconds_to_start([program]),
            "imptrace run: command to program's start": lambda: seconds_to_start([*run, program]),
            "`true`": lambda: seconds(["true"]),
            "`imptrace run -- true`": lambda: seconds([*run, "true"]),
            "`imptrace --help`": lambda: seconds([IMPTRACE, "--help"]),
        }
        # The first run makes the database: worth a line of its own, once.
        first = {"first `imptrace run -- true`, with a new database": [seconds([*run, "true"])]}
        print_table(first | interleaved(measures, rounds))


def interleaved(measures: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Take every measure once a round."""
    found: dict[str, list[float]] = {title: [] for title in measures}
    for _ in range(rounds):
        for title, measure in measures.items():
            found[title].append(measure())
    return found


def seconds_to_start(command: list[str | Path]) -> float:
    """Seconds until a command that ends in program_start reaches its main function."""
    started = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return int(done.stdout) * NANOSECOND - started


def seconds(command: list[str | Path]) -> float:
    """Return how long the command takes, in seconds."""
    started = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - started


def print_table(found: dict[str, list[float]]) -> None:
    print_machine()
    print_row("", "median", "fastest", "slowest")
    print_row("---", "---:", "---:", "---:")
    for title, times in found.items():
        shown = (statistics.median(times), min(times), max(times))
        print_row(title, *(f"{value:.3f} s" for value in shown))


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
