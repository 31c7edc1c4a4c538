"""Folded rows into tables: each function runs in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from imptrace.db.codes import (
    AFTER,
    BEFORE,
    FILE_TYPE_CODES,
    LARGEST,
    OP_CODES,
    OUTCOME_CODES,
    SCOPE_CODES,
    clamp_time,
    pack_environ,
    pack_strings,
    storable,
    to_signed,
)
from imptrace.db.driver import Driver
from imptrace.db.fold import AccessKey
from imptrace.db.liveness import RecorderIdentity
from imptrace.db.path_ids import NOT_KEPT, find_paths, forget_many
from imptrace.db.records import AccessRecord, RunRecord, RunStart
from imptrace.db.rows import STATE_COLUMNS
from imptrace.db.statements import CHUNK, chunks, insert
from imptrace.facts.units import unit_of
from imptrace.tracer import events
from imptrace.tracer.events import Outcome, RunScope, Snapshot

_OF_RUN = ("run_id", "position")
_NEW_ONLY = " ON CONFLICT DO NOTHING"
_INSERT_MOUNT = insert(
    "mount",
    (
        *_OF_RUN,
        "mount_id",
        "parent_id",
        "device",
        "root",
        "mountpoint",
        "fstype",
        "source",
        "options",
    ),
)
_INSERT_PROPERTY = insert("unit_property", ("run_id", "name", "value"))
_INSERT_MOUNT_NAME = insert("mount_name", (*_OF_RUN, "inside", "host"))
_INSERT_GAP = insert("gap", (*_OF_RUN, "count", "since", "until", "process_id", "cgroup"))
_INSERT_WARNING = insert("warning", (*_OF_RUN, "code", "text"))


def insert_mounts(driver: Driver, run_id: int, mounts: Sequence[events.Mount]) -> None:
    """Store the mount table, in its order."""
    rows = (
        (
            run_id,
            position,
            mount.mount_id,
            mount.parent_id,
            mount.device,
            mount.root,
            mount.mountpoint,
            storable(mount.fstype),
            mount.source,
            storable(mount.options),
        )
        for position, mount in enumerate(mounts)
    )
    driver.execute_many(_INSERT_MOUNT, rows)


def insert_run(
    driver: Driver, run: RunStart | RunRecord, recorder: RecorderIdentity, **more: object
) -> int:
    """Store the row of a run, and give its id.

    What a column holds is the field of that name; `more`: the columns that no field tells.
    """
    told = {name: _stored(getattr(run, name)) for name in _RUN_COLUMNS if hasattr(run, name)}
    of_recorder = {
        "recorder_pid": recorder.pid,
        "recorder_started": recorder.started,
        "boot_id": recorder.boot_id,
    }
    row = told | of_recorder | more
    statement = insert("run", tuple(row)) + " RETURNING id"
    ((run_id,),) = driver.execute(statement, tuple(row.values()))
    return int(run_id)


def update_run(driver: Driver, run_id: int, **values: object) -> None:
    """Set columns of a run's row."""
    columns = ", ".join(f"{name} = ?" for name in values)
    driver.execute(f"UPDATE run SET {columns} WHERE id = ?", (*values.values(), run_id))


_OWN_TABLES = {"properties", "warnings"}
_RUN_COLUMNS = {each.name for each in fields(RunRecord)} - _OWN_TABLES - {"id", "status"}


def _stored(value: object) -> object:
    """Say what a column of a run holds for the value of its field."""
    if isinstance(value, RunScope):
        return SCOPE_CODES[value]
    if isinstance(value, tuple):
        return pack_strings(value)
    return storable(value) if isinstance(value, str) else value


def last_recorded(driver: Driver, run: RunStart, run_id: int) -> int | None:
    """Tell until when the runs before `run_id` recorded the same on this host; None: never."""
    same = "id <> ? AND scope = ? AND host = ? AND argv = ?"
    of_same = (run_id, SCOPE_CODES[run.scope], storable(run.host), pack_strings(run.argv))
    ((ended,),) = driver.execute(
        f"SELECT max(coalesce(ended_ns, started_ns)) FROM run WHERE {same}",
        of_same,
    )
    if ended is None:
        return None
    # One that was killed told the last time that it lived some time before.
    ((seen,),) = driver.execute(
        "SELECT max(run.started_ns + access.last) FROM access JOIN run ON run.id = access.run_id "
        f"WHERE run.id = (SELECT id FROM run WHERE {same} ORDER BY started_ns DESC LIMIT 1)",
        of_same,
    )
    return int(max(ended, seen or 0))


def insert_properties(driver: Driver, run_id: int, properties: Mapping[str, str]) -> None:
    """Store what systemd says of a run's unit."""
    rows = ((run_id, storable(name), storable(value)) for name, value in properties.items())
    driver.execute_many(_INSERT_PROPERTY, rows)


def insert_mount_names(
    driver: Driver, run_id: int, names: Iterable[events.MountNamed], first: int = 0
) -> None:
    """Store names of mounts, from position `first` on."""
    rows = (
        (run_id, position, name.inside, name.host) for position, name in enumerate(names, first)
    )
    driver.execute_many(_INSERT_MOUNT_NAME, rows)


def insert_gaps(driver: Driver, run_id: int, gaps: Iterable[events.Lost], first: int = 0) -> None:
    """Store what was lost, from position `first` on."""
    rows = (
        (run_id, position, gap.count, gap.since, gap.until, gap.process, gap.cgroup)
        for position, gap in enumerate(gaps, first)
    )
    driver.execute_many(_INSERT_GAP, rows)


