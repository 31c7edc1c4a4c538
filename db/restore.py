"""Writing a whole run from its records: what `run_details` answered with elsewhere, row for row."""

from collections.abc import Iterable
from contextlib import closing

from sqlalchemy import Engine

from imptrace.db import path_ids, store
from imptrace.db.codes import STATUS_COMPLETE, STATUS_RECORDING
from imptrace.db.driver import Driver
from imptrace.db.engine import driver_of
from imptrace.db.fold import AccessKey
from imptrace.db.liveness import NOBODY
from imptrace.db.records import (
    AccessRecord,
    PathRecord,
    ProcessRecord,
    RunDetails,
    RunStatus,
)
from imptrace.tracer.events import ProcessExited, ProcessStarted, Snapshot


def insert_runs(engine: Engine, runs: Iterable[RunDetails]) -> list[int]:
    """Store runs under new ids, which are the answer; all of them, or on an error none."""
    driver = driver_of(engine)
    with closing(driver), driver.transaction():
        return [_insert(driver, details) for details in runs]


def _insert(driver: Driver, details: RunDetails) -> int:
    run = details.run
    complete = run.status is RunStatus.COMPLETE
    run_id = store.insert_run(
        driver,
        run,
        NOBODY,
        status=STATUS_COMPLETE if complete else STATUS_RECORDING,
    )
    accesses = _accesses(details.paths)
    before = {path.path: path.before for path in details.paths if path.before is not None}
    ids: dict[bytes, int] = {}
    store.insert_properties(driver, run_id, run.properties)
    store.insert_mounts(driver, run_id, details.mounts)
    store.insert_mount_names(driver, run_id, details.mount_names)
    store.insert_gaps(driver, run_id, details.gaps)
    store.insert_warnings(driver, run_id, run.warnings)
    store.insert_processes(
        driver, run_id, map(_started, details.processes), _ends(details.processes)
    )
    path_ids.resolve_paths(driver, accesses, ids)
    store.upsert_accesses(driver, run_id, accesses, ids)
    store.insert_before(driver, run_id, before, ids)
    store.insert_after(driver, run_id, _snapshots(details.paths), ids)
    return run_id


def _accesses(paths: Iterable[PathRecord]) -> dict[AccessKey, AccessRecord]:
    return {
        (access.process, path.path, access.op): access for path in paths for access in path.accesses
    }


def _ends(processes: Iterable[ProcessRecord]) -> Iterable[ProcessExited]:
    for process in processes:
        if process.ended is not None:
            yield ProcessExited(process.id, process.status, process.ended)


def _started(process: ProcessRecord) -> ProcessStarted:
    return ProcessStarted(
        process=process.id,
        parent=process.parent,
        previous=process.previous,
        pid=process.pid,
        exe=process.exe,
        argv=process.argv,
        cwd=process.cwd,
        uid=process.uid,
        gid=process.gid,
        cgroup=process.cgroup,
        environ=process.environ,
        at=process.started,
    )


def _snapshots(paths: Iterable[PathRecord]) -> Iterable[Snapshot]:
    for path in paths:
        if path.after is not None:
            yield path.path, path.after
