"""Rows of the database into the records that the rest of the program works with."""

import json
import platform
from typing import Any, NamedTuple

from sqlalchemy import Row

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
from imptrace.db.records import AccessRecord, PathRecord, ProcessRecord, RunRecord, RunStatus
from imptrace.db.units import unit_of
from imptrace.tracer.events import AccessFlag, FileState

AnyRow = Row[tuple[Any, ...]]


def run_record(row: AnyRow) -> RunRecord:
    """Read a row of `run`; whether its recorder still lives is asked now."""
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


def _status(row: AnyRow) -> RunStatus:
    if row.status == STATUS_COMPLETE:
        return RunStatus.COMPLETE
    recorder = RecorderIdentity(row.recorder_pid, row.recorder_started, row.boot_id)
    if is_gone(recorder, same_host=row.host == platform.node()):
        return RunStatus.INTERRUPTED
    return RunStatus.RECORDING


def process_record(row: AnyRow) -> ProcessRecord:
    """Read a row of `process`."""
    return ProcessRecord(
        id=row.id,
        run=row.run_id,
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


class States(NamedTuple):
    """All that file_state knows about one path of one run."""

    before: FileState | None = None
    after: FileState | None = None
    hint: str | None = None
    link: bytes | None = None

    def joined(self, row: AnyRow) -> "States":
        """Take in a row of `file_state`."""
        if row.moment == BEFORE:
            return self._replace(before=file_state(row))
        return self._replace(after=file_state(row), hint=row.hint, link=row.link)


def file_state(row: AnyRow) -> FileState:
    """Read a row of `file_state`."""
    return FileState(
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


def access_record(row: AnyRow, names: dict[int, bytes]) -> AccessRecord:
    return AccessRecord(
        process=row.process_id,
        op=OPS[row.op],
        count=row.count,  # type: ignore[arg-type] # a row's column comes before tuple.count
        first=row.first,
        last=row.last,
        outcome=OUTCOMES[row.outcome],
        errno=row.errno,
        flags=AccessFlag(row.flags),
        to=None if row.to_id is None else names.get(row.to_id, b""),
        origin=None if row.from_id is None else names.get(row.from_id, b""),
    )


def path_record(
    run_id: int, path: bytes, accesses: tuple[AccessRecord, ...], states: States
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
