"""Recording: events go from a recorder to the database, while the program runs.

    recorder --events--> session --rows--> database

One session, one fold, one writer, whatever the recorder. The database is opened (which imports
slowly) while the program already runs; commits come at least every second. Whatever happens to the
database, events are taken to the end, so that the program never waits for it.
"""

import gc
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Thread, get_native_id
from typing import TYPE_CHECKING, ParamSpec

from imptrace.errors import ImptraceError
from imptrace.record.silence import Silence
from imptrace.tracer.events import AllGone, Mount, ProgramEnded, ProgramStopped, RunScope, Warned
from imptrace.tracer.mountinfo import own_mounts
from imptrace.tracer.program import RunSubject
from imptrace.tracer.recorder import Recorder
from imptrace.tracer.snapshot import snapshots

if TYPE_CHECKING:
    from imptrace.db.crowd import Crowd
    from imptrace.db.fold import Fold
    from imptrace.db.records import RunStart, RunSummary
    from imptrace.db.writer import RunWriter
    from imptrace.tracer.events import Event, Notice

P = ParamSpec("P")

COMMIT_SECONDS = 0.5
READ_MS = 100
LAST_CALL_SECONDS = 2.0
"""How long what was recorded before a stop is read, while more keeps coming."""
OPEN_SECONDS = 60.0
"""How long other writers are waited for at the end, if they never let us in."""
REOPEN_SECONDS = 30.0
"""After a database could not be opened for another reason."""
WATCH_SECONDS = 1.0
SILENCE_SECONDS = 30.0
"""How long a database may do nothing while nothing else is waited for, nor a processor."""
RETRY_SECONDS = 0.01
"""After a recorder's error: one that has nothing but errors must not take a whole processor."""
GARBAGE_THRESHOLDS = (50_000, 20, 100)
"""As for gc.set_threshold."""
LATEST_NS = (1 << 62) - 1
"""Far in the future; no clock shows more, whatever a log claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRequest:
    """What the user asked to be kept about the run."""

    subject: RunSubject
    label: str | None = None
    service: str | None = None
    scope: RunScope = RunScope.PROGRAM
    properties: Mapping[str, str] = field(default_factory=dict)
    """Facts about the service's unit."""
    database: str | None = None
    """A path or URL; None for the default place."""
    wait_for_children: bool = False
    mounts: Sequence[Mount] = field(default_factory=own_mounts)
    """Read before the program starts: what it mounts itself is gone with it."""
    summary: bool = True
    """Whether to count what was read, created, modified and deleted."""
    crowded: bool = False
    """Processes that are alike are told of as one, and no argument is kept (imptrace.db.crowd)."""
    at_beginning: Callable[[int], "Iterable[Event]"] = lambda _at: ()
    """What is to be told at the beginning of each run, at that moment of the recorder's time."""
    at_once: Callable[[str], None] | None = None
    """Tells the user what has to be known while the program runs, from a thread of its own."""
    here: bool = True
    """It happens on this machine: its mounts are noted, and changed files looked at at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingResult:
    """What came of a recording."""

    run_id: int | None
    summary: "RunSummary | None"
    failure: ImptraceError | None
    """What could not be stored."""
    left: int
    """Processes of the run that still go on, unrecorded."""


_TOLD_AT_ONCE = frozenset({"unreadable", "service-gone"})
"""Warnings on which the user may stop and record otherwise, rather than use the program."""


class Session:
    """One recording, from its first event to its last row."""

    def __init__(
        self,
        recorder: Recorder,
        request: RecordingRequest,
        notify: Callable[[], None] = lambda: None,
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
        self._began_ns = recorder.started_ns
        self._begun_at = 0
        self._mounts = request.mounts
        self._ended_after_ns: int | None = None
        self._stopping = Flag()
        self._turning = Flag()
        self._over = False
        self._left = 0
        self._fold: Fold | None = None
        self._crowd: Crowd | None = None
        self._writer: RunWriter | None = None
        self._next_open = 0.0
        self._unopened: ImptraceError | None = None
        self._progress = time.monotonic()
        self._silence: Silence | None = None
        self._summary: RunSummary | None = None
        self._failure: ImptraceError | None = None

    def start(self) -> "Session":
        """Record in a thread."""
        Thread(target=self.run, name="keep", daemon=True).start()
        Thread(target=self._watch, name="watch", daemon=True).start()
        return self

    def run(self) -> None:
        """Record until nothing more is to be recorded, and store it."""
        self._silence = Silence(get_native_id())
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
            self._done()

    def result(self) -> RecordingResult:
        """Wait until everything is stored; say what came of it."""
        self.finished.wait()
        run_id = self._writer.run_id if self._writer else None
        return RecordingResult(
            run_id=run_id, summary=self._summary, failure=self._failure, left=self._left
        )

    def stop(self) -> None:
        """Record no longer: store what there is. What still runs goes on."""
        self._stopping.set()

    def turn(self) -> None:
        """Begin a new run: what is recorded from now on is that one's. Nothing is lost."""
        self._turning.set()

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
        called = False
        while not self._over:
            self._progress = time.monotonic()
            stopping = self._stopping.is_set()
            if stopping and not called:
                called, last_call = True, time.monotonic() + LAST_CALL_SECONDS
            if self._turning.is_set() and not stopping:
                self._turning.clear()
                self._guarded(self._turn)
            items = self._take(0 if stopping else READ_MS)
            if stopping and items == ():
                self._over = True  # all that came before was taken
            if time.monotonic() > last_call:
                # What has come is taken in however long that lasts, and nothing more.
                self._guarded(self._recorder.close)
                last_call = math.inf
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
                if isinstance(item, Warned) and item.code in _TOLD_AT_ONCE:
                    self._tell_at_once(item.text)
        if self._fold is not None:
            self._fold.feed(events if self._crowd is None else self._crowd.of(events))

    def _tell_at_once(self, text: str) -> None:
        """Tell it without waiting: a terminal that takes nothing must not hold the records up."""
        if self._request.at_once is not None:
            Thread(target=self._request.at_once, args=(text,), name="tell", daemon=True).start()

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
        """Open the database, if it is time to try that (again)."""
        from imptrace.db.fold import Fold

        # Whatever comes before the database can be written is kept here.
        self._fold = self._fold or Fold(of_whole_machine=self._request.scope is RunScope.MACHINE)
        if self._request.crowded and self._crowd is None:
            from imptrace.db.crowd import Crowd

            self._crowd = Crowd()
            self._tell_beginning()
        from imptrace.db.recording_place import open_to_record
        from imptrace.db.trouble import DatabaseBusyError
        from imptrace.db.writer import RunWriter

        if self._writer is not None or time.monotonic() < self._next_open:
            return
        try:
            driver = open_to_record(self._request.database)
            mounts = self._mounts if self._request.here else ()
            self._writer = RunWriter(driver, self._start(), mounts, self._fold)
        except ImptraceError as error:
            is_busy = isinstance(error, DatabaseBusyError)
            self._next_open = time.monotonic() + (0 if is_busy else REOPEN_SECONDS)
            self._unopened = error
            raise
        if self._failure is self._unopened:
            self._failure = None

    def _turn(self) -> None:
        """End the run, and begin the next one where it ended."""
        from imptrace.db.fold import Fold

        old, crowd = self._writer, self._crowd
        if old is None or crowd is None:
            return
        ended_ns, offset = time.time_ns(), time.monotonic_ns() - self._begun_ns
        self._began_ns, self._begun_at = ended_ns, offset
        old.finish(ended_ns, None, None, snapshots=snapshots(old.changed_paths()))
        old.close()
        crowd.turn(offset)
        self._fold = Fold(of_whole_machine=self._request.scope is RunScope.MACHINE)
        self._writer, self._mounts = None, own_mounts()
        self._tell_beginning()
        self._open()

    def _tell_beginning(self) -> None:
        if self._fold is not None and self._crowd is not None:
            self._fold.feed(self._crowd.of(self._request.at_beginning(self._begun_at)))

    def _open_at_last(self) -> None:
        """Open the database that could not be opened so far: other writers end some time."""
        until = time.monotonic() + OPEN_SECONDS
        while self._writer is None and self._next_open <= time.monotonic() < until:
            self._progress = time.monotonic()
            self._guarded(self._open)

    def _start(self) -> "RunStart":
        from imptrace.db.records import RunStart

        subject = self._request.subject
        return RunStart(
            program=subject.program,
            argv=subject.argv,
            cwd=subject.cwd,
            user=subject.user,
            uid=subject.uid,
            host=os.uname().nodename if self._request.here else "",
            started_ns=self._began_ns,
            recorder=self._recorder.name,
            label=self._request.label,
            service=self._request.service,
            scope=self._request.scope,
            properties=self._request.properties,
        )

    def _commit(self) -> None:
        self._open()
        if self._writer is not None:
            self._writer.commit()

    def _finish(self) -> None:
        self._open_at_last()
        writer = self._writer
        if writer is None:
            return
        code = None if self.ended is None else os.waitstatus_to_exitcode(self.ended.status)
        writer.finish(
            self._ended_ns(),
            code if code is not None and code >= 0 else None,
            -code if code is not None and code < 0 else None,
            snapshots=snapshots(
                writer.changed_paths(), direct=self._request.scope is not RunScope.LOG
            )
            if self._request.here
            else (),
        )
        self._failure = writer.failure or self._failure
        if writer.failure is None and self._request.summary:
            self._summary = writer.summary()
        writer.close()

    def _done(self) -> None:
        self.finished.set()
        self._notify()

    def _watch(self) -> None:
        """Give up a database that is silent when nothing but it is waited for."""
        while not self.finished.wait(WATCH_SECONDS):
            writer = self._writer
            last = max(self._progress, writer.progress if writer else 0)
            waits = self._over or self._stopping.is_set()
            silent = self._silence.seconds(last) if self._silence else 0
            if waits and silent > SILENCE_SECONDS:
                self._look_for_the_end()
                self._failed(ImptraceError(self._silent()))
                self._done()

    def _look_for_the_end(self) -> None:
        """Take what is left, which nobody will store, for how the program ended."""
        while self.ended is None:
            items = self._recorder.events(0)
            self.ended = next((each for each in items if isinstance(each, ProgramEnded)), None)
            if not items:
                return

    def _silent(self) -> str:
        from imptrace.db.location import shown

        return (
            f"database {shown(self._request.database)}: it does not answer; "
            "what it had not taken is lost"
        )

    def _ended_ns(self) -> int:
        """Tell the wall clock of the end, which may have been set meanwhile, by the steady one."""
        after = self._ended_after_ns
        if after is None:
            after = time.monotonic_ns() - self._begun_ns
        return min(self._began_ns + after - self._begun_at, LATEST_NS)
