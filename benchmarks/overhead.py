"""python -m benchmarks.overhead: what recording adds to the time of ten real workloads.

Every workload runs untraced and under each recorder, interleaved, several rounds. A table goes
to stdout, every single time to a JSON file, progress to stderr.
"""

import sys
import tempfile
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from benchmarks.measurements import UNTRACED, Measurements
from benchmarks.recorders import RECORDERS, Recorder
from benchmarks.report import write_json, write_markdown
from benchmarks.runner import Bench, Run
from benchmarks.workloads import WORKLOADS, Workload

SHARED_MEMORY = Path("/dev/shm")
Item = TypeVar("Item", Workload, Recorder)


def main(
    *,
    workload: Annotated[
        list[str] | None, typer.Option(help="Only this workload (repeatable).")
    ] = None,
    recorder: Annotated[
        list[str] | None, typer.Option(help="Only this recorder (repeatable).")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each pair is run.")] = 5,
    timeout: Annotated[float, typer.Option(help="Seconds after which a run is given up.")] = 120,
    directory: Annotated[
        Path,
        typer.Option(help="Where to work (default: in memory, so that the disk has no say)."),
    ] = SHARED_MEMORY,
    json: Annotated[Path, typer.Option(help="File for all figures.")] = Path("overhead.json"),
) -> None:
    """Measure what recording adds to the time of ten real workloads."""
    workloads = chosen(WORKLOADS, workload, "workload")
    recorders = chosen(RECORDERS, [UNTRACED, *recorder] if recorder else None, "recorder")
    measurements = Measurements()
    with tempfile.TemporaryDirectory(prefix="imptrace-benchmark-", dir=directory) as root:
        bench = Bench(Path(root))
        present = [item for item in recorders if not note_missing(item, measurements)]
        for item in workloads:
            say(f"{item.name}: {item.title}")
            bench.prepare(item)
            measure(bench, item, present, measurements, rounds=rounds, timeout=timeout)
    write_json(json, measurements, workloads, recorders)
    write_markdown(measurements, workloads, recorders)


def chosen(items: tuple[Item, ...], names: list[str] | None, kind: str) -> list[Item]:
    """Return those of `items` that are named; all when `names` is None."""
    known = {item.name: item for item in items}
    for name in names or []:
        if name not in known:
            sys.exit(f"no {kind} named {name}; there are: {', '.join(known)}")
    return [item for item in items if names is None or item.name in names]


def note_missing(recorder: Recorder, measurements: Measurements) -> bool:
    """Whether the recorder is missing here; keep and show what lacks."""
    lacks = recorder.missing()
    if lacks is None:
        return False
    measurements.missing[recorder.name] = lacks
    say(f"{recorder.name} is missing: {lacks}")
    return True


def measure(
    bench: Bench,
    workload: Workload,
    recorders: list[Recorder],
    measurements: Measurements,
    *,
    rounds: int,
    timeout: float,
) -> None:
    """Run all rounds of one workload."""
    untraced = next(recorder for recorder in recorders if recorder.name == UNTRACED)
    # The first run fills the caches and says what the result must be.
    expected = bench.run(workload, untraced, timeout=timeout)
    if expected.status != 0:
        sys.exit(f"{workload.name} fails untraced: {expected.complaint}")
    for number in range(rounds):
        shift = number % len(recorders)
        for recorder in recorders[shift:] + recorders[:shift]:
            if (workload.name, recorder.name) not in measurements.problems:
                run_once(bench, workload, recorder, expected, measurements, timeout=timeout)


def run_once(
    bench: Bench,
    workload: Workload,
    recorder: Recorder,
    expected: Run,
    measurements: Measurements,
    *,
    timeout: float,
) -> None:
    """Add one run to the measurements, or the problem that it had."""
    problem = None
    try:
        run = bench.run(workload, recorder, timeout=timeout)
    except TimeoutError:
        problem = "timeout"
    else:
        measurements.add(workload.name, recorder.name, run)
        say(f"  {recorder.name:14} {run.seconds:7.2f} s")
        if run.status != expected.status:
            problem = f"exit status {run.status}: {run.complaint}"
        elif run.checksum != expected.checksum:
            problem = f"other result: {run.complaint}"
    if problem is not None:
        measurements.problems[workload.name, recorder.name] = problem
        say(f"  {recorder.name:14} {problem}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
