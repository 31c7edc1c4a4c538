"""From the records of the shared-memory ring to events: the Python side of records.h."""

from collections.abc import Iterator
from stat import S_IFMT, S_IMODE
from struct import Struct
from struct import error as StructError  # noqa: N812 (an exception, whatever its name)
from typing import Final

from imptrace.tracer.events import (
    ABSENT,
    Access,
    AccessFlag,
    AllGone,
    Event,
    FileState,
    FileType,
    Lost,
    MountNamed,
    Notice,
    Op,
    Outcome,
    ProcessExited,
    ProcessStarted,
    ProgramEnded,
    ProgramStopped,
    Unseen,
    Warned,
    flags_of,
)
from imptrace.tracer.native.repeats import NumberedFacts
from imptrace.tracer.proc import split_arguments

HEADER: Final = Struct("=IBBBB")
ACCESS: Final = Struct("=8xIIIiQII")
STATE: Final = Struct("=IIIIQQQqq")
REPEAT: Final = Struct("=8xIIQ")
PROCESS: Final = Struct("=8xIIIiIIQIIIIII")
EXIT: Final = Struct("=8xIiQII")
COUNT: Final = Struct("=8xII")
LOST: Final = Struct("=8xQQQII")
NAME: Final = Struct("=8xII")

_HAS_BEFORE, _HAS_BEFORE2, _HAS_PATH2 = 1, 2, 4

# The order is that of enum record_type, enum op and enum outcome.
(_ACCESS, _REPEAT, _PROCESS, _EXIT, LOST_RECORD, _UNSEEN, WARNING, ENDED, STOPPED, GONE, _NAME) = (
    range(1, 12)
)
OPS: Final = (
    Op.READ,
    Op.WRITE,
    Op.CREATE,
    Op.TRUNCATE,
    Op.DELETE,
    Op.RENAME,
    Op.LINK,
    Op.SYMLINK,
    Op.MKDIR,
    Op.CHMOD,
    Op.CHOWN,
    Op.UTIME,
    Op.XATTR,
    Op.EXEC,
    Op.CONNECT,
    Op.BIND,
    Op.STAT,
)
OUTCOMES: Final = (
    Outcome.OK,
    Outcome.MISSING,
    Outcome.DENIED,
    Outcome.FAILED,
    Outcome.UNKNOWN,
)
_CHANGED_PATH, _TOO_LONG, _NOT_HIS, _REFUSED = 16, 17, 18, 19
SERVICE_GONE: Final = 8
_WARNINGS: Final = {
    1: Warned(
        "setuid",
        "a setuid program ran without its privilege, as any tracer without root makes it; "
        "`sudo imptrace run --user NAME` keeps it",
    ),
    2: Warned(
        "listener",
        "a program asked for a seccomp listener of its own, which the kernel refuses under this "
        "recorder; `--recorder ptrace` lets it have one",
    ),
    3: Warned(
        "unreadable",
        "a process made itself unreadable, so that some of its calls were seen without a path; "
        "root can read it: `sudo imptrace run --user NAME`",
    ),
    4: Warned(
        "io_uring",
        "a program uses io_uring, and not all that it does by it is seen; "
        "`imptrace run --recorder notify` makes a program do without",
    ),
    5: Warned(
        "signals",
        "a process that handles signals may not be traced here, so that a signal can make its "
        "calls fail with EINTR; root can trace it: `sudo imptrace run --user NAME`",
    ),
    6: Warned(
        "setgid",
        "a setgid program ran without its group, as any tracer without root makes it; "
        "`sudo imptrace run --user NAME` keeps it",
    ),
    7: Warned(
        "io_uring-off",
        "a program asked for io_uring, which is switched off because its operations could not be "
        "seen: it did without, or failed; `--io-uring` lets it be, unseen",
    ),
    SERVICE_GONE: Warned(
        "service-gone",
        "the machine's recorder ended before the program did: what came later is not recorded",
    ),
}

# Half the time of the classes' own __new__, which looks at keywords and defaults.
_make: Final = tuple.__new__

