"""Writing a run while it is recorded: fold in memory, store in batches, keep what was stored."""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from imptrace.db import path_ids, store
from imptrace.db.codes import STATUS_COMPLETE, STATUS_RECORDING
from imptrace.db.driver import Driver, DriverError
from imptrace.db.fold import Fold
from imptrace.db.liveness import this_process
from imptrace.db.records import Effect, RunStart, RunSummary
from imptrace.db.sqlite_file import BUSY_TIMEOUT_MS
from imptrace.db.statements import chunks
from imptrace.db.summary import effects
from imptrace.db.trouble import explained, explanation, is_passing
from imptrace.errors import ImptraceError
from imptrace.tracer.events import Event, Lost, Mount, RunScope, Snapshot, Warned

PATIENCE_SECONDS = 60.0
"""How long other writers are waited for at the end of a run, all together."""
PAUSE_SECONDS = (0.01, 0.1)
SNAPSHOTS = 5_000
"""Paths of which the state after the run is stored in one transaction."""
SWEEP_SECONDS = 300.0
SWEEP_PATHS = 5_000
"""Names that came and went are removed so often, or when so many wait for it."""
ALIVE_SECONDS = 60.0
"""So often a run that lasts says that it is recorded still."""
WAIT_WHILE_RECORDING_MS = 250
"""How long a commit waits for another writer: meanwhile the program may wait for the recorder."""


