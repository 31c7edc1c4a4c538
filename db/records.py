"""What the database answers with: plain immutable records, free of SQL.

The classifier and the renderers work on these, so that neither knows where they came from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cached_property
from typing import NamedTuple

from imptrace.tracer.events import (
    CHANGES,
    AccessFlag,
    FileState,
    Lost,
    Mount,
    MountNamed,
    Op,
    Outcome,
    RunScope,
)

LATEST = "latest"
"""Names the newest run."""
_READ_FIRST = AccessFlag.READ_FIRST.value

MAYBE_DONE = frozenset({Outcome.OK, Outcome.UNKNOWN})
"""The outcomes of a call that did what it was asked for, as far as anyone knows."""


class Detail(Enum):
    """How much is read of a run."""

    EXACT = "exact"
    """All that is known."""
    TIMELESS = "timeless"
    """All but the times of accesses: only their order is kept. Paths to which the same was done
    then share their accesses, which are read in a fraction of the time."""
    CHANGES = "changes"
    """The same, and only of the paths that somebody asked to change."""
    DECISIVE = "decisive"
    """The same, and only of the paths that somebody asked to change, that were executed, or that
    lie below /etc. The others, thousands, can do nothing for a verdict but be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of a run that is asked for: of processes that all of this is true of."""

    units: tuple[str, ...] = ()
    """Of one of these units of systemd; `*` stands for an instance, `.service` may be left out."""
    program: bytes | None = None
    """Of this name, and what it started."""
    uid: int | None = None
    """Of this user."""

    def __bool__(self) -> bool:
        """Whether it is not the whole."""
        return self != WHOLE


WHOLE = Part()


class RunStatus(StrEnum):
    """How far a run's recording got."""

    RECORDING = "recording"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    """Its recorder is gone without having finished it."""


class Effect(StrEnum):
    """What a run left of a path that was opened for a change: before compared with after."""

    CREATED = "created"
    MODIFIED = "modified"
    DELETED = "deleted"
    UNCHANGED = "unchanged"

    # Enum's own is a Python function, and every path of a run is looked up by its effect.
    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStart:
    """What is known of a run when it begins."""

    program: bytes
    """Base name of the program that was asked for."""
    argv: tuple[bytes, ...]
    cwd: bytes
    user: str
    uid: int
    host: str
    started_ns: int
    """Wall clock, nanoseconds since the epoch."""
    recorder: str
    label: str | None = None
    service: str | None = None
    scope: RunScope = RunScope.PROGRAM
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """How many distinct paths a run touched, by what it did to them."""

    read: int
    """Read or executed, and never opened for a change."""
    created: int
    modified: int
    deleted: int
    lost: int
    unseen: int
    warnings: tuple[str, ...] = ()
    """What the recorder warned of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalRecord:
    """What a rehearsal of an advice has shown."""

    subject: str
    fingerprint: str
    verdict: str
    unit: str | None
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One recorded command line."""

    id: int
    label: str | None
    program: bytes
    """Base name of the program that was asked for."""
    argv: tuple[bytes, ...]
    cwd: bytes
    user: str
    uid: int
    host: str
    started_ns: int
    """Wall clock, nanoseconds since the epoch."""
    ended_ns: int | None
    exit_code: int | None
    exit_signal: int | None
    recorder: str
    status: RunStatus
    lost: int
    unseen: int
    service: str | None
    properties: Mapping[str, str] = field(default_factory=dict)
    """Facts about a service's unit as systemd reported them (StateDirectory, User, ...)."""
    scope: RunScope = RunScope.PROGRAM
    elsewhere: str | None = None
    """JSON: what the machine brought along that it was recorded on (docs/evidence.md, `machine`).
    None: this one."""
    warnings: tuple[tuple[str, str], ...] = ()
    """(code, text) pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """One image of a process: an exec makes a new one with the same pid."""

    id: int
    run: int
    pid: int
    parent: int | None
    previous: int | None
    exe: bytes
    argv: tuple[bytes, ...]
    cwd: bytes
    uid: int
    gid: int
    cgroup: bytes
    unit: str | None
    environ: Mapping[str, bytes]
    started: int
    ended: int | None
    status: int | None


# Of the two below a run has tens of thousands, and a tuple is made several times faster than an
# instance of a frozen dataclass.


class AccessRecord(NamedTuple):
    """What one process did to one path with one op: one or more calls, folded."""

    process: int
    op: Op
    count: int  # type: ignore[assignment]  # hides tuple.count, of no use on a record
    first: int
    last: int
    outcome: Outcome
    errno: int
    flags: AccessFlag
    to: bytes | None
    """rename, link: the name that this path was given."""
    origin: bytes | None
    """rename, link: the name that this path came from."""


def count_calls(accesses: Iterable[AccessRecord]) -> dict[Op, int]:
    """Add up the calls of several accesses, by op."""
    counts: dict[Op, int] = {}
    for access in accesses:
        counts[access.op] = counts.get(access.op, 0) + access.count
    return counts


_BEST_FIRST = (Outcome.OK, Outcome.UNKNOWN, Outcome.DENIED, Outcome.FAILED, Outcome.MISSING)


def best_outcome(accesses: Iterable[AccessRecord]) -> Outcome:
    """Return the outcome of several accesses together: one that worked outweighs all others."""
    return min((access.outcome for access in accesses), key=_BEST_FIRST.index)


class Accesses(tuple[AccessRecord, ...]):  # noqa: SLOT001 (what it comes to is kept with it)
    """All that one run saw done to one path, in order of time, and what it comes to.

    A run has tens of thousands of paths to which the same was done, and they have theirs in common:
    what follows is found once for all of them, and so is the hash to look it up by.
    """

    def __hash__(self) -> int:
        """Tell equal ones by what is in them, not by what they are."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return super().__hash__()

    @cached_property
    def read_first(self) -> bool:
        """Whether it was read before it was changed."""
        return any(int(access.flags) & _READ_FIRST for access in self)

    @cached_property
    def ask_for_change(self) -> bool:
        """Whether any change was asked for."""
        return any(access.op in CHANGES for access in self)

    @cached_property
    def read_content(self) -> bool:
        """Whether the content of a file was read, rather than a directory listed."""
        return any(
            access.op is Op.READ
            and access.outcome in MAYBE_DONE
            and AccessFlag.DIRECTORY not in access.flags
            for access in self
        )

    @cached_property
    def done(self) -> frozenset[Op]:
        """The changes that may have succeeded."""
        return frozenset(
            access.op for access in self if access.outcome in MAYBE_DONE and access.op in CHANGES
        )


