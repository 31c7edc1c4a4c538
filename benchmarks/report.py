"""Turns measurements into a Markdown table on stdout and a JSON file."""

import itertools
import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measurements import UNTRACED, Measurements
from benchmarks.recorders import OURS, Recorder
from benchmarks.workloads import LOOP_CALLS, LOOP_ROUNDS, Workload

SCHEMA = "imptrace.benchmark.overhead/1"
COMPARED = ("strace", "strace-pinned", "reprozip", "python-ptrace", "fsatrace")


def machine() -> dict[str, str | int]:
    """Describe what the figures hold for."""
    return {
        "cpu": cpu_model(),
        "cpus": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def write_json(
    path: Path,
    measurements: Measurements,
    workloads: Sequence[Workload],
    recorders: Sequence[Recorder],
) -> None:
    """Write every single time, in the order of the rounds, and what went wrong."""
    document = {
        "schema": SCHEMA,
        "machine": machine(),
        "missing": measurements.missing,
        "workloads": {
            workload.name: {
                "title": workload.title,
                "recorders": {
                    recorder.name: {
                        "seconds": measurements.seconds.get((workload.name, recorder.name), []),
                        "median": measurements.median(workload.name, recorder.name),
                        "program": measurements.program.get((workload.name, recorder.name), []),
                        "added": measurements.added(workload.name, recorder.name),
                        "problem": measurements.problems.get((workload.name, recorder.name)),
                    }
                    for recorder in recorders
                },
            }
            for workload in workloads
        },
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


def write_markdown(
    measurements: Measurements, workloads: Sequence[Workload], recorders: Sequence[Recorder]
) -> None:
    """Print the tables."""
    print_machine()
    print_overheads(measurements, workloads, recorders)
    print_ratios(measurements, workloads)
    print_loop(measurements, recorders)
    for name, lacks in measurements.missing.items():
        print(f"- {name} is missing: {lacks}")
    for (workload, recorder), problem in measurements.problems.items():
        print(f"- {workload}, {recorder}: {problem}")


def print_machine() -> None:
    """Print the line that every table stands under."""
    print(", ".join(f"{key} {value}" for key, value in machine().items()), end="\n\n")


def print_overheads(
    measurements: Measurements, workloads: Sequence[Workload], recorders: Sequence[Recorder]
) -> None:
    names = [recorder.name for recorder in recorders if recorder.name != UNTRACED]
    print("Added to the time of the program itself / of the whole command.\n")
    print_row("workload", "untraced", *names)
    print_row("---", *["---:"] * (len(names) + 1))
    for workload in workloads:
        untraced = measurements.median(workload.name, UNTRACED)
        cells = [overhead_cell(measurements, workload.name, name) for name in names]
        print_row(workload.title, "-" if untraced is None else f"{untraced:.2f} s", *cells)
    print()


def overhead_cell(measurements: Measurements, workload: str, recorder: str) -> str:
    if recorder in measurements.missing:
        return "missing"
    problem = measurements.problems.get((workload, recorder))
    if problem is not None:
        return "timeout" if problem == "timeout" else "failed"
    percent = measurements.percent(workload, recorder)
    program = measurements.program_percent(workload, recorder)
    if percent is None or program is None:
        return "-"
    return f"{program:+.0f} % / {percent:+.0f} %"


def print_ratios(measurements: Measurements, workloads: Sequence[Workload]) -> None:
    names = [workload.name for workload in workloads]
    print_row("added time of", "as a share of", "geometric mean", "highest", "workloads")
    print_row("---", "---", "---:", "---:", "---:")
    for ours, other in itertools.product(OURS, COMPARED):
        mean, count = measurements.mean_added_ratio(names, ours, other)
        ratios = {name: measurements.added_ratio(name, ours, other) for name in names}
        known = {name: ratio for name, ratio in ratios.items() if ratio is not None}
        if mean is not None:
            worst = max(known, key=known.__getitem__)
            print_row(ours, other, f"{mean:.3f}", f"{known[worst]:.3f} ({worst})", f"{count}")
    print()


def print_loop(measurements: Measurements, recorders: Sequence[Recorder]) -> None:
    """Print what a call costs; a stat is no call that imptrace stops, unless asked to."""
    print_row("added in the loop of calls", "microseconds a call", "without the stats")
    print_row("---", "---:", "---:")
    for recorder in recorders:
        added = measurements.added("calls", recorder.name)
        if added is not None and recorder.name != UNTRACED:
            each, opens = added / LOOP_CALLS, added / (2 * LOOP_ROUNDS)
            print_row(recorder.name, f"{1e6 * each:.1f}", f"{1e6 * opens:.1f}")
    print()


def print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |")
