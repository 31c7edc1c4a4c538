"""What the machine's recorder tells of a program, and what is seen here of how it ends."""

import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
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
        self._frames = Frames(socket.socket(fileno=os.dup(asked.socket)))
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
        records = self._frames.receive()
        told = self._broken_off() if records is None else self._with_end(records)
        return told + stopped + self._late()

    def close(self) -> None:
        """Listen no longer."""
        self._frames.close()
        self._asked.close()

    def _wait(self, timeout_ms: int) -> None:
        polled = select.poll()
        if self._frames.is_open:
            polled.register(self._frames, select.POLLIN)
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

    def _with_end(self, records: bytes) -> bytes:
        """Put how the program ended in the place of what the service says of that."""
        for offset, kind in _parts(records):
            if kind == ENDED and not self._told_end:
                after = records[offset + EXIT.size :]
                _, _, at, left, _ = EXIT.unpack_from(records, offset)
                return records[:offset] + self._end(at, left) + self._with_end(after)
            self._told_all = self._told_all or kind == GONE
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
        if self._told_all or self._gone_ns is not None:
            return b""
        self._gone_ns = time.monotonic_ns()
        gone = _record(WARNING, COUNT.pack(0, SERVICE_GONE))
        return gone if self._status is None and not self._told_end else gone + self._all_gone()

    def _late(self) -> bytes:
        """Tell an end of which the service says nothing."""
        if self._status is None or self._told_end:
            return b""
        late = time.monotonic() > self._ended_at + LATE_SECONDS
        if self._frames.is_open and not late:
            return b""
        return self._all_gone()

    def _all_gone(self) -> bytes:
        """Tell that nothing more will be told, and since when."""
        self._told_all = True
        until = time.monotonic_ns() - self._start_ns
        since = until if self._gone_ns is None else self._gone_ns - self._start_ns
        end = b"" if self._told_end else self._end(max(until, 0), 0)
        return _loss(since, until) + end + _NOTHING_MORE


class ToldOfRunning:
    """Whole records of processes that ran already; the source of a Drained.

    If the service ends before it was let go, they go on unrecorded, and that is said.
    """

    def __init__(self, connection: socket.socket, start_ns: int) -> None:
        """Listen; `start_ns`: from when on times are counted, by CLOCK_MONOTONIC."""
        self._frames = Frames(connection)
        self._start_ns = start_ns
        self._told_all = self._left = False

    def read(self, timeout_ms: int) -> bytes:
        """Take whole records, in order; empty if none came within the time."""
        if self._frames.is_open:
            select.select([self._frames], [], [], timeout_ms / 1000)
        records = self._frames.receive()
        if records is None:
            return self._broken_off()
        self._told_all = self._told_all or any(kind == GONE for _, kind in _parts(records))
        return records

    def leave(self) -> None:
        """Want no more; what the service has seen until it notices is told still."""
        self._left = True
        self._frames.shut()

    def close(self) -> None:
        """Listen no longer."""
        self._frames.close()

    def _broken_off(self) -> bytes:
        if self._told_all:
            return b""
        self._told_all = True
        if self._left:
            return _NOTHING_MORE
        now = time.monotonic_ns() - self._start_ns
        gone = _record(WARNING, COUNT.pack(0, SERVICE_GONE))
        return gone + _loss(now, now) + _NOTHING_MORE


class Frames:
    """Whole records from a connection, which come in frames."""

    def __init__(self, connection: socket.socket) -> None:
        """Take them from `connection`."""
        connection.setblocking(False)
        self._connection: socket.socket | None = connection
        self._received = bytearray()

    @property
    def is_open(self) -> bool:
        """Whether more may come."""
        return self._connection is not None

    def fileno(self) -> int:
        """Tell what to wait for."""
        return -1 if self._connection is None else self._connection.fileno()

    def receive(self) -> bytes | None:
        """Take what has come; None where nothing more will."""
        if self._connection is None:
            return None
        try:
            piece = self._connection.recv(_PIECE)
        except BlockingIOError:
            return b""
        except OSError:
            piece = b""
        if not piece:
            self.close()
            return None
        self._received += piece
        return self._whole()

    def shut(self) -> None:
        """Say nothing more to the other side, which can still say something."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Take no more."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _whole(self) -> bytes:
        whole = bytearray()
        while len(self._received) >= FRAME.size:
            (length,) = FRAME.unpack_from(self._received)
            if length > MOST_FRAME:
                self.close()
                break
            end = FRAME.size + length
            if len(self._received) < end:
                break
            whole += self._received[FRAME.size : end]
            del self._received[:end]
        return bytes(whole)


def _parts(records: bytes) -> Iterator[tuple[int, int]]:
    """Say where each record begins, and of which kind it is."""
    offset = 0
    while offset + HEADER.size <= len(records):
        size, kind, *_ = HEADER.unpack_from(records, offset)
        yield offset, kind
        offset += max(size, HEADER.size)


def _loss(since: int, until: int) -> bytes:
    """Say that nothing was told for a time."""
    return _record(LOST_RECORD, LOST.pack(0, max(since, 0), max(until, 0), 0, 0))


def _record(kind: int, body: bytes) -> bytes:
    """Put a header on a record, whose place `body` has."""
    record = bytearray(body)
    HEADER.pack_into(record, 0, len(record), kind, 0, 0, 0)
    return bytes(record)


_NOTHING_MORE: Final = _record(GONE, HEADER.pack(0, 0, 0, 0, 0))