_TYPES: Final = {
    0o140000: FileType.SOCKET,
    0o120000: FileType.SYMLINK,
    0o100000: FileType.FILE,
    0o060000: FileType.BLOCK_DEVICE,
    0o040000: FileType.DIRECTORY,
    0o020000: FileType.CHAR_DEVICE,
    0o010000: FileType.FIFO,
}


def file_type(mode: int) -> FileType:
    """Tell the type from st_mode; `ABSENT` for 0, which no object has."""
    return _TYPES.get(S_IFMT(mode), FileType.ABSENT)


# What repeats of an access refer to by its number: the fields of Access that tell it from others.
_Seen = tuple[int, Op, bytes, bytes | None, Outcome, int, AccessFlag]


class Decoder:
    """Turns what `_native.Recording.read` returns into events, in order.

    Stateful: a repeat names its access by number only. Records come from our own supervisor, which
    a tracee cannot write to; still, nothing outside the given bytes is ever read.
    """

    def __init__(self) -> None:
        """Start with no access known."""
        self._seen: NumberedFacts[_Seen] = NumberedFacts()
        self._last_path = b""

    def decode(self, data: bytes) -> Iterator[Event | Notice]:
        """Yield what the whole records in `data` say.

        Raises ValueError for what no supervisor writes; what follows it is lost.
        """
        try:
            yield from self._decode(data)
        except (StructError, LookupError) as error:
            raise ValueError(f"a record that means nothing: {error}") from error

    def _decode(self, data: bytes) -> Iterator[Event | Notice]:
        offset = 0
        while offset < len(data):
            size, kind, op, outcome, has = HEADER.unpack_from(data, offset)
            if size < HEADER.size or offset + size > len(data):
                raise ValueError(f"a record of {size} bytes at {offset} of {len(data)}")
            record = data[offset : offset + size]
            offset += size
            if kind == _ACCESS:
                yield self._access(record, OPS[op], OUTCOMES[outcome], has)
            elif kind == _REPEAT:
                yield self._repeat(record)
            elif kind == _PROCESS:
                started = _process(record)
                if started.previous is not None:
                    self._seen.ended(started.previous, started.at)
                yield started
            else:
                other = _other(kind, record)
                if isinstance(other, ProcessExited):
                    self._seen.ended(other.process, other.at)
                yield other

    def _access(self, record: bytes, op: Op, outcome: Outcome, has: int) -> Access:
        number, process, flag_bits, errno, at, length, length2 = ACCESS.unpack_from(record)
        offset = ACCESS.size
        before = before2 = None
        if has & _HAS_BEFORE:
            before = _read_state(record, offset)
            offset += STATE.size
        if has & _HAS_BEFORE2:
            before2 = _read_state(record, offset)
            offset += STATE.size
        path = record[offset : offset + length]
        if path == self._last_path:
            path = self._last_path  # a creation and the write that goes with it: one object
        self._last_path = path
        offset += length
        path2 = record[offset : offset + length2] if has & _HAS_PATH2 else None
        flags = flags_of(flag_bits)
        known = (process, op, path, path2, outcome, errno, flags)
        # 0: it is never repeated
        if number and number != self._seen.add(process, known):
            raise ValueError(f"access {number} follows {self._seen.last - 1}")
        return _make(
            Access,
            (process, op, path, path2, outcome, at, errno, flags, before, before2, 1, at),
        )

    def _repeat(self, record: bytes) -> Access | Lost:
        number, count, last = REPEAT.unpack_from(record)
        if not 0 < number <= self._seen.last:
            raise ValueError(f"a repeat of {number}, which was never seen")
        seen = self._seen.get(number)
        if seen is None:
            return Lost(count, last, last)  # its process ended long ago
        process, op, path, path2, outcome, errno, flags = seen
        return _make(
            Access,
            (process, op, path, path2, outcome, last, errno, flags, None, None, count, last),
        )


