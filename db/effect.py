"""What a run left of a path: before compared with after."""

from collections.abc import Iterable

from imptrace.db.records import CHANGES, MAYBE_DONE, AccessRecord, Effect
from imptrace.tracer.events import AccessFlag, FileState, FileType, Op

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
        return compared(before, after, done=bool(done))
    if not done or all(AccessFlag.PRIVATE_MOUNT in access.flags for access in done):
        return Effect.UNCHANGED  # or changed where the host cannot see it
    was_there = before.type is not FileType.ABSENT if before else not any(map(_makes, done))
    is_there = after.type is not FileType.ABSENT if after else not _removes(done)
    if was_there:
        return Effect.MODIFIED if is_there else Effect.DELETED
    return Effect.CREATED if is_there else Effect.UNCHANGED


def compared(before: FileState, after: FileState, *, done: bool) -> Effect:
    """Compare two states of a path. `done`: whether any change of it may have succeeded."""
    if before.type is FileType.ABSENT:
        return Effect.UNCHANGED if after.type is FileType.ABSENT else Effect.CREATED
    if after.type is FileType.ABSENT:
        return Effect.DELETED
    if before.type is FileType.DIRECTORY and after.type is FileType.DIRECTORY:
        # Its times and size follow its entries, which have effects of their own.
        same = before[2:5] == after[2:5] and before.inode == after.inode
    else:
        same = before == after
    return Effect.UNCHANGED if same or not done else Effect.MODIFIED


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
