"""What a run left of a path: before compared with after."""

from collections.abc import Iterable

from imptrace.db.records import CHANGES, MAYBE_DONE, AccessRecord, Effect
from imptrace.tracer.events import AccessFlag, FileState, FileType, Op

CONTENT_OPS = frozenset({Op.WRITE, Op.CREATE, Op.TRUNCATE, Op.XATTR})
"""Ops that can change what a file holds."""

_MAKING = frozenset({Op.MKDIR, Op.SYMLINK, Op.BIND})


def effect_of(
    before: FileState | None, after: FileState | None, accesses: Iterable[AccessRecord]
) -> Effect | None:
    """Tell what became of a path; None if no access asked for a change of it.

    A state that nobody looked at (an interrupted run has no `after`, an imported log neither) is
    replaced by what the accesses say about it.
    """
    asked = [access for access in accesses if access.op in CHANGES]
    if not asked:
        return None
    done = [access for access in asked if access.outcome in MAYBE_DONE]
    if before is not None and after is not None:
        written = any(access.op in CONTENT_OPS for access in done)
        return compared(before, after, done=bool(done), written=written)
    if not done or all(AccessFlag.PRIVATE_MOUNT in access.flags for access in done):
        return Effect.UNCHANGED  # or changed where the host cannot see it
    was_there = before.type is not FileType.ABSENT if before else not any(map(_makes, done))
    is_there = after.type is not FileType.ABSENT if after else not _removes(done)
    if was_there:
        return Effect.MODIFIED if is_there else Effect.DELETED
    return Effect.CREATED if is_there else Effect.UNCHANGED


def compared(before: FileState, after: FileState, *, done: bool, written: bool) -> Effect:
    """Compare two states of a path.

    `done`: whether any change of it may have succeeded. `written`: whether one of CONTENT_OPS may.
    """
    if before.type is FileType.ABSENT:
        return Effect.UNCHANGED if after.type is FileType.ABSENT else Effect.CREATED
    if after.type is FileType.ABSENT:
        return Effect.DELETED
    is_directory = before.type is FileType.DIRECTORY and after.type is FileType.DIRECTORY
    # A directory's times and size follow its entries, which have effects of their own.
    same = _lasting(before, is_directory=is_directory) == _lasting(after, is_directory=is_directory)
    if same and written and not is_directory:
        # A file can be written within the same tick and with its old time put back (ctime cannot),
        # but a chmod to the same mode, or a link to the file, moves ctime and changes nothing.
        same = before.ctime_ns == after.ctime_ns
    return Effect.UNCHANGED if same or not done else Effect.MODIFIED


def _lasting(state: FileState, *, is_directory: bool) -> tuple[object, ...]:
    owned = (state.type, state.inode, state.mode, state.uid, state.gid)
    return owned if is_directory else (*owned, state.size, state.mtime_ns)


def _makes(access: AccessRecord) -> bool:
    """Whether an access can succeed only where nothing stood before."""
    if access.op in (Op.RENAME, Op.LINK):
        return access.origin is not None and AccessFlag.EXCHANGE not in access.flags
    return access.op in _MAKING or AccessFlag.EXCLUSIVE in access.flags


def _removes(done: list[AccessRecord]) -> bool:
    """Whether the last change was one that leaves nothing."""
    last = max(done, key=lambda access: access.last)
    if last.op is Op.RENAME:
        return last.origin is None and AccessFlag.EXCHANGE not in last.flags
    return last.op is Op.DELETE
