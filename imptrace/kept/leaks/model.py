"""What `leaks` answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from imptrace.facts.levels import Kind, Level
from imptrace.judge.known import Known
from imptrace.judge.model import Reason, Scope, Why
from imptrace.judge.places import Area
from imptrace.kept.gaps import Gap
from imptrace.kept.wiped import FileSystem
from imptrace.kept.writers import Attributed, Writer

BOOT = "boot"
"""Set aside: unchanged since this boot had finished, so that the next one makes it too."""
IGNORED = "ignored"
"""Set aside: the user said so."""
UNREADABLE = "unreadable"
"""Set aside: it may not be looked at."""
SNAPSHOT = "snapshot"
"""Set aside: a read-only snapshot, whose files are copies of what was elsewhere."""
LEFT_OUT = "left-out"
"""Set aside: the snapshot that is looked at has nothing of a subvolume that lay there."""
SWAP = "swap"
"""Set aside: a swap file holds nothing that a boot could use."""

SetAsideWhy = Why | str


@dataclass(slots=True, kw_only=True)
class LeakPiece:
    """One directory or file, with the sum of what it holds besides other pieces."""

    path: bytes
    kind: Kind
    level: Level
    area: Area
    reasons: list[Reason]
    known: Known | None = None
    is_cache: bool = False
    """Nothing in it is looked at more closely: it can be made again."""
    size: int = 0
    files: int = 0
    mtime_ns: int = 0
    uid: int = 0
    gid: int = 0
    looked: int = 0
    """Files whose first bytes were looked at."""

    def add(self, size: int, mtime_ns: int, uid: int, gid: int) -> None:
        """Take a file in."""
        if not self.files:
            self.uid, self.gid = uid, gid
        self.files += 1
        self.size += size
        self.mtime_ns = max(self.mtime_ns, mtime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One directory or file that the next boot takes."""

    path: bytes
    kind: Kind
    size: int
    """Bytes that are lost, without those of other leaks below it."""
    files: int
    mtime_ns: int
    """The last change of anything in it."""
    level: Level
    scope: Scope
    user: str
    """Who owns it."""
    writers: tuple[Writer, ...]
    attributed: Attributed | None
    option: str | None
    """The option of NixOS or home-manager that keeps it."""
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAsidePath:
    """A path that need not be kept, with all below it."""

    path: bytes
    why: SetAsideWhy


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All that a look at the machine found."""

    file_systems: tuple[FileSystem, ...]
    stores: tuple[bytes, ...]
    leaks: tuple[Leak, ...]
    """By care, then size."""
    counts: Mapping[str, int]
    """Set aside, by reason."""
    places: tuple[bytes, ...] = ()
    """What alone was looked at; nothing: the whole machine."""
    set_aside: tuple[SetAsidePath, ...] = ()
    left_out: tuple[bytes, ...] = ()
    """Subvolumes that lay in what is a snapshot, which has nothing of them."""
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def roots(self) -> tuple[FileSystem, ...]:
        """The file systems that the next boot wipes."""
        return tuple(each for each in self.file_systems if each.is_wiped)

    @property
    def matters(self) -> bool:
        """Whether something important or secret would be lost."""
        return any(leak.level >= Level.IMPORTANT for leak in self.leaks)
