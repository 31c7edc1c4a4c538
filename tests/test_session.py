"""A session takes in everything that was recorded before its end, however late it comes to it."""

import os
import time
from pathlib import Path

from imptrace.session import Request, Session
from imptrace.tracer.program import find_program, subject_of
from imptrace.tracer.wire import EXIT, HEADER

ENDED = 8
"""The type of the record that tells of the program's end (tracer/records.h)."""


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


def test_records_before_a_stop_are_taken_in(tmp_path: Path) -> None:
    """The supervisor wrote its last record and ended: both may be seen in either order."""
    recording = Delayed()
    program = find_program([b"true"])
    request = Request(subject=subject_of(program), database=os.fspath(tmp_path / "runs.db"))
    session = Session(recording, request, lambda: None)
    body = bytearray(EXIT.size)
    EXIT.pack_into(body, 0, 0, 7 << 8, 0, 0, 0)
    HEADER.pack_into(body, 0, EXIT.size, ENDED, 0, 0, 0)
    recording.records = [bytes(body)]
    session.stop()
    session.result()
    assert session.ended is not None
    assert os.waitstatus_to_exitcode(session.ended.status) == 7
    assert recording.closed
