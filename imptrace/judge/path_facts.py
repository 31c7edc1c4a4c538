"""What happened to each path in all runs together, and how often.

A run may leave tens of thousands of paths that were treated alike: those share one record.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from imptrace.db.records import (
    MAYBE_DONE,
    AccessRecord,
    Effect,
    PathRecord,
    RunDetails,
    count_calls,
)
from imptrace.facts.paths import name_of
from imptrace.tracer.events import (
    CHANGES,
    METADATA_OPS,
    AccessFlag,
    FileState,
    FileType,
    Op,
    Outcome,
    flags_of,
)

_time = attrgetter("first")
_ANEW = (Op.TRUNCATE, Op.RENAME, Op.LINK)
"""What puts new content in the place of the old, whatever the sizes are."""
_LEFT = frozenset({Effect.CREATED, Effect.MODIFIED})
SMALL = 64
"""Bytes: a lock file holds at most a pid and a host name; `Cargo.lock` holds more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathFacts:
    """What all runs together know of a path that at least one of them opened for a change.

    All but its name. Paths of which the same is known have one record in common: so one is told
    from another by what it is, not by what is in it.
    """

    runs: int
    """Runs that saw the path at all."""
    created: int
    """Runs after which it stood where nothing had been."""
    modified: int
    """Runs that left it otherwise than they found it."""
    read_first: int
    """Runs that read it before they changed it."""
    rewritten: int
    """Runs that wrote it anew although it stood there, without reading it first."""
    is_there: bool
    """Whether it stood when the newest run ended."""
    only_metadata: bool
    """Mode, owner or times were changed, never the content."""
    type: FileType | None
    """What kind of object it is; None where nobody looked."""
    is_directory: bool
    state: FileState | None
    """The newest that is known of it, without what each path has of its own: size, times, inode."""
    is_small: bool
    """Whether there is no more in it than a name or a number; so where nobody looked."""
    type_before: FileType | None
    """What kind of object the oldest run found; None where nobody looked."""
    hint: str | None
    link: bytes | None
    ops: Mapping[Op, int]
    flags: AccessFlag
    renamed_from: tuple[bytes, ...]
    """Names from which it was renamed into place."""
    moved_to: bytes | None
    """The name that the newest rename gave it, if one took it away."""
    missing_first: bool
    """Some run looked for it, found nothing, and only then made it."""
    programs: frozenset[bytes]
    """Base names of the executables that changed it."""
    target: bytes | None = None
    """What the path leads to: a link stood here before and after, and this was changed."""

    @property
    def was_changed(self) -> bool:
        """Whether some run left it created or modified."""
        return bool(self.created or self.modified)


Changed = Mapping[bytes, PathFacts]


def merge(runs: Sequence[RunDetails]) -> tuple[Changed, dict[bytes, PathRecord]]:
    """Fold the paths of `runs`, oldest first, into one record each.

    Apart are those that anything ever asked to change, sorted by path; and those that were read,
    looked for, executed and never opened for a change, of which the newest record is taken.
    """
    asked = {path.path for run in runs for path in run.paths if path.effect is not None}
    records: dict[bytes, list[PathRecord]] = {path: [] for path in sorted(asked)}
    looked_at: dict[bytes, PathRecord] = {}
    for run in runs:
        for record in run.paths:
            if record.effect is not None or record.path in records:
                records[record.path].append(record)
            else:
                looked_at[record.path] = record
    fold = FactMaker(runs)
    return {path: fold.of(each) for path, each in records.items()}, looked_at


def under_links(changed: Changed, links: Mapping[bytes, bytes]) -> Changed:
    """Name what was changed through a symbolic link by the link, which is what its program knows.

    `links`: by what they lead to, those that stood before the runs and stand after them.
    """
    followed = {target: link for target, link in links.items() if target in changed}
    if not followed:
        return changed
    found = {
        followed.get(path, path): replace(facts, target=path) if path in followed else facts
        for path, facts in changed.items()
    }
    return dict(sorted(found.items()))


class FactMaker:
    """Makes the facts of paths; those of which the same is known are made once."""

    def __init__(self, runs: Iterable[RunDetails]) -> None:
        self._programs = {run.run.id: _programs(run) for run in runs}
        self._alike: dict[object, PathFacts] = {}

    def of(self, records: Sequence[PathRecord]) -> PathFacts:
        """Fold what each run that saw a path knows of it, the oldest first."""
        key = _known(records[0]) if len(records) == 1 else tuple(map(_known, records))
        facts = self._alike.get(key)
        if facts is None:
            facts = self._alike[key] = _fold(records, self._programs)
        return facts


