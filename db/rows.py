"""Rows of the large tables into records, taken apart by position: a run may have a million."""

from collections.abc import Mapping, Sequence
from typing import Any

from imptrace.db.codes import BEFORE, FILE_TYPE_CODES, FILE_TYPES, OPS, OUTCOMES, to_unsigned
from imptrace.db.records import AccessRecord
from imptrace.tracer.events import ABSENT, FileState, FileType, flags_of

_ABSENT = FILE_TYPE_CODES[FileType.ABSENT]

STATE_COLUMNS = (
    "run_id",
    "path_id",
    "moment",
    "type",
    "size",
    "mode",
    "uid",
    "gid",
    "mtime_ns",
    "ctime_ns",
    "inode",
    "device",
    "hint",
    "link",
)
"""What `file_state` reads, in the order of the table."""

Sides = tuple[FileState | None, FileState | None]
"""What stood at a path before its first change and after the run; None: nobody looked."""
UNKNOWN: Sides = (None, None)


def joined(sides: Sides, row: Sequence[Any]) -> Sides:
    """Take in a row of `file_state`."""
    before, after = sides
    return (file_state(row), after) if row[2] == BEFORE else (before, file_state(row))


def file_state(row: Sequence[Any]) -> FileState:
    """Read STATE_COLUMNS."""
    if row[3] == _ABSENT:
        return ABSENT
    _, _, _, file_type, size, mode, uid, gid, mtime_ns, ctime_ns, inode, device, hint, link = row
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
        hint,
        link,
    )


def access_record(row: Sequence[Any], names: Mapping[int, bytes]) -> AccessRecord:
    """Read ACCESS_COLUMNS of imptrace.db.read_run, which may have more after them.

    An unknown other name is empty.
    """
    _, _, first, last, process, op, count, outcome, errno, flags, to_id, from_id = row[:12]
    return AccessRecord(
        process=process,
        op=OPS[op],
        count=count,
        first=first,
        last=last,
        outcome=OUTCOMES[outcome],
        errno=errno,
        flags=flags_of(flags),
        to=None if to_id is None else names.get(to_id, b""),
        origin=None if from_id is None else names.get(from_id, b""),
    )
