"""A session takes in everything that was recorded before its end, however late it comes to it."""

import os
import time
from pathlib import Path

from imptrace.record.session import Request, Session
from imptrace.tracer.native.ring import EXIT, HEADER
from imptrace.tracer.program import find_program, subject_of

ENDED = 8
"""The type of the record that tells of the program's end (tracer/native/records.h)."""


class Delayed:
    """A recording whose one record is there only after its supervisor was seen to have ended."""

    name = "test"

    def __init__(self) -> None:
        """Begin with nothing."""
        self.started_ns = time.time_ns()
        self.records: list[bytes] = []
        self.closed = False

    def read(self, timeout_ms: int) -> bytes:
        """Take what is there."""
        time.sleep(timeout_ms / 1000)
        return self.records.pop(0) if self.records else b""

    def close(self) -> None:
        """Note it."""
        self.closed = True


def begun(recording: Delayed, tmp_path: Path) -> Session:
    """Begin a session that stores in a database of the test."""
    subject = subject_of(find_program([b"true"]))
    request = Request(subject=subject, database=os.fspath(tmp_path / "runs.db"))
    return Session(recording, request, lambda: None)


def the_end(status: int) -> bytes:
    """Make the record that tells of the program's end."""
    body = bytearray(EXIT.size)
    EXIT.pack_into(body, 0, 0, status, 0, 0, 0)
    HEADER.pack_into(body, 0, EXIT.size, ENDED, 0, 0, 0)
    return bytes(body)


def test_records_before_a_stop_are_taken_in(tmp_path: Path) -> None:
    """The supervisor wrote its last record and ended: both may be seen in either order."""
    recording = Delayed()
    session = begun(recording, tmp_path)
    recording.records = [the_end(7 << 8)]
    session.stop()
    session.result()
    assert session.ended is not None
    assert os.waitstatus_to_exitcode(session.ended.status) == 7
    assert recording.closed


def test_a_record_that_cannot_be_read(tmp_path: Path) -> None:
    """It is a failure of the recording; the program's end is taken in all the same."""
    recording = Delayed()
    session = begun(recording, tmp_path)
    recording.records = [HEADER.pack(1 << 20, ENDED, 0, 0, 0), the_end(0)]
    result = session.result()
    assert session.ended is not None
    assert "internal error: ValueError" in str(result.failure)
