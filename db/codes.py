"""How values are stored: small integers for enums, one blob for lists. Stored: never renumber."""

from collections.abc import Iterable, Mapping

from imptrace.db.records import MAYBE_DONE
from imptrace.tracer.events import CHANGES, METADATA_OPS, FileType, Op, Outcome, RunScope

OP_CODES = {
    Op.READ: 1,
    Op.WRITE: 2,
    Op.CREATE: 3,
    Op.TRUNCATE: 4,
    Op.DELETE: 5,
    Op.RENAME: 6,
    Op.LINK: 7,
    Op.SYMLINK: 8,
    Op.MKDIR: 9,
    Op.CHMOD: 10,
    Op.CHOWN: 11,
    Op.UTIME: 12,
    Op.XATTR: 13,
    Op.EXEC: 14,
    Op.CONNECT: 15,
    Op.BIND: 16,
    Op.STAT: 17,
}
OPS = {code: op for op, code in OP_CODES.items()}
CHANGE_CODES = sorted(OP_CODES[op] for op in CHANGES)
WRITE_CODES = sorted(OP_CODES[op] for op in CHANGES - METADATA_OPS)
"""Who only sets modes or times has written nothing."""

# In order of what a reader wants to know first, so that the best of several is their minimum.
OUTCOME_CODES = {
    Outcome.OK: 0,
    Outcome.UNKNOWN: 1,
    Outcome.DENIED: 2,
    Outcome.FAILED: 3,
    Outcome.MISSING: 4,
}
OUTCOMES = {code: outcome for outcome, code in OUTCOME_CODES.items()}
DONE_CODES = sorted(OUTCOME_CODES[outcome] for outcome in MAYBE_DONE)

FILE_TYPE_CODES = {
    FileType.ABSENT: 0,
    FileType.FILE: 1,
    FileType.DIRECTORY: 2,
    FileType.SYMLINK: 3,
    FileType.SOCKET: 4,
    FileType.FIFO: 5,
    FileType.CHAR_DEVICE: 6,
    FileType.BLOCK_DEVICE: 7,
}
FILE_TYPES = {code: file_type for file_type, code in FILE_TYPE_CODES.items()}

SCOPE_CODES = {
    RunScope.PROGRAM: 0,
    RunScope.PROCESSES: 1,
    RunScope.UNIT: 2,
    RunScope.MACHINE: 3,
    RunScope.LOG: 4,
}
SCOPES = {code: scope for scope, code in SCOPE_CODES.items()}

STATUS_RECORDING = 0
STATUS_COMPLETE = 1

BEFORE = 0
AFTER = 1

_WORD = 1 << 64
_SIGN = 1 << 63
LARGEST = _SIGN - 1
"""What 64 bits with a sign can hold."""


def to_signed(number: int) -> int:
    """Fit an unsigned 64-bit number (an inode, a device) into SQL's signed 64 bits."""
    return number if -_SIGN <= number < _SIGN else (number + _SIGN) % _WORD - _SIGN


def to_unsigned(number: int) -> int:
    """Undo `to_signed` for a number that is never negative."""
    return number % _WORD


def clamp_time(nanoseconds: int) -> int:
    """Return the nearest time that fits 64 bits: some file systems hold dates millennia away."""
    return max(-_SIGN, min(_SIGN - 1, nanoseconds))


def pack_strings(strings: Iterable[bytes]) -> bytes:
    """NUL after each string; no argument or variable can contain one."""
    return b"".join(string + b"\0" for string in strings)


def unpack_strings(blob: bytes) -> tuple[bytes, ...]:
    """Undo `pack_strings`."""
    return tuple(blob.split(b"\0")[:-1])


def pack_environ(environ: Mapping[str, bytes]) -> bytes:
    """NAME=value strings, packed."""
    return pack_strings(name.encode() + b"=" + value for name, value in environ.items())


def unpack_environ(blob: bytes) -> dict[str, bytes]:
    """Undo `pack_environ`."""
    pairs = (string.partition(b"=") for string in unpack_strings(blob))
    return {name.decode(errors="replace"): value for name, _, value in pairs}


def storable(text: str) -> str:
    """Text that any database takes: no lone surrogate (an undecodable argument), no NUL."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace").replace("\0", "")
