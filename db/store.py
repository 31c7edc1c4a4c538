"""Folded rows into tables, in bulk: each function runs in the caller's transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, case, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from imptrace.db.codes import (
    AFTER,
    BEFORE,
    FILE_TYPE_CODES,
    OP_CODES,
    OUTCOME_CODES,
    clamp_time,
    pack_environ,
    pack_strings,
    storable,
    to_signed,
)
from imptrace.db.fold import Pending
from imptrace.db.models import Access, Base, FileState, Mount, Path, Process
from imptrace.tracer import events
from imptrace.tracer.events import Snapshot

T = TypeVar("T")

CHUNK = 1000
"""Rows per statement: enough to amortise it, few enough for any database's limit of variables."""


def insert_mounts(connection: Connection, run_id: int, mounts: Sequence[events.Mount]) -> None:
    """Store the mount table, in its order."""
    rows = [
        {
            "run_id": run_id,
            "position": position,
            "mount_id": mount.mount_id,
            "parent_id": mount.parent_id,
            "device": mount.device,
            "root": mount.root,
            "mountpoint": mount.mountpoint,
            "fstype": storable(mount.fstype),
            "source": mount.source,
            "options": storable(mount.options),
        }
        for position, mount in enumerate(mounts)
    ]
    if rows:
        connection.execute(insert(Mount), rows)


def insert_processes(connection: Connection, run_id: int, pending: Pending) -> None:
    """Store new process images, and the ends of those that ended."""
    started = (_process_row(run_id, process) for process in pending.processes.values())
    statement = _insert(connection, Process).on_conflict_do_nothing()
    _execute_chunks(connection, statement, started)
    ended = (
        {"run": run_id, "process": end.process, "ended": end.at, "status": end.status}
        for end in pending.exits.values()
    )
    _execute_chunks(connection, _END_OF_PROCESS, ended)


def resolve_paths(connection: Connection, pending: Pending, ids: dict[bytes, int]) -> None:
    """Give an id to each pending path that has none; `ids` is filled in."""
    new = dict.fromkeys(path for _, path, _ in pending.accesses if path not in ids)
    statement = _insert(connection, Path).on_conflict_do_nothing()
    for chunk in _chunks(new, CHUNK):
        connection.execute(statement, [{"name": path} for path in chunk])
        find_paths(connection, chunk, ids)


def find_paths(connection: Connection, paths: Iterable[bytes], ids: dict[bytes, int]) -> None:
    """Look up the ids of paths that are stored; `ids` is filled in, others stay out of it."""
    for chunk in _chunks(paths, CHUNK):
        rows = connection.execute(select(Path.name, Path.id).where(Path.name.in_(chunk)))
        # Keyed by the objects that the fold already holds, not by copies.
        found = dict(rows.tuples().all())
        ids.update((path, found[path]) for path in chunk if path in found)


def upsert_accesses(
    connection: Connection, run_id: int, pending: Pending, ids: Mapping[bytes, int]
) -> None:
    """Store accesses; one that an earlier batch holds is folded into its row."""
    statement = _insert(connection, Access)
    new = statement.excluded
    # As in imptrace.db.fold: counts add up, the best outcome wins, the newest other name too.
    statement = statement.on_conflict_do_update(
        index_elements=[Access.run_id, Access.process_id, Access.path_id, Access.op],
        set_={
            "count": Access.count + new.count,
            "first": _least(Access.first, new.first),
            "last": _greatest(Access.last, new.last),
            "outcome": _least(Access.outcome, new.outcome),
            "errno": case((new.outcome < Access.outcome, new.errno), else_=Access.errno),
            "flags": Access.flags.op("|")(new.flags),
            "to_id": func.coalesce(new.to_id, Access.to_id),
            "from_id": func.coalesce(new.from_id, Access.from_id),
        },
    )
    rows = (
        {
            "run_id": run_id,
            "process_id": process,
            "path_id": ids[path],
            "op": OP_CODES[op],
            "count": row.count,
            "first": row.first,
            "last": row.last,
            "outcome": OUTCOME_CODES[row.outcome],
            "errno": row.errno,
            "flags": row.flags,
            "to_id": None if row.to is None else ids.get(row.to),
            "from_id": None if row.origin is None else ids.get(row.origin),
        }
        for (process, path, op), row in pending.accesses.items()
    )
    _execute_chunks(connection, statement, rows)


def insert_before(
    connection: Connection, run_id: int, pending: Pending, ids: Mapping[bytes, int]
) -> None:
    """Store what stood at paths before their first change."""
    rows = (
        _state_row(run_id, ids[path], BEFORE, Snapshot(path, state))
        for path, state in pending.before.items()
        if path in ids
    )
    _execute_chunks(connection, _insert(connection, FileState).on_conflict_do_nothing(), rows)


def insert_after(
    connection: Connection, run_id: int, snapshots: Iterable[Snapshot], ids: dict[bytes, int]
) -> None:
    """Store what stands at paths after the run; paths that are not stored are left out."""
    statement = _insert(connection, FileState).on_conflict_do_nothing()
    for chunk in _chunks((Snapshot(*snapshot) for snapshot in snapshots), CHUNK):
        find_paths(connection, (shot.path for shot in chunk if shot.path not in ids), ids)
        rows = [
            _state_row(run_id, ids[shot.path], AFTER, shot) for shot in chunk if shot.path in ids
        ]
        if rows:
            connection.execute(statement, rows)


_END_OF_PROCESS = (
    update(Process)
    .where(Process.run_id == bindparam("run"), Process.id == bindparam("process"))
    .values(ended=bindparam("ended"), status=bindparam("status"))
)


def _process_row(run_id: int, process: events.ProcessStarted) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "id": process.process,
        "pid": process.pid,
        "parent": process.parent,
        "previous": process.previous,
        "exe": process.exe,
        "argv": pack_strings(process.argv),
        "cwd": process.cwd,
        "uid": process.uid,
        "gid": process.gid,
        "cgroup": process.cgroup,
        "environ": pack_environ(process.environ),
        "started": process.at,
        "ended": None,
        "status": None,
    }


def _state_row(run_id: int, path_id: int, moment: int, snapshot: Snapshot) -> dict[str, Any]:
    state = snapshot.state
    return {
        "run_id": run_id,
        "path_id": path_id,
        "moment": moment,
        "type": FILE_TYPE_CODES[state.type],
        "size": to_signed(state.size),
        "mode": state.mode,
        "uid": state.uid,
        "gid": state.gid,
        "mtime_ns": clamp_time(state.mtime_ns),
        "ctime_ns": clamp_time(state.ctime_ns),
        "inode": to_signed(state.inode),
        "device": to_signed(state.device),
        "hint": snapshot.hint,
        "link": snapshot.link,
    }


def _insert(connection: Connection, table: type[Base]) -> Any:
    """Make an INSERT that knows ON CONFLICT, which SQLAlchemy has per dialect only."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def _least(one: Any, other: Any) -> Any:
    return case((one <= other, one), else_=other)


def _greatest(one: Any, other: Any) -> Any:
    return case((one >= other, one), else_=other)


def _execute_chunks(connection: Connection, statement: Any, rows: Iterable[Any]) -> None:
    for chunk in _chunks(rows, CHUNK):
        connection.execute(statement, chunk)


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
