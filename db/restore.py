"""Writing a whole run from its records: what `run_details` answered with elsewhere, row for row."""

import json
from collections.abc import Iterable

from sqlalchemy import Connection, Engine, insert

from imptrace.db import store
from imptrace.db.codes import SCOPE_CODES, STATUS_COMPLETE, STATUS_RECORDING, pack_strings, storable
from imptrace.db.fold import AccessRow, Pending
from imptrace.db.liveness import NOBODY
from imptrace.db.models import Run
from imptrace.db.records import (
    AccessRecord,
    PathRecord,
    ProcessRecord,
    RunDetails,
    RunRecord,
    RunStatus,
)
from imptrace.tracer.events import Access, ProcessExited, ProcessStarted, Snapshot


def insert_runs(engine: Engine, runs: Iterable[RunDetails]) -> list[int]:
    """Store runs under new ids, which are the answer; all of them, or on an error none."""
    with engine.begin() as connection:
        return [_insert(connection, details) for details in runs]


def _insert(connection: Connection, details: RunDetails) -> int:
    run_id = connection.execute(
        insert(Run).values(_run_row(details.run)).returning(Run.id)
    ).scalar_one()
    pending = _pending(details)
    ids: dict[bytes, int] = {}
    store.insert_properties(connection, run_id, details.run.properties)
    store.insert_mounts(connection, run_id, details.mounts)
    store.insert_mount_names(connection, run_id, details.mount_names)
    store.insert_gaps(connection, run_id, details.gaps)
    store.insert_processes(connection, run_id, pending)
    store.resolve_paths(connection, pending, ids)
    store.upsert_accesses(connection, run_id, pending, ids)
    store.insert_before(connection, run_id, pending, ids)
    store.insert_after(connection, run_id, _snapshots(details.paths), ids)
    return run_id


def _run_row(run: RunRecord) -> dict[str, object]:
    interrupted = run.status is not RunStatus.COMPLETE
    return {
        "label": None if run.label is None else storable(run.label),
        "program": run.program,
        "argv": pack_strings(run.argv),
        "cwd": run.cwd,
        "user": storable(run.user),
        "uid": run.uid,
        "host": storable(run.host),
        "started_ns": run.started_ns,
        "ended_ns": run.ended_ns,
        "exit_code": run.exit_code,
        "exit_signal": run.exit_signal,
        "recorder": storable(run.recorder),
        "recorder_pid": NOBODY.pid,
        "recorder_started": NOBODY.started,
        "boot_id": NOBODY.boot_id,
        "status": STATUS_RECORDING if interrupted else STATUS_COMPLETE,
        "lost": run.lost,
        "unseen": run.unseen,
        "service": None if run.service is None else storable(run.service),
        "warnings": json.dumps(run.warnings),
        "scope": SCOPE_CODES[run.scope],
        "elsewhere": run.elsewhere,
    }


def _pending(details: RunDetails) -> Pending:
    pending = Pending()
    for process in details.processes:
        pending.processes[process.id] = _started(process)
        if process.ended is not None:
            pending.exits[process.id] = ProcessExited(process.id, process.status, process.ended)
    for path in details.paths:
        if path.before is not None:
            pending.before[path.path] = path.before
        for access in path.accesses:
            pending.accesses[access.process, path.path, access.op] = _row(path.path, access)
    return pending


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


def _row(path: bytes, access: AccessRecord) -> AccessRow:
    call = Access(
        process=access.process,
        op=access.op,
        path=path,
        path2=None,
        outcome=access.outcome,
        at=access.first,
        errno=access.errno,
        count=access.count,
        last=access.last,
    )
    row = AccessRow(call)
    row.flags = int(access.flags)
    row.to, row.origin = access.to, access.origin
    return row


def _snapshots(paths: Iterable[PathRecord]) -> Iterable[Snapshot]:
    for path in paths:
        if path.after is not None:
            yield Snapshot(path.path, path.after, path.hint, path.link)
