"""The event model: what every recorder yields, in order.

Paths are bytes: absolute, and as the kernel resolved them at that moment (cwd, dirfd, chroot,
symbolic links and mount namespace applied), named as the host sees them. Times are
nanoseconds of CLOCK_MONOTONIC since the start of the run.
"""

from collections.abc import Mapping
from enum import IntFlag, StrEnum
from functools import cache
from typing import NamedTuple


class Op(StrEnum):
    """What was done to a path."""

    READ = "read"
    WRITE = "write"
    CREATE = "create"
    TRUNCATE = "truncate"
    DELETE = "delete"
    RENAME = "rename"
    LINK = "link"
    SYMLINK = "symlink"
    MKDIR = "mkdir"
    CHMOD = "chmod"
    CHOWN = "chown"
    UTIME = "utime"
    XATTR = "xattr"
    EXEC = "exec"
    CONNECT = "connect"
    BIND = "bind"
    STAT = "stat"

    # Enum's own is a Python function, and every access of a run is looked up by its op.
    __hash__ = str.__hash__

    @property
    def changes(self) -> bool:
        """Whether this op is a request to change something at the path."""
        return self in CHANGES


CONTENT_OPS = frozenset({Op.WRITE, Op.CREATE, Op.TRUNCATE, Op.XATTR})
"""What can change what a file holds."""
METADATA_OPS = frozenset({Op.CHMOD, Op.CHOWN, Op.UTIME, Op.XATTR})
"""What changes mode, owner, times and attributes, never the content."""
MAKING_OPS = frozenset({Op.CREATE, Op.MKDIR, Op.LINK, Op.SYMLINK, Op.BIND})
"""What can put something where nothing was, besides a rename."""
CHANGES = CONTENT_OPS | METADATA_OPS | MAKING_OPS | {Op.DELETE, Op.RENAME}
"""What asks for a change: all but reading, executing, connecting and looking."""


class Outcome(StrEnum):
    """How a call ended, as far as the recorder can tell."""

    OK = "ok"
    MISSING = "missing"
    DENIED = "denied"
    FAILED = "failed"
    UNKNOWN = "unknown"

    __hash__ = str.__hash__  # as above


class RunScope(StrEnum):
    """What a run watched."""

    PROGRAM = "program"
    """A program that was started for it, and all that this started."""
    PROCESSES = "processes"
    """Processes that ran already."""
    UNIT = "unit"
    """A unit of systemd."""
    MACHINE = "machine"
    """All that ran."""
    LOG = "log"
    """What a log of another tool tells of."""


class FileType(StrEnum):
    """What kind of object stands at a path; `ABSENT` when nothing does."""

    ABSENT = "absent"
    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    SOCKET = "socket"
    FIFO = "fifo"
    CHAR_DEVICE = "char-device"
    BLOCK_DEVICE = "block-device"

    __hash__ = str.__hash__  # as above


class AccessFlag(IntFlag):
    """Details of an access that matter to how a path can be kept. Stored: never renumber."""

    EXCLUSIVE = 1
    """Created with O_CREAT|O_EXCL: the program insists that it is absent."""
    TMPFILE = 2
    """A link made from an O_TMPFILE or deleted file: replaces or creates without a rename."""
    EXCHANGE = 4
    """renameat2(RENAME_EXCHANGE): both names kept, contents swapped."""
    DIRECTORY = 8
    """The object at the path is a directory."""
    EMPTY = 16
    """A regular file that had no content when it was opened."""
    READ_FIRST = 32
    """On a read: it came before any change of the path in this run, and found content."""
    CARRIED = 64
    """No call named this path: it came along when a directory above it was renamed."""
    ALREADY_OPEN = 128
    """Was open when the recorder attached."""
    MAPPED = 256
    """Was mapped into memory when the recorder attached."""
    CUT = 512
    """The recorder saw only the beginning of the path."""
    PRIVATE_MOUNT = 1024
    """Lies on a mount that only the process's own mount namespace has: the host cannot see it."""


flags_of = cache(AccessFlag)
"""Flags by their bits: few combinations occur, and the enum takes its time to make one."""