def _read_state(record: bytes, offset: int) -> FileState:
    mode, uid, gid, _, size, inode, device, mtime_ns, ctime_ns = STATE.unpack_from(record, offset)
    if not mode:
        return ABSENT
    return _make(
        FileState,
        (
            file_type(mode),
            size,
            S_IMODE(mode),
            uid,
            gid,
            mtime_ns,
            inode,
            device,
            ctime_ns,
            None,
            None,
        ),
    )


def _process(record: bytes) -> ProcessStarted:
    process, parent, previous, pid, uid, gid, at, *lengths = PROCESS.unpack_from(record)
    texts = []
    offset = PROCESS.size
    for length in lengths[:5]:
        texts.append(record[offset : offset + length])
        offset += length
    exe, argv, cwd, cgroup, environ = texts
    return ProcessStarted(
        process=process,
        parent=parent or None,
        previous=previous or None,
        pid=pid,
        exe=exe,
        argv=split_arguments(argv),
        cwd=cwd,
        uid=uid,
        gid=gid,
        cgroup=_cgroup(cgroup),
        environ=_environ(environ),
        at=at,
    )


def _cgroup(text: bytes) -> bytes:
    """Take the unified hierarchy's path of a /proc/PID/cgroup, or systemd's where that is "/"."""
    paths = {}
    for line in text.splitlines():
        _, controllers, path = (*line.split(b":", 2), b"", b"")[:3]
        paths[controllers] = path
    unified = paths.get(b"", b"")
    return paths.get(b"name=systemd", unified) if unified in (b"", b"/") else unified


def _environ(text: bytes) -> dict[str, bytes]:
    variables = (variable.partition(b"=") for variable in text.split(b"\0") if variable)
    return {name.decode("ascii"): value for name, _, value in variables}


def _other(kind: int, record: bytes) -> Event | Notice:
    if kind in (_EXIT, ENDED, STOPPED):
        return _ending(kind, record)
    if kind == GONE:
        return AllGone()
    if kind == _NAME:
        return _mount_named(record)
    if kind == LOST_RECORD:
        return _lost(record)
    process, count = COUNT.unpack_from(record)
    if kind == _UNSEEN:
        return Unseen(process, count)
    if kind == WARNING:
        return _numbered(count, process) or _WARNINGS[count]
    raise ValueError(f"a record of unknown type {kind}")


def _lost(record: bytes) -> Lost:
    count, since, until, length, _ = LOST.unpack_from(record)
    return Lost(count, since, until, cgroup=_cgroup(record[LOST.size :][:length]))


def _numbered(code: int, number: int) -> Warned | None:
    """Give a warning that goes with how often it was."""
    if code == _CHANGED_PATH:
        return Warned(
            "changed-path",
            f"at least {number} {'path' if number == 1 else 'paths'} may not be what was used: "
            "another thread or process changed it, or a directory on the way, while a call waited",
        )
    if code == _TOO_LONG:
        return Warned(
            "too-long",
            f"{number} {'call' if number == 1 else 'calls'} could not be recorded: their "
            "directory lies deeper than the 4,096 bytes of a name that the kernel tells",
        )
    if code == _NOT_HIS:
        return Warned(
            "not-yours",
            f"{number} {'program' if number == 1 else 'programs'} ran with other rights than "
            "yours (sudo, a setuid program): what they did, root may ask",
        )
    if code == _REFUSED:
        return Warned(
            "refused",
            f"{number} {'call was' if number == 1 else 'calls were'} refused for want of "
            "permission; the service does not tell their paths",
        )
    return None


def _mount_named(record: bytes) -> MountNamed:
    inside_length, host_length = NAME.unpack_from(record)
    inside = record[NAME.size : NAME.size + inside_length]
    host = record[NAME.size + inside_length :][:host_length]
    return MountNamed(inside, host or None)


def _ending(kind: int, record: bytes) -> Event | Notice:
    process, status, at, left, _ = EXIT.unpack_from(record)
    if kind == ENDED:
        return ProgramEnded(status, left)
    if kind == STOPPED:
        return ProgramStopped(status)
    return ProcessExited(process, None if status < 0 else status, at)
