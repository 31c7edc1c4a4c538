"""What a log lets one know of the processes in it: who is who, what is open, what is where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from imptrace.facts.paths import lies_below
from imptrace.tracer.events import Access, AccessFlag, Event, Op, Outcome, Unseen
from imptrace.tracer.strace.paths import View

_KNOWN_LIMIT = 50_000


@cache
def access_flags(value: int) -> AccessFlag:
    """Return flags for an int: there are few combinations, and making one takes its time."""
    return AccessFlag(value)


class PendingAccess:
    """One access in the making: equal ones are counted until it is handed on."""

    __slots__ = ("access", "count", "flags", "last")

    def __init__(self, access: Access) -> None:
        self.access = access
        self.count = 1
        self.flags = access.flags
        self.last = access.at

    def to_access(self) -> Access:
        """Return what was folded."""
        if self.count == 1 and self.flags == self.access.flags:
            return self.access
        return self.access._replace(flags=self.flags, count=self.count, last=self.last)


@dataclass(slots=True, eq=False)
class Opened:
    """An open file description."""

    path: bytes | None
    """Seen path; None if the log does not tell it."""
    directory: bool = False
    nameless: bool = False
    """Made with O_TMPFILE."""
    doubt: PendingAccess | None = None
    """The access that read it, as long as nothing has told whether it had content."""


@dataclass(slots=True, eq=False)
class Descriptors:
    """A table of file descriptors. Threads share one; a child gets a copy."""

    opened: dict[int, Opened] = field(default_factory=dict)
    closed_by_exec: set[int] = field(default_factory=set)
    doubtful: set[int] = field(default_factory=set)
    """Descriptors whose `Opened.doubt` is open."""

    def copied(self) -> "Descriptors":
        """Return the table of a child."""
        return Descriptors(dict(self.opened), set(self.closed_by_exec))

    def put(self, number: int, opened: Opened, *, close_on_exec: bool) -> None:
        """Note what a descriptor stands for now."""
        self.opened[number] = opened
        (self.closed_by_exec.add if close_on_exec else self.closed_by_exec.discard)(number)
        (self.doubtful.add if opened.doubt else self.doubtful.discard)(number)

    def close(self, number: int) -> None:
        """Forget a descriptor."""
        self.opened.pop(number, None)
        self.closed_by_exec.discard(number)
        self.doubtful.discard(number)

    def after_exec(self) -> "Descriptors":
        """Return what a new image keeps, in a table of its own."""
        kept = {
            number: opened
            for number, opened in self.opened.items()
            if number not in self.closed_by_exec
        }
        return Descriptors(kept)


@dataclass(slots=True)
class LoggedProcess:
    """An image of a process, as ProcessStarted tells of it."""

    id: int
    pid: int
    """0 as long as the log has not named it."""
    parent: "LoggedProcess | None"
    uid: int
    gid: int
    previous: int | None = None
    exe: bytes = b""
    argv: tuple[bytes, ...] = ()
    environ: Mapping[str, bytes] = field(default_factory=dict)
    threads: int = 1
    announced: bool = False
    """Whether its ProcessStarted was handed on."""
    status: int | None = None


@dataclass(slots=True)
class Task:
    """A thread: whatever has a thread id of its own in the log."""

    tid: int | None
    """None as long as the log has not named it."""
    process: LoggedProcess
    view: View
    files: Descriptors
    begun: tuple[bytes, bytes, int] | None = None
    """Name, arguments so far and time of an unfinished call."""


@dataclass(slots=True)
class Birth:
    """A child that a clone has made or is making, and what it begins with."""

    parent: Task
    flags: int
    view: View
    files: Descriptors


class There(Enum):
    """What was last known to stand at a path."""

    ABSENT = "absent"
    DIRECTORY = "directory"
    OTHER = "other"


class LogKnowledge:
    """What a log told of paths so far: what stands there, and whether the run changed it."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, There] = {}
        # Hashes alone: were two paths to collide, the state before would stay unknown for one.
        self._changed: set[int] = set()

    def note(self, path: bytes, kind: There) -> None:
        """Note what stands at a path now."""
        if len(self._kinds) >= _KNOWN_LIMIT and path not in self._kinds:
            self._kinds.clear()
        self._kinds[path] = kind

    def note_there(self, path: bytes) -> None:
        """Note that something stands at a path, but not what."""
        if self._kinds.get(path, There.ABSENT) is There.ABSENT:
            self.note(path, There.OTHER)

    def is_absent(self, path: bytes) -> bool:
        """Whether surely nothing stands there."""
        return self._kinds.get(path) is There.ABSENT

    def is_directory(self, path: bytes) -> bool:
        """Whether surely a directory stands there."""
        return self._kinds.get(path) is There.DIRECTORY

    def first_change(self, path: bytes) -> bool:
        """Note that a path is changed; whether it is for the first time."""
        key = hash(path)
        if key in self._changed:
            return False
        self._changed.add(key)
        return True

    def renamed(self, old: bytes, new: bytes, *, exchanged: bool) -> None:
        """Note that what stood at `old` stands at `new`."""
        kind = self._kinds.get(old, There.OTHER)
        other = self._kinds.get(new, There.OTHER) if exchanged else There.ABSENT
        if There.DIRECTORY in (kind, other):
            self._kinds = {
                path: value
                for path, value in self._kinds.items()
                if not lies_below(path, old) and not lies_below(path, new)
            }
        self.note(new, kind)
        self.note(old, other)


Key = tuple[int, Op, bytes, Outcome, int, int]
"""Process, op, path, outcome, errno and flags of an access."""


class PendingEvents:
    """Events of one batch, in order; equal ones are folded as far as that changes no story.

    After a delete, rename or the like a later access to the same path tells something new.
    """

    _FOLDED = frozenset({Op.READ, Op.WRITE, Op.EXEC, Op.CONNECT, Op.STAT, Op.CHMOD, Op.UTIME})

    def __init__(self) -> None:
        self._entries: list[PendingAccess | Event] = []
        self._index: dict[Key, PendingAccess] = {}
        self._unseen: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def repeat(self, key: Key, at: int) -> PendingAccess | None:
        """Count one more of an access that was added; None if there is none to count it with."""
        entry = self._index.get(key)
        if entry is not None:
            entry.count += 1
            entry.last = at
        return entry

    def add(self, access: Access) -> PendingAccess:
        """Add an access that is no repeat of another."""
        entry = PendingAccess(access)
        self._entries.append(entry)
        if access.op in self._FOLDED:
            self._index[
                access.process,
                access.op,
                access.path,
                access.outcome,
                access.errno,
                int(access.flags),
            ] = entry
        else:
            self._index.clear()
        return entry

    def unseen(self, process: int) -> None:
        """Count a call whose path the log does not tell."""
        self._unseen[process] = self._unseen.get(process, 0) + 1

    def add_event(self, event: Event) -> None:
        """Add an event that is no access."""
        self._entries.append(event)

    def take(self) -> list[Event]:
        """Hand everything on."""
        events: list[Event] = [
            entry.to_access() if isinstance(entry, PendingAccess) else entry
            for entry in self._entries
        ]
        events.extend(Unseen(process, count) for process, count in self._unseen.items())
        self._unseen.clear()
        self._entries.clear()
        self._index.clear()
        return events
