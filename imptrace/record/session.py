"""Recording: events go from a recorder to the database, while the program runs.

    recorder --events--> session --rows--> database

One session, one fold, one writer, whatever the recorder. The database is opened (which imports
slowly) while the program already runs; commits come at least every second. Whatever happens to the
database, events are taken to the end, so that the program never waits for it.
"""

import gc
import math
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, ParamSpec

from imptrace.errors import ImptraceError
from imptrace.tracer.events import AllGone, Mount, ProgramEnded, ProgramStopped, Scope
from imptrace.tracer.mountinfo import own_mounts
from imptrace.tracer.program import Subject
from imptrace.tracer.recorder import Recorder
from imptrace.tracer.snapshot import snapshots

if TYPE_CHECKING:
    from imptrace.db.records import RunStart, RunSummary
    from imptrace.db.writer import RunWriter
    from imptrace.tracer.events import Event, Notice

P = ParamSpec("P")

COMMIT_SECONDS = 0.5
READ_MS = 100
LAST_CALL_SECONDS = 2.0
"""How long what was recorded before a stop is read, while more keeps coming."""
RETRY_SECONDS = 0.01
"""After a recorder's error: one that has nothing but errors must not take a whole processor."""
GARBAGE_THRESHOLDS = (50_000, 20, 100)
"""As for gc.set_threshold."""
LATEST_NS = (1 << 62) - 1
"""Far in the future; no clock shows more, whatever a log claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked to be kept about the run."""

    subject: Subject
    label: str | None = None
    service: str | None = None
    scope: Scope = Scope.PROGRAM
    properties: Mapping[str, str] = field(default_factory=dict)
    """Facts about the service's unit."""
    database: str | None = None
    """A path or URL; None for the default place."""
    wait_for_children: bool = False
    mounts: Sequence[Mount] = field(default_factory=own_mounts)
    """Read before the program starts: what it mounts itself is gone with it."""
    summary: bool = True
    """Whether to count what was read, created, modified and deleted."""
    here: bool = True
    """It happens on this machine: its mounts are noted, and changed files looked at at the end."""


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
    """One recording, from its first event to its last row."""

    def __init__(
        self, recorder: Recorder, request: Request, notify: Callable[[], None] = lambda: None
    ) -> None:
        """Prepare to record; `start` or `run` does it.

        `notify` is called whenever `ended` or `stopped` was set, or all is done.
        """
        self.ended: ProgramEnded | None = None
        self.stopped = False
        self.all_gone = False
        self.finished = Flag()
        self._recorder = recorder
        self._request = request
        self._notify = notify
        self._begun_ns = time.monotonic_ns()
        self._ended_after_ns: int | None = None
        self._stopping = Flag()
        self._over = False
        self._left = 0
        self._writer: RunWriter | None = None
        self._summary: RunSummary | None = None
        self._failure: ImptraceError | None = None

    def start(self) -> "Session":
        """Record in a thread."""
        Thread(target=self.run, name="keep", daemon=True).start()
        return self

    def run(self) -> None:
        """Record until nothing more is to be recorded, and store it."""
        # What is held here is needed to the end: searching it for garbage each time that 700 more
        # records were made would take a third of the time.
        thresholds = gc.get_threshold()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        try:
            self._guarded(self._open)
            self._take_all()
            self._guarded(self._finish)
        finally:
            gc.set_threshold(*thresholds)
            self.finished.set()
            self._notify()

    def result(self) -> Result:
        """Wait until everything is stored; say what came of it."""
        self.finished.wait()
        run_id = self._writer.run_id if self._writer else None
        return Result(run_id=run_id, summary=self._summary, failure=self._failure, left=self._left)

    def stop(self) -> None:
        """Record no longer: store what there is. What still runs goes on."""
        self._stopping.set()

    def abandon(self) -> int | None:
        """Close a run that is not wanted, so that it can be removed; which it was."""
        if self._writer is None:
            return None
        self._guarded(self._writer.finish, time.time_ns(), None, None)
        self._guarded(self._writer.close)
        return self._writer.run_id

    def _take_all(self) -> None:
        committed = time.monotonic()
        last_call = math.inf
        while not self._over:
            stopping = self._stopping.is_set()
            if stopping:
                last_call = min(last_call, time.monotonic() + LAST_CALL_SECONDS)
            items = self._take(0 if stopping else READ_MS)
            if stopping and (items == () or time.monotonic() > last_call):
                self._over = True  # all that came before was read
            if time.monotonic() - committed > COMMIT_SECONDS:
                self._guarded(self._commit)
                committed = time.monotonic()
        self._guarded(self._recorder.close)

    def _take(self, timeout_ms: int) -> "Sequence[Event | Notice] | None":
        """Take in what comes next; None where the recorder could not tell."""
        items: Sequence[Event | Notice] | None = None
        try:
            items = tuple(self._recorder.events(timeout_ms))
        except Exception as error:  # noqa: BLE001 (see _guarded)
            self._failed(error)
            time.sleep(RETRY_SECONDS)
            return None
        self._guarded(self._take_in, items)
        return items

    def _guarded(self, step: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Whatever goes wrong with storing, the program's records must still be taken."""
        try:
            step(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 (see above; the first line of it is shown)
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, ImptraceError):
            error = ImptraceError(f"internal error: {type(error).__name__}: {error}")
        self._failure = error

    def _take_in(self, items: "Sequence[Event | Notice]") -> None:
        events: list[Event] = []
        for item in items:
            if isinstance(item, ProgramEnded | ProgramStopped | AllGone):
                self._notice(item)
            else:
                events.append(item)
        if self._writer is not None:
            self._writer.feed(events)

    def _notice(self, notice: ProgramEnded | ProgramStopped | AllGone) -> None:
        if isinstance(notice, ProgramStopped):
            self.stopped = True
        elif isinstance(notice, ProgramEnded):
            self.ended = notice
            self._left = notice.left
            if not self._request.wait_for_children:
                self._over = True
        else:
            self._left = 0
            self.all_gone = True
            self._ended_after_ns = notice.at
            self._over = True
        self._notify()

    def _open(self) -> None:
        from imptrace.db.engine import open_database  # noqa: PLC0415 (slow: the program runs)
        from imptrace.db.writer import RunWriter  # noqa: PLC0415 (the same)

        engine = open_database(self._request.database, create=True, read_only=False)
        mounts = self._request.mounts if self._request.here else ()
        self._writer = RunWriter(engine, self._start(), mounts)

    def _start(self) -> "RunStart":
        from imptrace.db.records import RunStart  # noqa: PLC0415 (as above)

        subject = self._request.subject
        return RunStart(
            program=subject.program,
            argv=subject.argv,
            cwd=subject.cwd,
            user=subject.user,
            uid=subject.uid,
            host=socket.gethostname() if self._request.here else "",
            started_ns=self._recorder.started_ns,
            recorder=self._recorder.name,
            label=self._request.label,
            service=self._request.service,
            scope=self._request.scope,
            properties=self._request.properties,
        )

    def _commit(self) -> None:
        if self._writer is not None:
            self._writer.commit()

    def _finish(self) -> None:
        writer = self._writer
        if writer is None:
            return
        code = None if self.ended is None else os.waitstatus_to_exitcode(self.ended.status)
        writer.finish(
            self._ended_ns(),
            code if code is not None and code >= 0 else None,
            -code if code is not None and code < 0 else None,
            snapshots=snapshots(writer.changed_paths()) if self._request.here else (),
        )
        self._failure = writer.failure or self._failure
        if writer.failure is None and self._request.summary:
            self._summary = writer.summary()
        writer.close()
        writer.engine.dispose()

    def _ended_ns(self) -> int:
        """Tell the wall clock of the end, which may have been set meanwhile, by the steady one."""
        after = self._ended_after_ns
        if after is None:
            after = time.monotonic_ns() - self._begun_ns
        return min(self._recorder.started_ns + after, LATEST_NS)
