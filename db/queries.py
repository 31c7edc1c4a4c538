"""Questions about what was recorded, answered with the records of imptrace.db.records."""

import difflib
import json
import platform
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from imptrace.db.codes import (
    BEFORE,
    FILE_TYPES,
    OPS,
    OUTCOMES,
    STATUS_COMPLETE,
    to_unsigned,
    unpack_environ,
    unpack_strings,
)
from imptrace.db.effect import effect_of
from imptrace.db.liveness import RecorderIdentity, is_gone
from imptrace.db.models import Access, FileState, Mount, Path, Process, Run
from imptrace.db.records import (
    AccessRecord,
    Effect,
    PathRecord,
    ProcessRecord,
    RunDetails,
    RunRecord,
    RunStatus,
)
from imptrace.db.units import unit_of
from imptrace.tracer import events
from imptrace.tracer.events import AccessFlag
from sqlalchemy import Connection, Engine, Row, select

from imptrace.errors import UsageError

LATEST = "latest"


def runs(engine: Engine) -> list[RunRecord]:
    """All runs, oldest first."""
    with engine.connect() as connection:
        return [
            _run_record(row) for row in connection.execute(select(Run.__table__).order_by("id"))
        ]


def resolve_run(engine: Engine, text: str) -> int:
    """Find the run that `text` names: an id, a label, a program (its newest run), or `latest`.

    Raises UsageError, with the nearest name there is, if nothing is called so.
    """
    newest = select(Run.id).order_by(Run.id.desc()).limit(1)
    candidates = [
        newest.where(Run.label == text),
        newest.where(Run.program == text.encode(errors="surrogateescape")),
    ]
    if text.isascii() and text.isdigit():
        candidates.insert(0, newest.where(Run.id == min(int(text), _LARGEST_ID)))
    if text == LATEST:
        candidates.append(newest)
    with engine.connect() as connection:
        for candidate in candidates:
            found = connection.scalar(candidate)
            if found is not None:
                return found
        raise UsageError(_no_such_run(connection, text))


def run_details(engine: Engine, run_id: int) -> RunDetails:
    """Return a run with its processes, paths and mounts. Raises UsageError if there is none."""
    with engine.connect() as connection:
        row = connection.execute(select(Run.__table__).where(Run.id == run_id)).one_or_none()
        if row is None:
            raise UsageError(f"there is no run {run_id}; imptrace runs lists them")
        return RunDetails(
            run=_run_record(row),
            processes=tuple(_processes(connection, run_id)),
            paths=tuple(_paths(connection, run_id)),
            mounts=tuple(_mounts(connection, run_id)),
        )


def effects(connection: Connection, run_id: int) -> Counter[Effect | None]:
    """How many distinct paths of a run had which effect; None counts those only read."""
    return Counter(path.effect for path in _paths(connection, run_id))


_LARGEST_ID = (1 << 63) - 1


def _no_such_run(connection: Connection, text: str) -> str:
    names = {LATEST}
    for label, program in connection.execute(select(Run.label, Run.program).distinct()):
        names.add(program.decode(errors="replace"))
        if label is not None:
            names.add(label)
    near = difflib.get_close_matches(text, names, n=1)
    hint = f"did you mean {near[0]!a}? " if near else ""
    return f"no run is called {text!a}; {hint}imptrace runs lists them"


def _run_record(row: Row[tuple[object, ...]]) -> RunRecord:
    return RunRecord(
        id=row.id,
        label=row.label,
        program=row.program,
        argv=unpack_strings(row.argv),
        cwd=row.cwd,
        user=row.user,
        uid=row.uid,
        host=row.host,
        started_ns=row.started_ns,
        ended_ns=row.ended_ns,
        exit_code=row.exit_code,
        exit_signal=row.exit_signal,
        recorder=row.recorder,
        status=_status(row),
        lost=row.lost,
        unseen=row.unseen,
        service=row.service,
        properties=json.loads(row.properties),
        warnings=tuple((code, text) for code, text in json.loads(row.warnings)),
    )