def _known(record: PathRecord) -> tuple[object, ...]:
    """All that `_fold` takes from a record; equal for paths of which the same is known."""
    run, _, accesses, before, after, effect = record
    found = None if before is None else before.type
    if after is None:
        return run, accesses, found, effect
    left, size, mode, uid, gid, _, _, _, _, hint, link = after
    return run, accesses, found, effect, left, mode, uid, gid, hint, link, size <= SMALL


def _programs(run: RunDetails) -> dict[int, bytes]:
    return {process.id: name_of(process.exe) for process in run.processes}


def _fold(records: Sequence[PathRecord], programs: Mapping[int, Mapping[int, bytes]]) -> PathFacts:
    changes = [record for record in records if record.effect is not None]
    done = _done(records)
    ops, flags = count_calls(done), _all_flags(done)
    renames = [access for access in done if access.op is Op.RENAME]
    latest = _latest(records)
    before = next((record.before for record in changes if record.before is not None), None)
    kind = _type(latest, before, ops, flags)
    effects = [record.effect for record in changes]
    return PathFacts(
        runs=len(records),
        created=effects.count(Effect.CREATED),
        modified=effects.count(Effect.MODIFIED),
        read_first=sum([record.read_first for record in records]),
        rewritten=sum(map(_is_rewritten, changes)),
        is_there=_is_there((changes or records)[-1]),
        only_metadata=_is_only_metadata(ops),
        type=kind,
        is_directory=kind is FileType.DIRECTORY,
        state=_without_own(latest),
        is_small=latest is None or latest.size <= SMALL,
        type_before=before.type if before is not None else None,
        hint=latest.hint if latest is not None else None,
        link=latest.link if latest is not None else None,
        ops=ops,
        flags=flags,
        renamed_from=tuple(
            dict.fromkeys(each.origin for each in renames if each.origin is not None)
        ),
        moved_to=next((each.to for each in reversed(renames) if each.to), None),
        missing_first=any(map(_is_missing_first, changes)),
        programs=_changed_by(records, programs),
    )


def _without_own(state: FileState | None) -> FileState | None:
    if state is None:
        return None
    return FileState(state.type, mode=state.mode, uid=state.uid, gid=state.gid)


def _latest(records: Sequence[PathRecord]) -> FileState | None:
    """What is known of a path after the runs, each thing from the newest run that knows it."""
    state, hint, link = None, None, None
    for record in records:
        state = record.after if record.after is not None else state
        hint = record.hint if record.hint is not None else hint
        link = record.link if record.link is not None else link
    return None if state is None else state._replace(hint=hint, link=link)


def _done(records: Iterable[PathRecord]) -> list[AccessRecord]:
    """All that was done to a path; what was refused counts for nothing."""
    return [each for record in records for each in record.accesses if each.outcome in MAYBE_DONE]


def _all_flags(done: Iterable[AccessRecord]) -> AccessFlag:
    # Combined as numbers: the enum's own operator takes ten times as long.
    flags = 0
    for access in done:
        flags |= int(access.flags)
    return flags_of(flags)


def _changed_by(
    records: Iterable[PathRecord], programs: Mapping[int, Mapping[int, bytes]]
) -> frozenset[bytes]:
    """The programs that asked for a change."""
    return frozenset(
        programs[record.run][access.process]
        for record in records
        for access in record.accesses
        if access.op in CHANGES and access.process in programs[record.run]
    )


def _is_only_metadata(ops: Mapping[Op, int]) -> bool:
    made = ops.keys() & CHANGES
    return bool(made) and made <= METADATA_OPS


def _type(
    state: FileState | None, before: FileState | None, ops: Mapping[Op, int], flags: AccessFlag
) -> FileType | None:
    for known in (state, before):
        if known is not None and known.type is not FileType.ABSENT:
            return known.type
    if Op.MKDIR in ops or AccessFlag.DIRECTORY in flags:
        return FileType.DIRECTORY
    if Op.SYMLINK in ops:
        return FileType.SYMLINK
    return FileType.SOCKET if Op.BIND in ops else None


def _is_there(record: PathRecord) -> bool:
    if record.effect in _LEFT:
        return True
    if record.effect is Effect.DELETED:
        return False
    state = record.after or record.before
    return state is not None and state.type is not FileType.ABSENT


def _is_rewritten(record: PathRecord) -> bool:
    """Whether a run wrote a file anew, and something into it.

    What only grew was appended to, for all that is known.
    """
    if record.effect is not Effect.MODIFIED or record.read_first:
        return False
    before, after = record.before, record.after
    if before is None or after is None:
        return any(access.op in _ANEW for access in record.accesses)
    is_anew = after.size <= before.size or after.inode != before.inode
    return is_anew and after.size > 0


def _is_missing_first(record: PathRecord) -> bool:
    """Whether the first access found nothing, and a later one made the path."""
    if record.effect is not Effect.CREATED:
        return False
    first = min(record.accesses, key=_time)
    return first.outcome is Outcome.MISSING