class RunWriter:
    """One run in the making. Not thread-safe.

    The run's row is made at once, so that a crash leaves a run that shows as interrupted. A commit
    that fails keeps its rows for the next one; `failure` says at the end what could not be stored.
    Raises ImptraceError if not even the first row can be written.
    """

    def __init__(
        self,
        driver: Driver,
        start: RunStart,
        mounts: Sequence[Mount] = (),
        fold: Fold | None = None,
    ) -> None:
        """Make the run's row. `fold` may hold what was recorded before the database was there."""
        self.failure: ImptraceError | None = None
        self._driver = driver
        self._fold = fold or Fold()
        self.progress = time.monotonic()
        """When something was stored, or tried, the last time."""
        self._path_ids: dict[bytes, int] = {}
        self._lasts = start.scope is RunScope.MACHINE
        self._passed: dict[bytes, None] = {}
        self._swept = self._alive = time.monotonic()
        self._stored_counters = (0, 0, 0, 0, 0)
        self._lasting_failure: ImptraceError | None = None
        with explained(driver.place), driver.transaction():
            self.run_id = store.insert_run(
                driver, start, this_process(), status=STATUS_RECORDING, lost=0, unseen=0
            )
            store.insert_properties(driver, self.run_id, start.properties)
            store.insert_mounts(driver, self.run_id, mounts)
            if self._lasts:
                self._note_pause(start)
        self._driver.wait_for_lock(WAIT_WHILE_RECORDING_MS)

    def feed(self, events: Iterable[Event]) -> None:
        """Fold events in memory; nothing is written."""
        self._fold.feed(events)

    def commit(self) -> None:
        """Store what was folded since the last commit, in one transaction. Never raises for it."""
        if self._lasts:
            self._upkeep()
        if not self._fold.is_pending and self._stored_counters == self._counters():
            return
        self._store_rest(until=time.monotonic())

    def _note_pause(self, start: RunStart) -> None:
        """Note since when nothing of the same was recorded, if it ever was."""
        last = store.last_recorded(self._driver, start, self.run_id)
        if last is not None and last < start.started_ns:
            self._fold.feed([Lost(0, last - start.started_ns, 0)])

    def _upkeep(self) -> None:
        """Say that it is recorded still, and forget names that came and went."""
        now = time.monotonic()
        self._passed.update(dict.fromkeys(self._fold.passed()))
        if now - self._alive > ALIVE_SECONDS:
            self._alive = now
            self._store(self._store_sign_of_life, until=now)
        if len(self._passed) >= SWEEP_PATHS or now - self._swept > SWEEP_SECONDS:
            self._swept = now
            self._sweep(until=now)

    def _sweep(self, until: float) -> None:
        """Remove names that came and went; those that came again since stay."""
        if self._passed and self._store(self._store_sweep, until):
            self._passed.clear()

    def _store_sweep(self) -> None:
        there = set(self._fold.changed_paths())
        gone = [path for path in self._passed if path not in there]
        for path in path_ids.forget_paths(self._driver, self.run_id, gone):
            self._path_ids.pop(path, None)

    def _store_sign_of_life(self) -> None:
        store.update_run(self._driver, self.run_id, ended_ns=time.time_ns())

    def changed_paths(self) -> list[bytes]:
        """Every path of which a change was asked for: their state after the run is wanted."""
        return self._fold.changed_paths()

    def finish(
        self,
        ended_ns: int,
        exit_code: int | None,
        exit_signal: int | None,
        lost: int = 0,
        snapshots: Iterable[Snapshot] = (),
    ) -> None:
        """Store the rest and mark the run complete; see `failure` for what could not be stored.

        `ended_ns` is wall clock. `lost` are events lost besides those that Lost events told of.
        """
        self._fold.lost += lost
        self._driver.wait_for_lock(BUSY_TIMEOUT_MS)
        until = time.monotonic() + PATIENCE_SECONDS
        self._passed.update(dict.fromkeys(self._fold.passed()))
        if not self._store_rest(until):
            self._give_up_pending()
        self._sweep(until)
        # Looked at between the transactions, never within one: others may want to write meanwhile.
        for batch in chunks(snapshots, SNAPSHOTS):
            self._store(partial(self._store_snapshots, batch), until)
        end = {
            "ended_ns": ended_ns,
            "exit_code": exit_code,
            "exit_signal": exit_signal,
            "status": STATUS_COMPLETE,
        }
        stored = self._store(partial(self._store_end, end), until)
        if stored and not self._driver.is_kept("SELECT 1 FROM run WHERE id = ?", (self.run_id,)):
            self.failure = ImptraceError(
                f"database {self._driver.place}: what was recorded is not in it any more: the "
                "file, or the run, was removed or replaced meanwhile"
            )

    def _store(self, step: Callable[[], None], until: float) -> bool:
        """Do a step in a transaction, again and again while only others are in the way."""
        while True:
            self.progress = time.monotonic()
            try:
                with self._driver.transaction():
                    step()
            except DriverError as error:
                self._failed(error)
                if not is_passing(error.original) or time.monotonic() >= until:
                    return False
                # Not in step with the others that wait.
                time.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311 (no secret)
            else:
                self.failure = self._lasting_failure
                return True

    def _store_rest(self, until: float) -> bool:
        """Store what is pending."""
        stored = self._store(self._store_pending, until)
        if stored:
            self._stored_counters = self._counters()
            self._fold.stored()
        return stored

    def _give_up_pending(self) -> None:
        """Let the run at least say that the rest of it is missing, and why."""
        assert self.failure is not None  # noqa: S101 (something was not stored)
        self._lasting_failure = self.failure
        self._fold.give_up()
        self._fold.feed([Warned("not-stored", f"the rest was not stored: {self.failure}")])

    def _store_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        store.insert_after(self._driver, self.run_id, snapshots, self._path_ids)

    def _store_end(self, end: Mapping[str, object]) -> None:
        if self._counters() != self._stored_counters:
            self._store_remarks()
        store.update_run(self._driver, self.run_id, **end)

    def summary(self) -> RunSummary:
        """How many paths were read, created, modified and deleted. To be asked after `finish`."""
        with explained(self._driver.place), self._driver.transaction(reads=True):
            counts = effects(self._driver, self.run_id)
        return RunSummary(
            read=counts[None],
            created=counts[Effect.CREATED],
            modified=counts[Effect.MODIFIED],
            deleted=counts[Effect.DELETED],
            lost=self._fold.lost,
            unseen=self._fold.unseen,
            warnings=tuple(text for _, text in self._fold.warnings),
        )

    def close(self) -> None:
        """Give the connection back."""
        self._driver.close()

    def _store_pending(self) -> None:
        fold, driver, ids = self._fold, self._driver, self._path_ids
        store.insert_processes(driver, self.run_id, fold.processes.values(), fold.exits.values())
        path_ids.forget_many(ids)
        path_ids.resolve_paths(driver, fold.accesses, ids)
        store.upsert_accesses(driver, self.run_id, fold.accesses, ids)
        store.insert_before(driver, self.run_id, fold.before, ids)
        if self._counters() != self._stored_counters:
            self._store_remarks()

    def _store_remarks(self) -> None:
        fold, driver = self._fold, self._driver
        _, _, warnings, names, gaps = self._stored_counters
        store.insert_warnings(driver, self.run_id, list(fold.warnings)[warnings:], first=warnings)
        store.insert_mount_names(driver, self.run_id, list(fold.mount_names)[names:], first=names)
        store.insert_gaps(driver, self.run_id, fold.gaps[gaps:], first=gaps)
        store.update_run(driver, self.run_id, lost=fold.lost, unseen=fold.unseen)

    def _counters(self) -> tuple[int, int, int, int, int]:
        fold = self._fold
        return fold.lost, fold.unseen, len(fold.warnings), len(fold.mount_names), len(fold.gaps)

    def _failed(self, error: DriverError) -> None:
        # Ids that were given out in the transaction that is gone now may come to name other paths.
        self._path_ids.clear()
        self.failure = explanation(self._driver.place, error.original)