def insert_warnings(
    driver: Driver, run_id: int, warnings: Iterable[tuple[str, str]], first: int = 0
) -> None:
    """Store what the recorder warned of, (code, text) pairs, from position `first` on."""
    rows = (
        (run_id, position, storable(code), storable(text))
        for position, (code, text) in enumerate(warnings, first)
    )
    driver.execute_many(_INSERT_WARNING, rows)


def insert_processes(
    driver: Driver,
    run_id: int,
    processes: Iterable[events.ProcessStarted],
    exits: Iterable[events.ProcessExited],
) -> None:
    """Store new process images, and the ends of those that ended."""
    driver.execute_many(_INSERT_PROCESS, (_process_row(run_id, each) for each in processes))
    ended = ((end.at, end.status, run_id, end.process) for end in exits)
    driver.execute_many(_END_PROCESS, ended)


def upsert_accesses(
    driver: Driver,
    run_id: int,
    accesses: Mapping[AccessKey, AccessRecord],
    ids: Mapping[bytes, int],
) -> None:
    """Store accesses; one that an earlier batch holds is folded into its row."""
    rows = (
        (
            run_id,
            process,
            ids[path],
            OP_CODES[op],
            row.count,
            row.first,
            row.last,
            OUTCOME_CODES[row.outcome],
            row.errno,
            int(row.flags),
            None if row.to is None else ids.get(row.to, NOT_KEPT),
            None if row.origin is None else ids.get(row.origin, NOT_KEPT),
        )
        for (process, path, op), row in accesses.items()
    )
    driver.execute_many(_UPSERT_ACCESS, rows)


def insert_before(
    driver: Driver,
    run_id: int,
    before: Mapping[bytes, events.FileState],
    ids: Mapping[bytes, int],
) -> None:
    """Store what stood at paths before their first change."""
    rows = (
        _state_row(run_id, ids[path], BEFORE, state)
        for path, state in before.items()
        if path in ids
    )
    driver.execute_many(_INSERT_STATE, rows)


def insert_after(
    driver: Driver, run_id: int, snapshots: Iterable[Snapshot], ids: dict[bytes, int]
) -> None:
    """Store what stands at paths after the run; paths that are not stored are left out."""
    for chunk in chunks(snapshots, CHUNK):
        forget_many(ids)
        find_paths(driver, (path for path, _ in chunk if path not in ids), ids)
        rows = (_state_row(run_id, ids[path], AFTER, state) for path, state in chunk if path in ids)
        driver.execute_many(_INSERT_STATE, rows)


_END_PROCESS = "UPDATE process SET ended = ?, status = ? WHERE run_id = ? AND id = ?"
_INSERT_PROCESS = insert(
    "process",
    (
        "run_id",
        "id",
        "pid",
        "parent",
        "previous",
        "exe",
        "argv",
        "cwd",
        "uid",
        "gid",
        "cgroup",
        "environ",
        "started",
        "unit",
    ),
    _NEW_ONLY,
)


def _process_row(run_id: int, process: events.ProcessStarted) -> tuple[Any, ...]:
    return (
        run_id,
        process.process,
        process.pid,
        process.parent,
        process.previous,
        process.exe,
        pack_strings(process.argv),
        process.cwd,
        process.uid,
        process.gid,
        process.cgroup,
        pack_environ(process.environ),
        process.at,
        unit_of(process.cgroup),
    )


_INSERT_STATE = insert("file_state", STATE_COLUMNS, _NEW_ONLY)


def _state_row(run_id: int, path_id: int, moment: int, state: events.FileState) -> tuple[Any, ...]:
    file_type, size, mode, uid, gid, mtime_ns, inode, device, ctime_ns, hint, link = state
    return (
        run_id,
        path_id,
        moment,
        FILE_TYPE_CODES[file_type],
        size if size <= LARGEST else to_signed(size),
        mode,
        uid,
        gid,
        mtime_ns if -LARGEST <= mtime_ns <= LARGEST else clamp_time(mtime_ns),
        ctime_ns if -LARGEST <= ctime_ns <= LARGEST else clamp_time(ctime_ns),
        inode if inode <= LARGEST else to_signed(inode),
        device if device <= LARGEST else to_signed(device),
        hint,
        link,
    )


def _other_name(column: str) -> str:
    """As in imptrace.db.fold: the names of a refused call give way to those of one that was not."""
    done = OUTCOME_CODES[Outcome.UNKNOWN]
    return (
        f"CASE WHEN access.outcome <= {done} AND excluded.outcome > {done} THEN access.{column} "
        f"WHEN access.outcome > {done} AND excluded.outcome <= {done} THEN excluded.{column} "
        f"ELSE coalesce(excluded.{column}, access.{column}) END"
    )


def _better(column: str, sign: str, judged_by: str | None = None) -> str:
    """Choose between the stored value and the new one, which wins where its judge is as good."""
    by = judged_by or column
    wins = f"excluded.{by} {sign} access.{by}"
    return f"CASE WHEN {wins} THEN excluded.{column} ELSE access.{column} END"


# As in imptrace.db.fold: counts add up, the best outcome wins, the newest other name too.
_FOLDED = {
    "count": "access.count + excluded.count",
    "first": _better("first", "<="),
    "last": _better("last", ">="),
    "outcome": _better("outcome", "<="),
    "errno": _better("errno", "<=", judged_by="outcome"),
    "flags": "access.flags | excluded.flags",
    "to_id": _other_name("to_id"),
    "from_id": _other_name("from_id"),
}
_ACCESS_KEY = ("run_id", "process_id", "path_id", "op")
_UPSERT_ACCESS = insert(
    "access",
    (*_ACCESS_KEY, *_FOLDED),
    f" ON CONFLICT ({', '.join(_ACCESS_KEY)}) DO UPDATE SET "
    + ", ".join(f'"{column}" = {value}' for column, value in _FOLDED.items()),
)
