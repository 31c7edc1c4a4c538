"""Folded rows into tables: each function runs in the caller's transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    ClauseElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import sqlite

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
from imptrace.db.fold import AccessKey
from imptrace.db.liveness import RecorderIdentity
from imptrace.db.models import (
    AccessTable,
    Base,
    FileStateTable,
    GapTable,
    MountNameTable,
    MountTable,
    PathTable,
    ProcessTable,
    RunTable,
    UnitPropertyTable,
    WarningTable,
)
from imptrace.db.records import AccessRecord, RunRecord, RunStart
from imptrace.facts.units import unit_of
from imptrace.tracer import events
from imptrace.tracer.events import Outcome, RunScope, Snapshot

T = TypeVar("T")

CHUNK = 1000
"""Rows per call: enough to amortise it, few enough for any database's limit of variables."""
IDS_KEPT = 100_000
"""How many paths a writer knows the ids of: some 20 MB."""


def insert_into(connection: Connection, table: type[Base]) -> Any:
    """Make an INSERT that knows ON CONFLICT, which SQLAlchemy has per dialect only."""
    if connection.dialect.name == "postgresql":
        # It imports asyncio and more, which a recording into SQLite would have to wait for.
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(table).inline()
    return sqlite.insert(table).inline()


def execute_many(
    connection: Connection,
    statement: ClauseElement,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Execute an insert or update once for each row, which has a value for each name.

    The values must be what the driver takes: nothing is converted.
    """
    compiled: Any = statement.compile(dialect=connection.dialect, column_keys=list(names))
    in_order = compiled.positiontup
    for chunk in chunks(rows, CHUNK):
        if in_order is None:
            parameters: list[Any] = [dict(zip(names, row, strict=True)) for row in chunk]
        elif in_order == list(names):
            parameters = chunk
        else:
            pick = itemgetter(*map(names.index, in_order))
            parameters = list(map(pick, chunk))
        connection.exec_driver_sql(str(compiled), parameters)


def insert_paths(connection: Connection, paths: Sequence[bytes]) -> dict[bytes, int]:
    """Store those of `paths` that are not stored yet, in one statement; returns their ids."""
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    values = ", ".join([f"({mark})"] * len(paths))
    made = connection.exec_driver_sql(
        # Nothing but placeholders is put into it.
        f"INSERT INTO path (name) VALUES {values} ON CONFLICT DO NOTHING RETURNING name, id",  # noqa: S608
        tuple(paths),
    )
    return dict(made.all())


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut into lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


NOT_KEPT = 0
"""Stands for the id of another name, of a rename or link, that was forgotten: no path has it."""

_PROCESS_COLUMNS = tuple(ProcessTable.__table__.columns.keys())
_ACCESS_COLUMNS = tuple(AccessTable.__table__.columns.keys())
_STATE_COLUMNS = tuple(FileStateTable.__table__.columns.keys())


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
        connection.execute(insert(MountTable), rows)


def insert_run(
    connection: Connection, run: RunStart | RunRecord, recorder: RecorderIdentity, **more: object
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
    return connection.execute(insert(RunTable).values(row).returning(RunTable.id)).scalar_one()


_RUN_COLUMNS = frozenset(RunTable.__table__.columns.keys()) - {"id", "status"}


def _stored(value: object) -> object:
    """Say what a column of a run holds for the value of its field."""
    if isinstance(value, RunScope):
        return SCOPE_CODES[value]
    if isinstance(value, tuple):
        return pack_strings(value)
    return storable(value) if isinstance(value, str) else value


def last_recorded(connection: Connection, run: RunStart, run_id: int) -> int | None:
    """Tell until when the runs before `run_id` recorded the same on this host; None: never."""
    same = and_(
        RunTable.id != run_id,
        RunTable.scope == SCOPE_CODES[run.scope],
        RunTable.host == storable(run.host),
        RunTable.argv == pack_strings(run.argv),
    )
    ended = connection.scalar(
        select(func.max(func.coalesce(RunTable.ended_ns, RunTable.started_ns))).where(same)
    )
    if ended is None:
        return None
    # One that was killed told the last time that it lived some time before.
    newest = (
        select(RunTable.id)
        .where(same)
        .order_by(RunTable.started_ns.desc())
        .limit(1)
        .scalar_subquery()
    )
    seen = select(func.max(RunTable.started_ns + AccessTable.last)).join(
        RunTable, RunTable.id == AccessTable.run_id
    )
    return max(ended, connection.scalar(seen.where(RunTable.id == newest)) or 0)


def insert_properties(connection: Connection, run_id: int, properties: Mapping[str, str]) -> None:
    """Store what systemd says of a run's unit."""
    rows = [
        {"run_id": run_id, "name": storable(name), "value": storable(value)}
        for name, value in properties.items()
    ]
    if rows:
        connection.execute(insert(UnitPropertyTable), rows)


def insert_mount_names(
    connection: Connection, run_id: int, names: Iterable[events.MountNamed], first: int = 0
) -> None:
    """Store names of mounts, from position `first` on."""
    rows = [
        {"run_id": run_id, "position": position, "inside": name.inside, "host": name.host}
        for position, name in enumerate(names, first)
    ]
    if rows:
        connection.execute(insert(MountNameTable), rows)


def insert_gaps(
    connection: Connection, run_id: int, gaps: Iterable[events.Lost], first: int = 0
) -> None:
    """Store what was lost, from position `first` on."""
    rows = [
        {
            "run_id": run_id,
            "position": position,
            "count": gap.count,
            "since": gap.since,
            "until": gap.until,
            "process_id": gap.process,
            "cgroup": gap.cgroup,
        }
        for position, gap in enumerate(gaps, first)
    ]
    if rows:
        connection.execute(insert(GapTable), rows)


def insert_warnings(
    connection: Connection, run_id: int, warnings: Iterable[tuple[str, str]], first: int = 0
) -> None:
    """Store what the recorder warned of, (code, text) pairs, from position `first` on."""
    rows = [
        {"run_id": run_id, "position": position, "code": storable(code), "text": storable(text)}
        for position, (code, text) in enumerate(warnings, first)
    ]
    if rows:
        connection.execute(insert(WarningTable), rows)


def insert_processes(
    connection: Connection,
    run_id: int,
    processes: Iterable[events.ProcessStarted],
    exits: Iterable[events.ProcessExited],
) -> None:
    """Store new process images, and the ends of those that ended."""
    statement = insert_into(connection, ProcessTable).on_conflict_do_nothing()
    started = (_process_row(run_id, process) for process in processes)
    execute_many(connection, statement, _PROCESS_COLUMNS, started)
    ended = ((end.at, end.status, run_id, end.process) for end in exits)
    execute_many(connection, _END_OF_PROCESS, _END_OF_PROCESS_NAMES, ended)


def resolve_paths(
    connection: Connection, accesses: Mapping[AccessKey, AccessRecord], ids: dict[bytes, int]
) -> None:
    """Give an id to each path that has none; `ids` is filled in."""
    # Sorted: two writers that meet the same new paths wait for each other in one direction only.
    new = sorted({path for _, path, _ in accesses if path not in ids})
    for chunk in chunks(new, CHUNK):
        # Keyed by the objects that the fold already holds, not by copies.
        made = insert_paths(connection, chunk)
        ids.update((path, made[path]) for path in chunk if path in made)
        find_paths(connection, (path for path in chunk if path not in made), ids)
    rows = accesses.values()
    others = {name for row in rows for name in (row.to, row.origin) if name and name not in ids}
    find_paths(connection, others, ids)


def forget_many(ids: dict[bytes, int]) -> None:
    """Hold ids in little memory: those that are forgotten can be asked for again."""
    if len(ids) > IDS_KEPT:
        ids.clear()


def find_paths(connection: Connection, paths: Iterable[bytes], ids: dict[bytes, int]) -> None:
    """Look up the ids of paths that are stored; `ids` is filled in, others stay out of it."""
    for chunk in chunks(paths, CHUNK):
        rows = connection.execute(
            select(PathTable.name, PathTable.id).where(PathTable.name.in_(chunk))
        )
        found = dict(rows.all())
        ids.update((path, found[path]) for path in chunk if path in found)


def forget_paths(connection: Connection, run_id: int, paths: Iterable[bytes]) -> list[bytes]:
    """Remove what a run knows of paths; which were stored at all."""
    ids: dict[bytes, int] = {}
    find_paths(connection, paths, ids)
    for chunk in chunks(ids.values(), CHUNK):
        for table in (AccessTable, FileStateTable):
            columns = table.__table__.c
            of_run = and_(columns.run_id == run_id, columns.path_id.in_(chunk))
            connection.execute(delete(table).where(of_run))
        unused = ~exists().where(AccessTable.path_id == PathTable.id)
        connection.execute(delete(PathTable).where(PathTable.id.in_(chunk), unused))
    # In one go: it reads all of the run, since no index leads there.
    forgotten = frozenset(ids.values())
    for column in (AccessTable.to_id, AccessTable.from_id):
        named = connection.execute(
            select(column).where(AccessTable.run_id == run_id, column.is_not(None)).distinct()
        )
        gone = [other for (other,) in named if other in forgotten]
        for chunk in chunks(gone, CHUNK):
            of_those = update(AccessTable).where(AccessTable.run_id == run_id, column.in_(chunk))
            connection.execute(of_those.values({column: NOT_KEPT}))
    return list(ids)


def upsert_accesses(
    connection: Connection,
    run_id: int,
    accesses: Mapping[AccessKey, AccessRecord],
    ids: Mapping[bytes, int],
) -> None:
    """Store accesses; one that an earlier batch holds is folded into its row."""
    statement = insert_into(connection, AccessTable)
    new = statement.excluded
    # As in imptrace.db.fold: counts add up, the best outcome wins, the newest other name too.
    statement = statement.on_conflict_do_update(
        index_elements=[
            AccessTable.run_id,
            AccessTable.process_id,
            AccessTable.path_id,
            AccessTable.op,
        ],
        set_={
            "count": AccessTable.count + new.count,
            "first": _least(AccessTable.first, new.first),
            "last": _greatest(AccessTable.last, new.last),
            "outcome": _least(AccessTable.outcome, new.outcome),
            "errno": case((new.outcome <= AccessTable.outcome, new.errno), else_=AccessTable.errno),
            "flags": AccessTable.flags.op("|")(new.flags),
            "to_id": _other_name(AccessTable.outcome, AccessTable.to_id, new.outcome, new.to_id),
            "from_id": _other_name(
                AccessTable.outcome, AccessTable.from_id, new.outcome, new.from_id
            ),
        },
    )
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
    execute_many(connection, statement, _ACCESS_COLUMNS, rows)


def insert_before(
    connection: Connection,
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
    _insert_states(connection, rows)


def insert_after(
    connection: Connection, run_id: int, snapshots: Iterable[Snapshot], ids: dict[bytes, int]
) -> None:
    """Store what stands at paths after the run; paths that are not stored are left out."""
    for chunk in chunks(snapshots, CHUNK):
        forget_many(ids)
        find_paths(connection, (path for path, _ in chunk if path not in ids), ids)
        rows = (_state_row(run_id, ids[path], AFTER, state) for path, state in chunk if path in ids)
        _insert_states(connection, rows)


_END_OF_PROCESS_NAMES = ("ended", "status", "run", "process")
_END_OF_PROCESS = (
    update(ProcessTable)
    .where(ProcessTable.run_id == bindparam("run"), ProcessTable.id == bindparam("process"))
    .values(ended=bindparam("ended"), status=bindparam("status"))
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
        None,
        None,
        unit_of(process.cgroup),
    )


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


def _insert_states(connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    statement = insert_into(connection, FileStateTable).on_conflict_do_nothing()
    execute_many(connection, statement, _STATE_COLUMNS, rows)


def _other_name(outcome: Any, name: Any, new_outcome: Any, new_name: Any) -> Any:
    """As in imptrace.db.fold: the names of a refused call give way to those of one that was not."""
    done: Any = literal_column(str(OUTCOME_CODES[Outcome.UNKNOWN]))  # execute_many binds rows only
    return case(
        (and_(outcome <= done, new_outcome > done), name),
        (and_(outcome > done, new_outcome <= done), new_name),
        else_=func.coalesce(new_name, name),
    )


def _least(one: Any, other: Any) -> Any:
    return case((one <= other, one), else_=other)


def _greatest(one: Any, other: Any) -> Any:
    return case((one >= other, one), else_=other)
