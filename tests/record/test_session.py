"""A session records from any recorder, and takes in all that was recorded before its end."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.records import RunDetails
from imptrace.record.session import RecordingRequest, Session
from imptrace.tracer.events import (
    ABSENT,
    Access,
    AllGone,
    Event,
    Lost,
    Notice,
    Op,
    Outcome,
    ProcessExited,
    ProcessStarted,
    ProgramEnded,
)
from imptrace.tracer.native.drained import Backlog, Drained
from imptrace.tracer.native.ring import EXIT, HEADER
from imptrace.tracer.program import find_program, subject_of

ENDED = 8
"""The type of the record that tells of the program's end (tracer/native/records.h)."""


class Listed:
    """A whole recorder: it yields events from a list."""

    name = "listed"

    def __init__(self, *batches: Sequence[Event | Notice]) -> None:
        """Yield `batches`, and then nothing."""
        self.started_ns = time.time_ns()
        self.batches = list(batches)
        self.closed = False

    def events(self, timeout_ms: int) -> Sequence[Event | Notice]:
        """Take the next."""
        if not self.batches:
            time.sleep(timeout_ms / 1000)
            return ()
        return self.batches.pop(0)

    def close(self) -> None:
        """Note it."""
        self.closed = True


class Delayed:
    """A ring whose records are there only after its supervisor was seen to have ended."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.records: list[bytes] = []

    def read(self, timeout_ms: int) -> bytes:
        """Take what is there."""
        time.sleep(timeout_ms / 1000)
        return self.records.pop(0) if self.records else b""

    def close(self) -> None:
        """Close."""


class DelayedRecorder(Listed):
    """The recorder of such a ring."""

    def __init__(self, ring: Delayed) -> None:
        """Drain it."""
        super().__init__()
        self.drained = Drained(ring)

    def events(self, timeout_ms: int) -> Sequence[Event | Notice]:
        """Take the next events."""
        return self.drained.events(timeout_ms)


def request(tmp_path: Path) -> RecordingRequest:
    """Ask for a run in a database of the test."""
    subject = subject_of(find_program([b"true"]))
    return RecordingRequest(subject=subject, database=os.fspath(tmp_path / "runs.db"))


def stored(tmp_path: Path) -> RunDetails:
    """Read the run back."""
    with reading(os.fspath(tmp_path / "runs.db")) as engine:
        return queries.run_details(engine, 1)


def started(process: int, exe: bytes = b"/usr/bin/demo") -> ProcessStarted:
    """Make the start of a process."""
    return ProcessStarted(process, None, None, 100, exe, (exe,), b"/", 0, 0, b"", {}, 0)


def the_end(status: int) -> bytes:
    """Make the record that tells of the program's end."""
    body = bytearray(EXIT.size)
    EXIT.pack_into(body, 0, 0, status, 0, 0, 0)
    HEADER.pack_into(body, 0, EXIT.size, ENDED, 0, 0, 0)
    return bytes(body)


def test_a_recorder_of_a_list(tmp_path: Path) -> None:
    """Nothing but the protocol is asked of a recorder."""
    made = os.fsencode(tmp_path / "made")
    (tmp_path / "made").write_text("content")
    recorder = Listed(
        [started(1), Access(1, Op.READ, b"/etc/hostname", None, Outcome.OK, 5)],
        [Access(1, Op.CREATE, made, None, Outcome.OK, 7, before=ABSENT), Lost(3, 5, 7)],
        [ProcessExited(1, 0, 9), ProgramEnded(7 << 8, 0), AllGone(2_000_000_000)],
    )
    session = Session(recorder, request(tmp_path))
    session.run()
    result = session.result()
    assert result.failure is None
    assert recorder.closed
    run = stored(tmp_path).run
    assert (run.recorder, run.exit_code, run.lost) == ("listed", 7, 3)
    assert run.ended_ns == recorder.started_ns + 2_000_000_000
    assert {path.path: path.effect for path in stored(tmp_path).paths} == {
        b"/etc/hostname": None,
        made: "created",
    }
    assert result.summary is not None
    assert (result.summary.read, result.summary.created) == (1, 1)


def test_records_before_a_stop_are_taken_in(tmp_path: Path) -> None:
    """The supervisor wrote its last record and ended: both may be seen in either order."""
    ring = Delayed()
    recorder = DelayedRecorder(ring)
    session = Session(recorder, request(tmp_path)).start()
    ring.records = [the_end(7 << 8)]
    session.stop()
    session.result()
    assert session.ended is not None
    assert os.waitstatus_to_exitcode(session.ended.status) == 7
    assert recorder.closed


def test_a_record_that_cannot_be_read(tmp_path: Path) -> None:
    """It is a failure of the recording; the program's end is taken in all the same."""
    ring = Delayed()
    session = Session(DelayedRecorder(ring), request(tmp_path)).start()
    ring.records = [HEADER.pack(1 << 20, ENDED, 0, 0, 0), the_end(0)]
    result = session.result()
    assert session.ended is not None
    assert "internal error: ValueError" in str(result.failure)


@pytest.mark.parametrize("segment", [1, 50, 1 << 20])
@pytest.mark.parametrize("memory", [0, 10, 1000])
def test_a_backlog_keeps_the_order(memory: int, segment: int) -> None:
    """Whatever lies in memory and whatever in files."""
    backlog = Backlog(memory_limit=memory, segment=segment)
    wanted, got = [b"%d" % number * 3 for number in range(100)], []
    for number, chunk in enumerate(wanted):
        backlog.put(chunk)
        if number % 3 == 0:
            got.append(backlog.get())
    while backlog:
        got.append(backlog.get())
    assert got == wanted
    assert backlog.get() == b""
    assert backlog.has_room
    backlog.close()


def test_a_backlog_has_room_again_before_it_is_empty() -> None:
    """However long it is never empty: what was read takes no room."""
    backlog = Backlog(memory_limit=0, file_limit=1000, segment=100)
    backlog.put(b"x" * 200)
    for _ in range(100):
        backlog.put(b"x" * 200)
        assert len(backlog.get()) == 200
        assert backlog.has_room
    backlog.close()


class AtTheLast:
    """A source that has something new whenever it is read, and counts what was not read."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self, _timeout_ms: int) -> bytes:
        self.reads += 1
        return the_end(self.reads)

    def close(self) -> None:
        pass


def test_without_room_what_comes_last_is_read_at_the_end() -> None:
    """With it comes what the source had to drop meanwhile, which nobody would be told of."""
    source = AtTheLast()
    drained = Drained(source, Backlog(memory_limit=0, file_limit=1))
    time.sleep(0.5)
    assert source.reads == 1
    drained.close()
    ends = [drained.events(1000), drained.events(1000), drained.events(1000)]
    assert [len(each) for each in ends] == [1, 1, 0]
    assert source.reads == 2


def test_a_backlog_without_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """It loses nothing, and asks for no more."""

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("imptrace.tracer.native.drained._unnamed_file", full)
    backlog = Backlog(memory_limit=4)
    backlog.put(b"one")
    backlog.put(b"two")
    assert not backlog.has_room
    assert [backlog.get(), backlog.get()] == [b"one", b"two"]
    assert backlog.has_room
