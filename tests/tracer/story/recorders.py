"""Each recorder, put to work on the same script; and what it told, by tracee."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.records import AccessRecord, PathRecord, ProcessRecord, RunDetails
from imptrace.tracer.events import Op, Outcome
from story.declared import COMPARED_FLAGS, Relation, Row, Story

IMPTRACE = str(Path(sys.executable).with_name("imptrace"))
PATIENCE = 120
OPTIONS = ("-f", "-y", "-ttt")
"""Of strace, as docs/recorders.md recommends."""

Words = tuple[str, ...]


def _run(words: Words, cwd: Path) -> str:
    done = subprocess.run(
        words, cwd=cwd, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _by_run(recorder: str) -> Callable[[Words, Path, Path], str]:
    def record(program: Words, work: Path, database: Path) -> str:
        options = ("--db", str(database), "--recorder", recorder, "--stats", "--wait", "children")
        return _run((IMPTRACE, "run", *options, "--", *program), work)

    return record


def by_strace(*options: str) -> Callable[[Words, Path, Path], str]:
    """Record with strace; `options` are of the import."""

    def record(program: Words, work: Path, database: Path) -> str:
        log = database.with_suffix(".log")
        said = _run(("strace", *OPTIONS, "-o", str(log), "--", *program), work)
        _run((IMPTRACE, "import", "--db", str(database), "--stats", *options, str(log)), work)
        return said

    return record


@cache
def _service() -> str:
    """Have the machine recorded as long as the tests run; where it is asked."""
    place = tempfile.mkdtemp(prefix="imptrace-service-")
    words = ("--db", f"{place}/machine.db", "--socket", f"{place}/socket", "--path", place)
    watch = subprocess.Popen(
        (IMPTRACE, "watch", "--stats", *words), stderr=subprocess.PIPE, text=True
    )
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    atexit.register(watch.wait)
    atexit.register(watch.terminate)
    assert watch.stderr is not None
    assert watch.stderr.readline().startswith("imptrace: watching ")
    return f"{place}/socket"


def _by_service(program: Words, work: Path, database: Path) -> str:
    os.environ["IMPTRACE_SOCKET"] = _service()
    return _by_run("service")(program, work, database)


RECORDERS = {
    "bpf": _by_run("bpf"),
    "service": _by_service,
    "notify": _by_run("notify"),
    "ptrace": _by_run("ptrace"),
    "strace": by_strace("--here"),
}
"""By name: records a program in a directory into a database, and returns what it printed."""


def details_of(database: Path) -> RunDetails:
    """Read back the only run of a database."""
    with reading(str(database)) as engine:
        return queries.run_details(engine, 1)


def told_below(
    details: RunDetails, records: Iterable[PathRecord], top: bytes, *, asks: bool
) -> Story:
    """Take what was told of the paths at and below a directory, by whoever is in it to work.

    `asks`: also what was only asked.
    """
    rows = [
        (access.process, _row(access, os.path.relpath(record.path, top), top))
        for record in records
        for access in record.accesses
        # The shell that puts the tracee to work asks about its directory.
        if access.op is not Op.STAT or (asks and record.path != top)
    ]
    processes = {process.id: process for process in details.processes}
    numbers = {
        process: number
        for number, process in enumerate(sorted({process for process, _ in rows}), start=1)
    }
    return Story(
        rows={row._replace(process=numbers[process]) for process, row in rows},
        effects={
            os.path.relpath(record.path, top): record.effect
            for record in records
            if record.effect is not None
        },
        relations=_relations(numbers, processes),
    )


def _row(access: AccessRecord, path: bytes, top: bytes) -> Row:
    to, origin = (name and os.path.relpath(name, top) for name in (access.to, access.origin))
    errno = access.errno if access.outcome is Outcome.FAILED else 0
    return Row(
        access.process, access.op, path, to, origin, access.outcome, errno,
        access.flags & COMPARED_FLAGS, access.count,
    )  # fmt: skip


def _relations(numbers: dict[int, int], processes: dict[int, ProcessRecord]) -> set[Relation]:
    found = set()
    for process, number in numbers.items():
        record = processes[process]
        if record.previous in numbers:
            found.add(Relation(number, "image", numbers[record.previous]))
        elif record.parent in numbers:
            found.add(Relation(number, "child", numbers[record.parent]))
    return found
