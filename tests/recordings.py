"""Small recordings to ask about: the events of a program, written as a recorder's would be."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from imptrace.db import queries
from imptrace.db.engine import open_database
from imptrace.db.recording_place import open_to_record
from imptrace.db.records import PathRecord, RunDetails, RunStart
from imptrace.db.writer import RunWriter
from imptrace.tracer.events import (
    ABSENT,
    Access,
    AccessFlag,
    Event,
    FileState,
    FileType,
    Op,
    Outcome,
    ProcessStarted,
)

HOME = b"/home/someone"
START = RunStart(
    program=b"demo",
    argv=(b"demo", b"--fast"),
    cwd=b"/home/someone",
    user="someone",
    uid=1000,
    host=os.uname().nodename,
    started_ns=1_700_000_000_000_000_000,
    recorder="notify",
)
ENDED_NS = START.started_ns + 2_500_000_000
FILE = FileState(
    FileType.FILE,
    size=4096,
    mode=0o600,
    uid=1000,
    gid=100,
    mtime_ns=1_699_999_999_123_456_789,
    inode=42,
    device=64768,
    ctime_ns=1_699_999_999_123_456_790,
)
LATER = FILE._replace(mtime_ns=FILE.mtime_ns + 1, size=5000)
DIRECTORY = FILE._replace(type=FileType.DIRECTORY, mode=0o700)


def process(number: int = 1, exe: bytes = b"/usr/bin/demo", **other: object) -> ProcessStarted:
    """Make the start of a process."""
    started = ProcessStarted(
        process=number,
        parent=None,
        previous=None,
        pid=4000 + number,
        exe=exe,
        argv=(exe.rpartition(b"/")[2],),
        cwd=b"/home/someone",
        uid=1000,
        gid=100,
        cgroup=b"/user.slice/app-demo.scope",
        environ={"HOME": b"/home/someone"},
        at=0,
    )
    return started._replace(**other)


def access(op: Op, path: bytes, path2: bytes | None = None, **other: object) -> Access:
    """Make an access that worked, as far as the recorder can tell."""
    outcome = Outcome.UNKNOWN if op.changes else Outcome.OK
    return Access(1, op, path, path2, outcome, at=10)._replace(**other)


def read(path: bytes, **other: object) -> Access:
    return access(Op.READ, path, **other)


def create(path: bytes, **other: object) -> Access:
    return access(Op.CREATE, path, before=ABSENT, flags=AccessFlag(0))._replace(**other)


def rename(old: bytes, new: bytes, **other: object) -> Access:
    return access(Op.RENAME, old, new, before2=ABSENT)._replace(**other)


def record(
    place: Path | str,
    events: Iterable[Event],
    after: Mapping[bytes, FileState] | None = None,
    *,
    start: RunStart = START,
) -> int:
    """Store one finished run and return its id; paths that `after` does not name are gone."""
    writer = RunWriter(open_to_record(place), start)
    writer.feed([process(), *events])
    known = after or {}
    snapshots = [(path, known.get(path, ABSENT)) for path in writer.changed_paths()]
    writer.finish(ENDED_NS, 0, None, 0, snapshots)
    writer.close()
    if writer.failure:
        raise writer.failure
    return writer.run_id


def details(place: Path | str, run: int = 1) -> RunDetails:
    """Read a run back."""
    engine = open_database(place, create=False, read_only=True)
    try:
        return queries.run_details(engine, run)
    finally:
        engine.dispose()


def paths(place: Path | str, run: int = 1) -> dict[bytes, PathRecord]:
    """Read a run's paths back, by name."""
    return {path.path: path for path in details(place, run).paths}
