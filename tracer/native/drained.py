"""A ring that a thread empties, so that a program never waits for whoever stores its records.

    supervisor --ring--> drain --bytes--> backlog --events--> the session

What waits for a slow database is held in memory up to a limit and in files behind it.
"""

import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from struct import Struct
from threading import Condition, Thread
from typing import IO, Final, Protocol

from imptrace.tracer.events import Event, Notice
from imptrace.tracer.native.ring import Decoder

MEMORY_LIMIT: Final = 16 << 20
"""Bytes that wait in memory; what comes then goes to a file."""
FILE_LIMIT: Final = 8 << 30
"""Bytes that wait in files; past it the ring fills, and the program is slowed down."""
SEGMENT: Final = 16 << 20
"""Bytes of one such file: what was read of it takes room on the disk until all of it was."""
READ_MS: Final = 100
_LENGTH: Final = Struct("=Q")
_SPILL_DIRECTORY: Final = "/var/tmp"  # noqa: S108 (unnamed, and on a disk: /tmp may be memory)


class RingSource(Protocol):
    """What is drained: `_native.Recording`."""

    def read(self, timeout_ms: int, /) -> bytes: ...
    def close(self) -> None: ...


class _Segment:
    """Chunks in a file without a name, which goes when all of them were read."""

    def __init__(self) -> None:
        """Make the file. Raises OSError."""
        self._file = _unnamed_file()
        self._read = 0
        self.written = 0

    @property
    def is_read(self) -> bool:
        """Whether nothing is left in it."""
        return self._read == self.written

    def put(self, chunk: bytes) -> None:
        """Add a chunk. Raises OSError; then it is as before."""
        self._file.seek(self.written)
        self._file.write(_LENGTH.pack(len(chunk)) + chunk)
        self._file.flush()
        self.written += _LENGTH.size + len(chunk)

    def get(self) -> bytes:
        """Take the next one."""
        self._file.seek(self._read)
        (length,) = _LENGTH.unpack(self._file.read(_LENGTH.size))
        chunk = self._file.read(length)
        self._read += _LENGTH.size + length
        return chunk

    def close(self) -> None:
        """Give its room back."""
        with suppress(OSError):
            self._file.close()


class Backlog:
    """Chunks of bytes, first in, first out: in memory, and in files when there are many.

    Nothing that was put is ever lost: where no file can be written, it stays in memory, and
    `has_room` says that no more should come.
    """

    def __init__(
        self,
        memory_limit: int = MEMORY_LIMIT,
        file_limit: int = FILE_LIMIT,
        segment: int = SEGMENT,
    ) -> None:
        self._memory_limit = memory_limit
        self._file_limit = file_limit
        self._segment = segment
        self._first: deque[bytes] = deque()
        self._held = 0
        self._segments: deque[_Segment] = deque()
        self._last: deque[bytes] = deque()

    def __bool__(self) -> bool:
        return bool(self._first or self._segments or self._last)

    @property
    def has_room(self) -> bool:
        """Whether more may come."""
        return not self._last and sum(each.written for each in self._segments) < self._file_limit

    def put(self, chunk: bytes) -> None:
        """Add a chunk at the end."""
        if not (self._segments or self._last) and self._held + len(chunk) <= self._memory_limit:
            self._first.append(chunk)
            self._held += len(chunk)
        elif self._last or not self._spill(chunk):
            self._last.append(chunk)

    def get(self) -> bytes:
        """Take the first chunk; empty where there is none."""
        if self._first:
            chunk = self._first.popleft()
            self._held -= len(chunk)
            return chunk
        if self._segments:
            return self._read_back()
        return self._last.popleft() if self._last else b""

    def close(self) -> None:
        """Give the files back."""
        while self._segments:
            self._segments.popleft().close()

    def _spill(self, chunk: bytes) -> bool:
        try:
            if not self._segments or self._segments[-1].written >= self._segment:
                made = _Segment()
                made.put(chunk)
                self._segments.append(made)
            else:
                self._segments[-1].put(chunk)
        except OSError:
            return False
        return True

    def _read_back(self) -> bytes:
        first = self._segments[0]
        chunk = first.get()
        if first.is_read:
            self._segments.popleft().close()
        return chunk


def _unnamed_file() -> IO[bytes]:
    import tempfile  # noqa: PLC0415 (slow, and seldom needed)

    try:
        return tempfile.TemporaryFile(dir=_SPILL_DIRECTORY)
    except OSError:
        return tempfile.TemporaryFile()


class Drained:
    """The events of a ring, in order."""

    def __init__(self, source: RingSource, backlog: Backlog | None = None) -> None:
        """Begin to drain `source`, which from now on is this object's alone."""
        self._source = source
        self._backlog = Backlog() if backlog is None else backlog  # an empty one is false
        self._decoder = Decoder()
        self._changed = Condition()
        self._found_empty = 0
        self._closing = False
        self._failure: Exception | None = None
        self._thread = Thread(target=self._drain, name="drain", daemon=True)
        self._thread.start()

    def events(self, timeout_ms: int) -> Sequence[Event | Notice]:
        """Take the next events. None: nothing was in the ring after the timeout.

        Raises ValueError for what no supervisor writes, once; the rest of its chunk is lost.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        chunk = self._next_chunk(timeout_ms / 1000)
        items: list[Event | Notice] = []
        try:
            items.extend(self._decoder.decode(chunk))
        except ValueError as error:
            self._failure = error  # told at the next call: what was read before it counts
        return items

    def wait(self, timeout_ms: int) -> bool:
        """Wait for something to come; whether anything has, which the next `events` returns."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._backlog), timeout_ms / 1000)

    def close(self) -> None:
        """Stop reading. What was read already can still be taken."""
        self._closing = True

    def _next_chunk(self, seconds: float) -> bytes:
        with self._changed:
            # Not the time alone decides: what was in the ring at the call may be on its way.
            seen_empty = self._found_empty
            self._changed.wait_for(lambda: bool(self._backlog), seconds)
            self._changed.wait_for(
                lambda: (
                    bool(self._backlog)
                    or self._found_empty > seen_empty
                    or not self._thread.is_alive()
                )
            )
            chunk = self._backlog.get()
            if not chunk and not self._thread.is_alive():
                self._backlog.close()
            return chunk

    def _drain(self) -> None:
        try:
            while not self._closing:
                if not self._backlog.has_room:
                    time.sleep(READ_MS / 1000)
                    continue
                chunk = self._source.read(READ_MS)
                with self._changed:
                    if chunk:
                        self._backlog.put(chunk)
                    else:
                        self._found_empty += 1
                    self._changed.notify_all()
            # What has come since, and what the source says of what it had to drop meanwhile.
            chunk = self._source.read(0)
            with self._changed:
                if chunk:
                    self._backlog.put(chunk)
        finally:
            # Only this thread reads, so that nothing is closed under a reader.
            self._source.close()
            with self._changed:
                self._changed.notify_all()
