"""Recording a program: its records go from the recorder to the database while it runs.

Two threads, so that the program never waits for a disk:

    recorder --ring--> drain --bytes--> keep --rows--> database

`drain` empties the ring and does nothing else. `keep` opens the database (which imports slowly,
while the program already runs), folds and commits at least every second. Whatever happens to the
database, both go on until the program has ended.
"""

import gc
import math
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, ParamSpec

from imptrace.errors import ImptraceError
from imptrace.tracer.events import Mount
from imptrace.tracer.mountinfo import own_mounts
from imptrace.tracer.native.ring import AllGone, Decoder, ProgramEnded, ProgramStopped
from imptrace.tracer.program import Subject
from imptrace.tracer.recorder import Recording
from imptrace.tracer.snapshot import snapshots

if TYPE_CHECKING:
    from imptrace.db.records import RunStart, RunSummary
    from imptrace.db.writer import RunWriter
    from imptrace.tracer.events import Event

P = ParamSpec("P")

COMMIT_SECONDS = 0.5
READ_MS = 100
LAST_CALL_SECONDS = 2.0
"""How long what was recorded before a stop is read, while more keeps coming."""
GARBAGE_THRESHOLDS = (50_000, 20, 100)
"""As for gc.set_threshold."""
BACKLOG_BYTES = 64 << 20
"""What may wait for a slow disk; past it the ring fills and the program is slowed down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked to be kept about the run."""

    subject: Subject
    label: str | None = None
    service: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    """Facts about the service's unit."""
    database: str | None = None
    """A path or URL; None for the default place."""
    wait_for_children: bool = False
    mounts: Sequence[Mount] = field(default_factory=own_mounts)
    """Read before the program starts: what it mounts itself is gone with it."""
    summary: bool = True
    """Whether to count what was read, created, modified and deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a recording."""

    run_id: int | None
    summary: "RunSummary | None"
    failure: ImptraceError | None
    """What could not be stored."""
    left: int
    """Processes of the run that still go on, unrecorded."""


class Session:
    """One recording, from the program's start to its last row."""

    def __init__(self, recording: Recording, request: Request, notify: Callable[[], None]) -> None:
        """Begin to drain and keep.

        `notify` is called from a thread whenever `ended` or `stopped` was set, or all is done.
        """
        self.ended: ProgramEnded | None = None
        self.stopped = False
        self.all_gone = False
        self.finished = Flag()
        self._recording = recording
        self._request = request
        self._notify = notify
        self._stopping = Flag()
        self._over = Flag()
        self._chunks: SimpleQueue[bytes] = SimpleQueue()
        self._received = self._consumed = 0
        self._left = 0
        self._decoder = Decoder()
        self._writer: RunWriter | None = None
        self._summary: RunSummary | None = None
        self._failure: ImptraceError | None = None
        Thread(target=self._drain, name="drain", daemon=True).start()
        Thread(target=self._keep, name="keep", daemon=True).start()

    def result(self) -> Result:
        """Wait until everything is stored; say what came of it."""
        self.finished.wait()
        run_id = self._writer.run_id if self._writer else None
        return Result(run_id=run_id, summary=self._summary, failure=self._failure, left=self._left)

    def stop(self) -> None:
        """Record no longer: store what there is. What still runs goes on."""
        self._stopping.set()

    def _drain(self) -> None:
        last_call = math.inf
        while not self._over.is_set():
            stopping = self._stopping.is_set()
            if stopping:
                last_call = min(last_call, time.monotonic() + LAST_CALL_SECONDS)
            if self._received - self._consumed > BACKLOG_BYTES:
                time.sleep(READ_MS / 1000)
            elif chunk := self._recording.read(0 if stopping else READ_MS):
                self._received += len(chunk)
                self._chunks.put(chunk)
            elif stopping:
                self._over.set()  # all that came before was read
            if time.monotonic() > last_call:
                self._over.set()
        self._recording.close()

    def _keep(self) -> None:
        # What is held here is needed to the end: searching it for garbage each time that 700 more
        # records were made would take a third of the time.
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        try:
            self._guarded(self._open)
            committed = time.monotonic()
            for events in self._batches():
                self._guarded(self._feed, events)
                if time.monotonic() - committed > COMMIT_SECONDS:
                    self._guarded(self._commit)
                    committed = time.monotonic()
            self._guarded(self._finish)
        finally:
            self.finished.set()
            self._notify()

    def _guarded(self, step: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Whatever goes wrong with storing, the program's records must still be drained."""
        try:
            step(*args, **kwargs)
        except ImptraceError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001 (see above; the first line of it is shown)
            self._failure = ImptraceError(f"internal error: {type(error).__name__}: {error}")

    def _batches(self) -> Iterator[list["Event"]]:
        """Yield events as they come, until nothing more is to be recorded."""
        while not (self._over.is_set() and self._chunks.empty()):
            try:
                chunk = self._chunks.get(timeout=COMMIT_SECONDS / 2)
            except Empty:
                yield []
                continue
            self._consumed += len(chunk)
            events: list[Event] = []
            self._guarded(self._take_in, chunk, events)
            yield events

    def _take_in(self, chunk: bytes, events: list["Event"]) -> None:
        for item in self._decoder.decode(chunk):
            if isinstance(item, ProgramEnded | ProgramStopped | AllGone):
                self._notice(item)
            else:
                events.append(item)

    def _notice(self, notice: ProgramEnded | ProgramStopped | AllGone) -> None:
        if isinstance(notice, ProgramStopped):
            self.stopped = True
        elif isinstance(notice, ProgramEnded):
            self.ended = notice
            self._left = notice.left
            if not self._request.wait_for_children:
                self._over.set()
        else:
            self._left = 0
            self.all_gone = True
            self._over.set()
        self._notify()

    def _open(self) -> None:
        from imptrace.db.engine import open_database  # noqa: PLC0415 (slow: the program runs)
        from imptrace.db.writer import RunWriter  # noqa: PLC0415 (the same)

        engine = open_database(self._request.database, create=True, read_only=False)
        self._writer = RunWriter(engine, self._start(), self._request.mounts)

    def _start(self) -> "RunStart":
        from imptrace.db.records import RunStart  # noqa: PLC0415 (as above)

        subject = self._request.subject
        return RunStart(
            program=subject.program,
            argv=subject.argv,
            cwd=subject.cwd,
            user=subject.user,
            uid=subject.uid,
            host=socket.gethostname(),
            started_ns=self._recording.started_ns,
            recorder=self._recording.name,
            label=self._request.label,
            service=self._request.service,
            properties=self._request.properties,
        )

    def _feed(self, events: list["Event"]) -> None:
        if self._writer is not None:
            self._writer.feed(events)

    def _commit(self) -> None:
        if self._writer is not None:
            self._writer.commit()

    def _finish(self) -> None:
        writer = self._writer
        if writer is None:
            return
        code = None if self.ended is None else os.waitstatus_to_exitcode(self.ended.status)
        writer.finish(
            time.time_ns(),
            code if code is not None and code >= 0 else None,
            -code if code is not None and code < 0 else None,
            snapshots=snapshots(writer.changed_paths()),
        )
        self._failure = writer.failure or self._failure
        if writer.failure is None and self._request.summary:
            self._summary = writer.summary()
        writer.close()
        writer.engine.dispose()
