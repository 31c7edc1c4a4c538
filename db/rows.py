"""Rows of the database into the records that the rest of the program works with."""

import json
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Row

from imptrace.db.codes import (
    BEFORE,
    FILE_TYPE_CODES,
    FILE_TYPES,
    OPS,
    OUTCOMES,
    STATUS_COMPLETE,
    to_unsigned,
    unpack_environ,
    unpack_strings,
)
from imptrace.db.effect import Asked, asked_of, effect_of
from imptrace.db.liveness import RecorderIdentity, is_gone
from imptrace.db.models import Access, Path
from imptrace.db.records import AccessRecord, PathRecord, ProcessRecord, RunRecord, RunStatus
from imptrace.db.units import unit_of
from imptrace.tracer.events import ABSENT, AccessFlag, FileState, FileType

AnyRow = Row[Any]

_ABSENT = FILE_TYPE_CODES[FileType.ABSENT]
_READ_FIRST = AccessFlag.READ_FIRST.value


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


# A run may have a million accesses: what follows takes rows apart by position, which is several
# times faster than by name. Of states the order is that of the table.

ACCESS_COLUMNS = (
    Access.path_id,
    Path.name,
    Access.first,
    Access.last,
    Access.process_id,
    Access.op,
    Access.count,
    Access.outcome,
    Access.errno,
    Access.flags,
    Access.to_id,
    Access.from_id,
)
"""What `access_record` reads, of Access joined with Path."""
WHAT_WAS_DONE = slice(4, len(ACCESS_COLUMNS))
"""Those of the columns that can be the same for many paths."""


class States(NamedTuple):
    """All that file_state knows about one path of one run."""

    before: FileState | None = None
    after: FileState | None = None
    hint: str | None = None
    link: bytes | None = None

    def joined(self, row: Sequence[Any]) -> "States":
        """Take in a row of `file_state`."""
        if row[2] == BEFORE:
            return States(file_state(row), self.after, self.hint, self.link)
        return States(self.before, file_state(row), row[12], row[13])


def file_state(row: Sequence[Any]) -> FileState:
    """Read a row of `file_state`."""
    if row[3] == _ABSENT:
        return ABSENT
    _, _, _, file_type, size, mode, uid, gid, mtime_ns, ctime_ns, inode, device, _, _ = row
    return FileState(
        FILE_TYPES[file_type],
        size if size >= 0 else to_unsigned(size),
        mode,
        uid,
        gid,
        mtime_ns,
        inode if inode >= 0 else to_unsigned(inode),
        device if device >= 0 else to_unsigned(device),
        ctime_ns,
    )


def access_record(row: Sequence[Any], names: Mapping[int, bytes]) -> AccessRecord:
    """Read ACCESS_COLUMNS, which may have more after them; an unknown other name is empty."""
    _, _, first, last, process, op, count, outcome, errno, flags, to_id, from_id = row[:12]
    return AccessRecord(
        process=process,
        op=OPS[op],
        count=count,
        first=first,
        last=last,
        outcome=OUTCOMES[outcome],
        errno=errno,
        flags=_flags(flags),
        to=None if to_id is None else names.get(to_id, b""),
        origin=None if from_id is None else names.get(from_id, b""),
    )


# Few combinations occur, and the enum takes its time to make one.
_flags = cache(AccessFlag)


class Deeds(NamedTuple):
    """All that was done to a path, and what it says together."""

    accesses: tuple[AccessRecord, ...]
    asked: Asked
    read_first: bool


def deeds_of(accesses: tuple[AccessRecord, ...]) -> Deeds:
    """Sum up the accesses of a path."""
    read_first = any(int(access.flags) & _READ_FIRST for access in accesses)
    return Deeds(accesses, asked_of(accesses), read_first)


def path_record(run_id: int, path: bytes, deeds: Deeds, states: States) -> PathRecord:
    """Put together what one run knows about one path."""
    accesses, asked, read_first = deeds
    before, after, hint, link = states
    effect = effect_of(before, after, accesses, asked)
    return PathRecord(run_id, path, accesses, before, after, hint, link, effect, read_first)
