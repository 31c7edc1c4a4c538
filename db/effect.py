"""What a run left of a path: before compared with after."""

from collections.abc import Iterable

from imptrace.db.records import MAYBE_DONE, Accesses, AccessRecord, Effect
from imptrace.tracer.events import CHANGES, CONTENT_OPS, AccessFlag, FileState, FileType, Op

_MAKING = frozenset({Op.MKDIR, Op.SYMLINK, Op.BIND})
MADE_UP = (b"/proc/", b"/sys/")
"""What the kernel makes up: a process's files go with it, and a write sets something else."""


def effect_on(
    path: bytes,
    before: FileState | None,
    after: FileState | None,
    accesses: Accesses,
) -> Effect | None:
    """Tell what became of a path as `effect_of`; nothing does of what the kernel makes up."""
    effect = effect_of(before, after, accesses)
    return Effect.UNCHANGED if effect and path.startswith(MADE_UP) else effect


def effect_of(
    before: FileState | None,
    after: FileState | None,
    accesses: Accesses,
) -> Effect | None:
    """Tell what became of a path; None if no access asked for a change of it.

    A state that nobody looked at (an interrupted run has no `after`, an imported log neither) is
    replaced by what the accesses say about it.
    """
    if not accesses.ask_for_change:
        return None
    if before is None or after is None:
        return _told(before, after, accesses)
    if before.type is FileType.ABSENT:
        return Effect.UNCHANGED if after.type is FileType.ABSENT else Effect.CREATED
    return judged(
        done=bool(accesses.done),
        written=not accesses.done.isdisjoint(CONTENT_OPS),
        **compared(before, after),
    )


def _told(
    before: FileState | None, after: FileState | None, accesses: Iterable[AccessRecord]
) -> Effect:
    """Tell what became of a path by what was done to it."""
    done = [each for each in accesses if each.op in CHANGES and each.outcome in MAYBE_DONE]
    done = [access for access in done if not _only_linked(access)]
    if not done or all(AccessFlag.PRIVATE_MOUNT in access.flags for access in done):
        return Effect.UNCHANGED  # or changed where the host cannot see it
    first = min(done, key=lambda access: access.first)
    was_there = before.type is not FileType.ABSENT if before else not _makes(first)
    is_there = after.type is not FileType.ABSENT if after else not _removes(done)
    if was_there:
        return Effect.MODIFIED if is_there else Effect.DELETED
    return Effect.CREATED if is_there else Effect.UNCHANGED


def compared(before: FileState, after: FileState) -> dict[str, bool]:
    """Compare two states of a path, for `judged`. SQL can tell it too (imptrace.db.queries)."""
    return {
        "was_there": before.type is not FileType.ABSENT,
        "is_there": after.type is not FileType.ABSENT,
        "directories": before.type is FileType.DIRECTORY and after.type is FileType.DIRECTORY,
        "same_object": (
            before.type is after.type
            and before.inode == after.inode
            and before.mode == after.mode
            and before.uid == after.uid
            and before.gid == after.gid
        ),
        "same_content": before.size == after.size and before.mtime_ns == after.mtime_ns,
        "same_ctime": before.ctime_ns == after.ctime_ns,
    }


def judged(
    *,
    done: bool,
    written: bool,
    was_there: bool,
    is_there: bool,
    directories: bool,
    same_object: bool,
    same_content: bool,
    same_ctime: bool,
) -> Effect:
    """Judge what became of a path.

    `done`: whether any change of it may have succeeded. `written`: whether one of CONTENT_OPS may.
    `directories`: both states are. `same_object`: of one type, inode, mode and owner.
    `same_content`: of one size and mtime.
    """
    if not was_there:
        return Effect.CREATED if is_there else Effect.UNCHANGED
    if not is_there:
        return Effect.DELETED
    if directories:
        # Its times and size follow its entries, which have effects of their own.
        same = same_object
    else:
        # A file can be written within the same tick and with its old time put back (ctime cannot),
        # but a chmod to the same mode, or a link to the file, moves ctime and changes nothing.
        same = same_object and same_content and (same_ctime or not written)
    return Effect.UNCHANGED if same or not done else Effect.MODIFIED


def _only_linked(access: AccessRecord) -> bool:
    """Whether all that happened to a path is that it got one more name."""
    return access.op is Op.LINK and access.origin is None and access.to is not None


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