class FileState(NamedTuple):
    """What stood at a path at one moment, as lstat said, and what a look into it did."""

    type: FileType
    size: int = 0
    mode: int = 0
    """Permission bits only, 0o7777."""
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    inode: int = 0
    device: int = 0
    ctime_ns: int = 0
    hint: str | None = None
    """What the first bytes say, a name of imptrace.facts.content; None: not looked, or nothing."""
    link: bytes | None = None
    """Where it points to, if it is a symbolic link that somebody read."""


ABSENT = FileState(FileType.ABSENT)

Snapshot = tuple[bytes, FileState]
"""A path, and what was found there."""


KEPT_VARIABLES = frozenset(
    {
        "HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_RUNTIME_DIR",
    }
)
"""Those of a process's environment that say where it keeps things; no other may be recorded."""


class ProcessStarted(NamedTuple):
    """A process was seen for the first time, or became a new image by exec.

    `process` is never reused within a run, unlike `pid` (the kernel's tgid in the recorder's pid
    namespace). An exec yields a new `process` whose `previous` is the image it replaced and whose
    parent is that of the image replaced.
    """

    process: int
    parent: int | None
    previous: int | None
    pid: int
    exe: bytes
    argv: tuple[bytes, ...]
    cwd: bytes
    uid: int
    gid: int
    cgroup: bytes
    environ: Mapping[str, bytes]
    """Only KEPT_VARIABLES, where set."""
    at: int


class Access(NamedTuple):
    """One or (`count` > 1, equal ones folded by the recorder) several calls on a path."""

    process: int
    op: Op
    path: bytes
    path2: bytes | None
    """rename: the new name. link: the existing name. symlink: the text of the link, unresolved."""
    outcome: Outcome
    at: int
    errno: int = 0
    flags: AccessFlag = AccessFlag(0)
    before: FileState | None = None
    """lstat of `path` before its first change of the run; ABSENT if nothing was there;
    None where the recorder did not look."""
    before2: FileState | None = None
    """The same for `path2` of a rename."""
    count: int = 1  # type: ignore[assignment]  # hides tuple.count, of no use on an event
    last: int = 0
    """Time of the last call when `count` > 1."""


class ProcessExited(NamedTuple):
    """A process ended. `status` as waitpid(2) encodes it, None where it cannot be known."""

    process: int
    status: int | None
    at: int


class Lost(NamedTuple):
    """The recorder had to drop `count` events, between two moments, as far as they are known."""

    count: int  # type: ignore[assignment]  # as above
    since: int | None = None
    until: int | None = None
    process: int | None = None
    """Whose they were; None: of any process."""
    cgroup: bytes = b""
    """The same of a cgroup; empty: of any."""


class Unseen(NamedTuple):
    """`count` calls of a process were seen without a path, because it cannot be read."""

    process: int
    count: int  # type: ignore[assignment]  # as above


class Warned(NamedTuple):
    """Something about the run that the user should know: `code` is stable, `text` is for people."""

    code: str
    text: str


class MountNamed(NamedTuple):
    """A mount that was used, or a root directory, has another name for the process than here."""

    inside: bytes
    """The process's name of it."""
    host: bytes | None
    """Ours; None: it cannot be seen here."""


class Mount(NamedTuple):
    """A line of /proc/self/mountinfo at the start of the run."""

    mount_id: int
    parent_id: int
    device: str
    """major:minor."""
    root: bytes
    mountpoint: bytes
    fstype: str
    source: bytes
    options: str


class ProgramEnded(NamedTuple):
    """The program itself ended, with wait status `status`; `left` of its processes still run."""

    status: int
    left: int


class ProgramStopped(NamedTuple):
    """The program itself was stopped by a signal; `status` is its wait status."""

    status: int


class AllGone(NamedTuple):
    """Nothing is left to record: no event follows."""

    at: int | None = None
    """When that was, nanoseconds since the start of the run; None: now."""


Event = ProcessStarted | Access | ProcessExited | Lost | Unseen | Warned | MountNamed
"""What is stored."""

Notice = ProgramEnded | ProgramStopped | AllGone
"""What whoever waits for the program is told."""
