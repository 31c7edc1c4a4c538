"""How big the database is, how fast it is written, and how fast questions are answered.

    python -m benchmarks.database

Measures one run of 200,000 distinct paths (three accesses and two states each, names of about 60
bytes) and a database of 500 runs with 1,000,000 accesses, and prints a Markdown table. Every figure
is of real files in a temporary directory; times are of this process's CPU, so that other work on
the machine does not count.
"""

import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Engine

from imptrace.db import queries, uses
from imptrace.db.engine import driver_of, open_database
from imptrace.db.fold import Fold
from imptrace.db.recording_place import open_to_record
from imptrace.db.records import RunStart
from imptrace.db.writer import RunWriter
from imptrace.tracer.events import (
    ABSENT,
    Access,
    Event,
    FileState,
    FileType,
    Op,
    Outcome,
    ProcessStarted,
)

DISTINCT_PATHS = 200_000
FOLDED_CALLS = 1_000_000
RUNS = 500
PROGRAMS = 50
COMMON_PATHS = 400
OWN_PATHS = 600
"""Paths of a run: with two accesses each, 500 runs have a million."""

BATCH = 10_000
MEBIBYTE = 1 << 20


def main() -> None:
    """Measure and print."""
    print(f"| {os.cpu_count()} CPUs, Python {sys.version.split()[0]} | |\n| --- | --- |")
    with tempfile.TemporaryDirectory() as directory:
        # First, while nothing else has taken memory yet.
        _one_big_run(Path(directory, "big.db"))
        _many_runs(Path(directory, "many.db"))
    for calls_on in (1_000, DISTINCT_PATHS):
        print(f"| folding {FOLDED_CALLS:,} calls on {calls_on:,} paths | {_folding(calls_on)} |")


def _folding(paths: int) -> str:
    names = [_name(0, number) for number in range(paths)]
    ops = (Op.READ, Op.WRITE, Op.CREATE)
    calls = [
        Access(1, ops[number // paths % 3], names[number % paths], None, Outcome.OK, number)
        for number in range(FOLDED_CALLS)
    ]
    fold = Fold()
    fold.feed([_process(1, b"/usr/bin/program")])
    began = time.process_time()
    for start in range(0, FOLDED_CALLS, BATCH):
        fold.feed(calls[start : start + BATCH])
        if start % (BATCH * 10) == 0:
            fold.stored()
    return f"{FOLDED_CALLS / (time.process_time() - began):,.0f} calls/s"


def _one_big_run(path: Path) -> None:
    names = [_name(1, number) for number in range(DISTINCT_PATHS)]
    writer = RunWriter(open_to_record(path), _start(b"program"))
    memory = _memory()
    began = time.process_time()
    writer.feed([_process(1, b"/usr/bin/program")])
    for start in range(0, DISTINCT_PATHS, BATCH):
        writer.feed(_three_accesses(names[start : start + BATCH]))
        writer.commit()
    stored = time.process_time()
    writer.finish(time.time_ns(), 0, None, 0, ((name, _state(1)) for name in names))
    finished = time.process_time()
    if writer.failure:
        raise writer.failure
    writer.summary()
    print(f"| storing {DISTINCT_PATHS:,} paths, 3 accesses each | {stored - began:.1f} s of CPU |")
    print(f"| their states after the run | {finished - stored:.1f} s of CPU |")
    print(f"| the summary | {time.process_time() - finished:.1f} s of CPU |")
    print(f"| memory that took | {_memory() - memory} MiB |")
    writer.close()
    length = sum(map(len, names)) / len(names)
    size = path.stat().st_size / DISTINCT_PATHS
    print(f"| database per distinct path ({length:.0f} bytes long) | {size:.0f} bytes |")


def _many_runs(path: Path) -> None:
    began = time.process_time()
    engine = open_database(path, create=True, read_only=False)
    for number in range(RUNS):
        _add_run(engine, number)
    print(f"| making {RUNS} runs | {time.process_time() - began:.1f} s of CPU |")
    print(f"| size | {path.stat().st_size / MEBIBYTE:.0f} MiB |")
    program = f"program-{RUNS % PROGRAMS}"
    questions: dict[str, Callable[[], object]] = {
        "runs": lambda: queries.runs(engine),
        "show latest": lambda: queries.run_details(engine, queries.resolve_run(engine, "latest")),
        f"files {program}": lambda: uses.program_uses(engine, program),
        "who FILE": lambda: uses.path_uses(engine, _name(0, 7)),
        "who DIRECTORY": lambda: uses.path_uses(engine, _name(7, 0).rpartition(b"/")[0]),
        "rm RUN": lambda: queries.delete_runs(engine, [RUNS // 2]),
    }
    for question, ask in questions.items():
        began = time.process_time()
        ask()
        print(f"| {question} | {time.process_time() - began:.3f} s of CPU |")
    engine.dispose()


def _add_run(engine: Engine, number: int) -> None:
    program = f"program-{number % PROGRAMS}".encode()
    writer = RunWriter(driver_of(engine), _start(program))
    names = [_name(0, common) for common in range(COMMON_PATHS)]
    changed = [_name(number, own) for own in range(OWN_PATHS)]
    writer.feed([_process(1, b"/usr/bin/" + program), _process(2, b"/usr/bin/helper")])
    writer.feed(
        Access(process, Op.READ, name, None, Outcome.OK, 1) for name in names for process in (1, 2)
    )
    writer.feed(
        Access(1, op, name, None, Outcome.UNKNOWN, 1, before=ABSENT)
        for name in changed
        for op in (Op.CREATE, Op.WRITE)
    )
    writer.finish(time.time_ns(), 0, None, 0, ((name, _state(2)) for name in changed))
    if writer.failure:
        raise writer.failure
    writer.close()


def _three_accesses(names: list[bytes]) -> Iterator[Event]:
    for at, name in enumerate(names):
        yield Access(1, Op.CREATE, name, None, Outcome.UNKNOWN, 10**9 + at, before=_state(0))
        yield Access(1, Op.WRITE, name, None, Outcome.UNKNOWN, 10**9 + at, count=3, last=10**10)
        yield Access(1, Op.READ, name, None, Outcome.OK, 2 * 10**9 + at)


def _name(owner: int, number: int) -> bytes:
    """Make a path of realistic length; its directories hold about a hundred files."""
    digest = random.Random(number * 1000 + owner).getrandbits(64)
    return b"/home/someone/.config/program-%d/%d/entry-%016x.json" % (owner, number // 100, digest)


def _state(moment: int) -> FileState:
    return FileState(
        FileType.FILE, 20_000, 0o644, 1000, 1000, time.time_ns() + moment, 5_000_000, 64_768,
        time.time_ns(),
    )  # fmt: skip


def _process(process: int, exe: bytes) -> ProcessStarted:
    argv = (exe, b"--some-option", b"value")
    home = {"HOME": b"/home/someone"}
    return ProcessStarted(
        process, None, None, 4000 + process, exe, argv, b"/home/someone", 1000, 1000, b"/", home, 0
    )


def _start(program: bytes) -> RunStart:
    return RunStart(
        program=program,
        argv=(program,),
        cwd=b"/home/someone",
        user="someone",
        uid=1000,
        host="benchmark",
        started_ns=time.time_ns(),
        recorder="notify",
    )


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