class PathRecord(NamedTuple):
    """Everything one run knows about one path."""

    run: int
    path: bytes
    accesses: Accesses
    before: FileState | None
    after: FileState | None
    effect: Effect | None
    """None: never opened for a change."""

    @property
    def hint(self) -> str | None:
        """What the first bytes say after the run."""
        return None if self.after is None else self.after.hint

    @property
    def link(self) -> bytes | None:
        """Where the path pointed to after the run, if it was a symbolic link."""
        return None if self.after is None else self.after.link

    @property
    def read_first(self) -> bool:
        """Whether it was read before it was changed."""
        return self.accesses.read_first

    @property
    def ops(self) -> dict[Op, int]:
        """Calls seen, by op."""
        return count_calls(self.accesses)

    @property
    def outcome(self) -> Outcome:
        """The best outcome of all accesses."""
        return best_outcome(self.accesses)

    @property
    def flags(self) -> AccessFlag:
        """The flags of all accesses together."""
        flags = AccessFlag(0)
        for access in self.accesses:
            flags |= access.flags
        return flags


class Pause(NamedTuple):
    """A time in which nothing of the machine was recorded, though it was before and after."""

    run: int
    """The one that began then."""
    since_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """A run with all that belongs to it. `paths` are sorted by path."""

    run: RunRecord
    processes: tuple[ProcessRecord, ...]
    paths: tuple[PathRecord, ...]
    mounts: tuple[Mount, ...]
    mount_names: tuple[MountNamed, ...] = ()
    gaps: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PathUse:
    """One program's use of one path in one run: what `who` and `files` list."""

    path: bytes
    run: int
    program: bytes
    """Base name of the executable of the process."""
    exe: bytes
    ops: Mapping[Op, int]
    outcome: Outcome
    effect: Effect | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPrograms:
    """Programs that used a path in other runs: base names, sorted."""

    readers: tuple[bytes, ...] = ()
    writers: tuple[bytes, ...] = ()
