"""How long an advice takes: on a database of 500 runs, and on one run of 50,000 paths.

    python -m benchmarks.recommend_speed

The first database holds 1,000,000 accesses of 50 programs, ten runs each: every run reads 400
common files, changes 20 that all programs change, and has 580 of its program's own. The second
holds one run that read 30,000 paths and left 20,000. Asked is the installed command, from its
start to its end, in each form; the best of three is printed as a Markdown table.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import Engine

from imptrace.db.engine import driver_of, open_database
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

RUNS = 500
PROGRAMS = 50
COMMON, CHANGED_BY_ALL, OWN = 400, 20, 580
BIG_READ, BIG_LEFT = 30_000, 20_000
REPEATS = 3
HOME = b"/home/someone"


def main() -> None:
    """Build, measure, print."""
    imptrace = str(Path(sys.executable).with_name("imptrace"))
    print(f"| {os.cpu_count()} CPUs, Python {sys.version.split()[0]} | seconds |")
    print("| --- | ---: |")
    with tempfile.TemporaryDirectory() as directory:
        many, big = Path(directory, "many.db"), Path(directory, "big.db")
        _many_runs(many)
        _big_run(big)
        for what, database, words in (
            (f"a program's ten runs of {RUNS}", many, ["program-7"]),
            ("the same, as Nix", many, ["program-7", "--format", "nix"]),
            (f"one run of {BIG_READ + BIG_LEFT:,} paths", big, ["latest"]),
            ("the same, as JSON", big, ["latest", "--format", "json"]),
        ):
            seconds = _best([imptrace, "recommend", "--db", str(database), *words])
            print(f"| {what} | {seconds:.2f} |", flush=True)


def _best(command: Sequence[str]) -> float:
    return min(_seconds(command) for _ in range(REPEATS))


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def _many_runs(path: Path) -> None:
    engine = open_database(path, create=True, read_only=False)
    for number in range(RUNS):
        program = number % PROGRAMS
        read = [b"/usr/share/common/%d/file-%d" % (each // 50, each) for each in range(COMMON)]
        left = [HOME + b"/.local/share/common-%d/x" % each for each in range(CHANGED_BY_ALL)]
        left += [
            HOME + b"/.config/program-%d/%d/entry-%d.json" % (program, each // 50, each)
            for each in range(OWN)
        ]
        _record(engine, b"program-%d" % program, read, left)
    engine.dispose()


def _big_run(path: Path) -> None:
    engine = open_database(path, create=True, read_only=False)
    read = [b"/usr/lib/big/%d/module-%d.py" % (each // 30, each) for each in range(BIG_READ)]
    left = [HOME + b"/.cache/big/%02x/%d" % (each % 256, each) for each in range(BIG_LEFT)]
    _record(engine, b"big", read, left)
    engine.dispose()


def _record(engine: Engine, program: bytes, read: Sequence[bytes], left: Sequence[bytes]) -> None:
    writer = RunWriter(driver_of(engine), _start(program))
    writer.feed(_events(program, read, left))
    state = FileState(FileType.FILE, 20_000, 0o644, 1000, 1000, time.time_ns(), 5, 1, 1)
    writer.finish(time.time_ns(), 0, None, 0, ((name, state) for name in left))
    if writer.failure:
        raise writer.failure
    writer.close()


def _events(program: bytes, read: Sequence[bytes], left: Sequence[bytes]) -> Iterator[Event]:
    exe = b"/usr/bin/" + program
    home = {"HOME": HOME}
    for process in (1, 2):
        yield ProcessStarted(
            process, None, None, 4000, exe, (exe,), HOME, 1000, 1000, b"/", home, 0
        )
        for name in read:
            yield Access(process, Op.READ, name, None, Outcome.OK, 1)
    for name in left:
        yield Access(1, Op.CREATE, name, None, Outcome.UNKNOWN, 1, before=ABSENT)
        yield Access(1, Op.WRITE, name, None, Outcome.UNKNOWN, 1, before=ABSENT)


def _start(program: bytes) -> RunStart:
    return RunStart(
        program=program,
        argv=(program,),
        cwd=HOME,
        user="someone",
        uid=1000,
        host="benchmark",
        started_ns=time.time_ns(),
        recorder="notify",
    )


if __name__ == "__main__":
    main()
