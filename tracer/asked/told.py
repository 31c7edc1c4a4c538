"""What the machine's recorder tells of a program, and what is seen here of how it ends."""

import os
import select
import socket
import time
from typing import TYPE_CHECKING, Final

from imptrace.facts.answering import FRAME, MOST_FRAME
from imptrace.tracer.native.ring import (
    COUNT,
    ENDED,
    EXIT,
    GONE,
    HEADER,
    LOST,
    LOST_RECORD,
    SERVICE_GONE,
    STOPPED,
    WARNING,
)

if TYPE_CHECKING:
    from imptrace.tracer._native import Asked

LATE_SECONDS: Final = 3.0
"""How long the service may take to tell of an end that was seen here."""
_PIECE: Final = 1 << 18


class Told:
    """Whole records, from a connection; the source of a Drained.

    How the program ended its parent knows best: what the service says of that says when, and how
    many of its processes are left. If the service ends first, the program goes on unrecorded, and
    that is said.
    """

    def __init__(self, asked: "Asked", start_ns: int) -> None:
        """Listen; `start_ns`: from when on times are counted, by CLOCK_MONOTONIC."""
        self._asked = asked
        self._start_ns = start_ns
        self._connection: socket.socket | None = socket.socket(fileno=os.dup(asked.socket))
        self._connection.setblocking(False)
        self._received = bytearray()
        self._status: int | None = None
        """How the program ended."""
        self._ended_at = 0.0
        self._told_end = self._told_all = False
        self._gone_ns: int | None = None
        """When the service ended, if it did so before the program."""

    def read(self, timeout_ms: int) -> bytes:
        """Take whole records, in order; empty if none came within the time."""
        self._wait(timeout_ms)
        stopped = self._look()
        return self._receive() + stopped + self._late()

    def close(self) -> None:
        """Listen no longer."""
        self._hang_up()
        self._asked.close()

    def _wait(self, timeout_ms: int) -> None:
        polled = select.poll()
        if self._connection is not None:
            polled.register(self._connection, select.POLLIN)
        if self._status is None:
            polled.register(self._asked.pidfd, select.POLLIN)
        polled.poll(timeout_ms)

    def _look(self) -> bytes:
        """Look after the program; the record of its stop, if it was stopped."""
        found = self._asked.look() if self._status is None else None
        if found is None:
            return b""
        ended, status = found
        if not ended:
            return _record(STOPPED, EXIT.pack(0, status, 0, 0, 0))
        self._status = status
        self._ended_at = time.monotonic()
        return b""

    def _receive(self) -> bytes:
        if self._connection is None:
            return b""
        try:
            piece = self._connection.recv(_PIECE)
        except BlockingIOError:
            return b""
        except OSError:
            piece = b""
        self._received += piece
        return self._frames() if piece else self._broken_off()

    def _frames(self) -> bytes:
        whole = bytearray()
        while len(self._received) >= FRAME.size:
            (length,) = FRAME.unpack_from(self._received)
            if length > MOST_FRAME:
                return bytes(whole) + self._broken_off()
            end = FRAME.size + length
            if len(self._received) < end:
                break
            whole += self._with_end(bytes(self._received[FRAME.size : end]))
            del self._received[:end]
        return bytes(whole)

    def _with_end(self, records: bytes) -> bytes:
        """Put how the program ended in the place of what the service says of that."""
        offset = 0
        while offset + HEADER.size <= len(records):
            size, kind, *_ = HEADER.unpack_from(records, offset)
            if kind == ENDED and not self._told_end:
                after = records[offset + size :]
                _, _, at, left, _ = EXIT.unpack_from(records, offset)
                return records[:offset] + self._end(at, left) + self._with_end(after)
            self._told_all = self._told_all or kind == GONE
            offset += max(size, HEADER.size)
        return records

    def _end(self, at: int, left: int) -> bytes:
        """Tell the end of the program, which is waited for if it was seen elsewhere first."""
        until = time.monotonic() + LATE_SECONDS
        while self._status is None and time.monotonic() < until:
            select.select([self._asked.pidfd], [], [], LATE_SECONDS)
            self._look()
        self._told_end = True
        return _record(ENDED, EXIT.pack(0, self._status or 0, at, left, 0))

    def _broken_off(self) -> bytes:
        self._hang_up()
        if self._told_all:
            return b""
        self._gone_ns = time.monotonic_ns()
        gone = _record(WARNING, COUNT.pack(0, SERVICE_GONE))
        return gone if self._status is None and not self._told_end else gone + self._all_gone()

    def _late(self) -> bytes:
        """Tell an end of which the service says nothing."""
        if self._status is None or self._told_end:
            return b""
        late = time.monotonic() > self._ended_at + LATE_SECONDS
        if self._connection is not None and not late:
            return b""
        return self._all_gone()

    def _all_gone(self) -> bytes:
        """Tell that nothing more will be told, and since when."""
        self._told_all = True
        until = time.monotonic_ns() - self._start_ns
        since = until if self._gone_ns is None else self._gone_ns - self._start_ns
        lost = _record(LOST_RECORD, LOST.pack(0, max(since, 0), max(until, 0), 0, 0))
        end = b"" if self._told_end else self._end(max(until, 0), 0)
        return lost + end + _record(GONE, HEADER.pack(0, 0, 0, 0, 0))

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _record(kind: int, body: bytes) -> bytes:
    """Put a header on a record, whose place `body` has."""
    record = bytearray(body)
    HEADER.pack_into(record, 0, len(record), kind, 0, 0, 0)
    return bytes(record)
