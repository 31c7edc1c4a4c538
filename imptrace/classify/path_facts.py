"""One record per path from all runs together: what happened to it, and how often."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from imptrace.classify.paths import name_of
from imptrace.db.records import Effect, PathRecord, RunDetails
from imptrace.tracer.events import AccessFlag, FileState, FileType, Op, Outcome

Known = TypeVar("Known")

_METADATA = frozenset({Op.CHMOD, Op.CHOWN, Op.UTIME, Op.XATTR})
_DONE = frozenset({Outcome.OK, Outcome.UNKNOWN})
_LEFT = frozenset({Effect.CREATED, Effect.MODIFIED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFacts:
    """What all runs together know of a path that at least one of them opened for a change."""

    path: bytes
    runs: int
    """Runs that saw the path at all."""
    created: int
    """Runs after which it stood where nothing had been."""
    modified: int
    """Runs that left it otherwise than they found it."""
    read_first: int
    """Runs that read it before they changed it."""
    rewritten: int
    """Runs that changed it although it stood there, without reading it first."""
    is_there: bool
    """Whether it stood when the newest run ended."""
    only_metadata: bool
    """Mode, owner or times were changed, never the content."""
    state: FileState | None
    """The newest that is known of it."""
    before: FileState | None
    """What the oldest run found."""
    hint: str | None
    link: bytes | None
    ops: Mapping[Op, int]
    flags: AccessFlag
    origins: tuple[bytes, ...]
    """Names that it was renamed or linked from."""
    renamed_from: tuple[bytes, ...]
    """The same, renames only."""
    moved_to: bytes | None
    """The name that the newest rename gave it, if one took it away."""
    missing_first: bool
    """Some run looked for it, found nothing, and only then made it."""
    programs: frozenset[bytes]
    """Base names of the executables that changed it."""

    @property
    def type(self) -> FileType | None:
        """What kind of object it is; None where nobody looked."""
        if self.state is not None and self.state.type is not FileType.ABSENT:
            return self.state.type
        if self.before is not None and self.before.type is not FileType.ABSENT:
            return self.before.type
        return self._type_by_ops()

    def _type_by_ops(self) -> FileType | None:
        if Op.MKDIR in self.ops or AccessFlag.DIRECTORY in self.flags:
            return FileType.DIRECTORY
        if Op.SYMLINK in self.ops:
            return FileType.SYMLINK
        return FileType.SOCKET if Op.BIND in self.ops else None

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.type is FileType.DIRECTORY

    @property
    def was_changed(self) -> bool:
        """Whether some run left it created or modified."""
        return bool(self.created or self.modified)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All paths of the runs, split by whether anything ever asked to change them."""

    changed: Mapping[bytes, PathFacts]
    """Sorted by path."""
    looked_at: Mapping[bytes, PathRecord]
    """Read, looked for, executed: never opened for a change. The newest record of each."""


def merge(runs: Sequence[RunDetails]) -> Seen:
    """Fold the paths of `runs`, oldest first, into one record each."""
    asked = {path.path for run in runs for path in run.paths if path.effect is not None}
    records: dict[bytes, list[tuple[RunDetails, PathRecord]]] = {path: [] for path in sorted(asked)}
    looked_at: dict[bytes, PathRecord] = {}
    for run in runs:
        for record in run.paths:
            if record.path in records:
                records[record.path].append((run, record))
            else:
                looked_at[record.path] = record
    programs = {run.run.id: _programs(run) for run in runs}
    changed = {path: _fold(path, each, programs) for path, each in records.items()}
    return Seen(changed=changed, looked_at=looked_at)


def _programs(run: RunDetails) -> dict[int, bytes]:
    return {process.id: name_of(process.exe) for process in run.processes}


def _fold(
    path: bytes,
    records: Sequence[tuple[RunDetails, PathRecord]],
    programs: Mapping[int, Mapping[int, bytes]],
) -> PathFacts:
    each = [record for _, record in records]
    changes = [record for record in each if record.effect is not None]
    newest = changes[-1]
    done = [access for record in each for access in record.accesses if access.outcome in _DONE]
    ops: Counter[Op] = Counter()
    flags = AccessFlag(0)
    for access in done:
        ops[access.op] += access.count
        flags |= access.flags
    made = {access.op for access in done if access.op.changes}
    moves = [access.to for access in done if access.op is Op.RENAME and access.to is not None]
    return PathFacts(
        path=path,
        runs=len(each),
        created=sum(record.effect is Effect.CREATED for record in each),
        modified=sum(record.effect is Effect.MODIFIED for record in each),
        read_first=sum(record.read_first for record in each),
        rewritten=sum(_is_rewritten(record) for record in each),
        is_there=_is_there(newest),
        only_metadata=bool(made) and made <= _METADATA,
        state=_last(record.after for record in each),
        before=next((record.before for record in changes if record.before is not None), None),
        hint=_last(record.hint for record in each),
        link=_last(record.link for record in each),
        ops=ops,
        flags=flags,
        origins=tuple(
            dict.fromkeys(
                access.origin
                for access in done
                if access.op in (Op.RENAME, Op.LINK) and access.origin is not None
            )
        ),
        renamed_from=tuple(
            dict.fromkeys(
                access.origin
                for access in done
                if access.op is Op.RENAME and access.origin is not None
            )
        ),
        moved_to=moves[-1] if moves else None,
        missing_first=any(_is_missing_first(record) for record in changes),
        programs=frozenset(
            programs[run.run.id].get(access.process, b"")
            for run, record in records
            for access in record.accesses
            if access.op.changes
        )
        - {b""},
    )


def _last(values: Iterable[Known | None]) -> Known | None:
    known = [value for value in values if value is not None]
    return known[-1] if known else None


def _is_there(record: PathRecord) -> bool:
    if record.effect in _LEFT:
        return True
    if record.effect is Effect.DELETED:
        return False
    state = record.after or record.before
    return state is not None and state.type is not FileType.ABSENT


def _is_rewritten(record: PathRecord) -> bool:
    return record.effect is Effect.MODIFIED and not record.read_first


def _is_missing_first(record: PathRecord) -> bool:
    """Whether the first access found nothing, and a later one made the path."""
    first = min(record.accesses, key=lambda access: access.first)
    return first.outcome is Outcome.MISSING and record.effect is Effect.CREATED