def _status(row: Row[tuple[object, ...]]) -> RunStatus:
    if row.status == STATUS_COMPLETE:
        return RunStatus.COMPLETE
    recorder = RecorderIdentity(row.recorder_pid, row.recorder_started, row.boot_id)
    if is_gone(recorder, same_host=row.host == platform.node()):
        return RunStatus.INTERRUPTED
    return RunStatus.RECORDING


def _processes(connection: Connection, run_id: int) -> Iterable[ProcessRecord]:
    statement = select(Process.__table__).where(Process.run_id == run_id).order_by(Process.id)
    for row in connection.execute(statement):
        yield ProcessRecord(
            id=row.id,
            run=run_id,
            pid=row.pid,
            parent=row.parent,
            previous=row.previous,
            exe=row.exe,
            argv=unpack_strings(row.argv),
            cwd=row.cwd,
            uid=row.uid,
            gid=row.gid,
            cgroup=row.cgroup,
            unit=unit_of(row.cgroup),
            environ=unpack_environ(row.environ),
            started=row.started,
            ended=row.ended,
            status=row.status,
        )


def _mounts(connection: Connection, run_id: int) -> Iterable[events.Mount]:
    statement = select(Mount.__table__).where(Mount.run_id == run_id).order_by(Mount.position)
    for row in connection.execute(statement):
        yield events.Mount(*row[2:])


def _paths(connection: Connection, run_id: int) -> Iterable[PathRecord]:
    of_run = select(Access.path_id).where(Access.run_id == run_id)
    paths = select(Path.id, Path.name).where(Path.id.in_(of_run))
    names = dict(connection.execute(paths).tuples().all())
    accesses: dict[int, list[AccessRecord]] = {}
    statement = select(Access.__table__).where(Access.run_id == run_id).order_by(Access.first)
    for row in connection.execute(statement):
        accesses.setdefault(row.path_id, []).append(_access_record(row, names))
    states = _states(connection, run_id)
    for path_id in sorted(names, key=names.__getitem__):
        yield _path_record(
            run_id, names[path_id], tuple(accesses[path_id]), states.get(path_id, _States())
        )


class _States(NamedTuple):
    """All that file_state knows about one path of one run."""

    before: events.FileState | None = None
    after: events.FileState | None = None
    hint: str | None = None
    link: bytes | None = None


def _states(connection: Connection, run_id: int) -> dict[int, _States]:
    states: dict[int, _States] = {}
    for row in connection.execute(select(FileState.__table__).where(FileState.run_id == run_id)):
        known = states.get(row.path_id, _States())
        state = _file_state(row)
        if row.moment == BEFORE:
            states[row.path_id] = known._replace(before=state)
        else:
            states[row.path_id] = known._replace(after=state, hint=row.hint, link=row.link)
    return states


def _file_state(row: Row[tuple[object, ...]]) -> events.FileState:
    return events.FileState(
        type=FILE_TYPES[row.type],
        size=to_unsigned(row.size),
        mode=row.mode,
        uid=row.uid,
        gid=row.gid,
        mtime_ns=row.mtime_ns,
        inode=to_unsigned(row.inode),
        device=to_unsigned(row.device),
        ctime_ns=row.ctime_ns,
    )


def _access_record(row: Row[tuple[object, ...]], names: dict[int, bytes]) -> AccessRecord:
    return AccessRecord(
        process=row.process_id,
        op=OPS[row.op],
        count=row.count,
        first=row.first,
        last=row.last,
        outcome=OUTCOMES[row.outcome],
        errno=row.errno,
        flags=AccessFlag(row.flags),
        to=names.get(row.to_id),
        origin=names.get(row.from_id),
    )


def _path_record(
    run_id: int, path: bytes, accesses: tuple[AccessRecord, ...], states: _States
) -> PathRecord:
    return PathRecord(
        run=run_id,
        path=path,
        accesses=accesses,
        before=states.before,
        after=states.after,
        hint=states.hint,
        link=states.link,
        effect=effect_of(states.before, states.after, accesses),
        read_first=any(AccessFlag.READ_FIRST in access.flags for access in accesses),
    )
