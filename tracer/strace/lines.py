"""One line of a log written by strace: what it says, before anyone asks what that means.

A line is `[pid] [time] [extras] body`, and the body is one of

    name(argument, ...) = result            a call
    name(argument, ... <unfinished ...>     its first part, when another process came between
    <... name resumed>, ...) = result       and the rest
    --- SIGNAL {...} ---                    a signal
    +++ exited with 0 +++                   an end
    strace: Process 12 attached             strace's own words, when its log is its stderr

Everything is bytes: names of files hold any byte, and strace escapes only some of them.
"""

import re
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from imptrace.tracer.syscalls import AT_FDCWD

_STRING = rb'"(?:[^"\\]++|\\.)*+"(?:\.\.\.)?+'
# <...> after a descriptor: a path (its own < and > are octal), maybe with <char 1:3> inside...
_PATH_NOTE = rb"<(?=/|\\x2f)(?:[^<>\\]++|\\.)*+(?:<(?:char|block) \d+:\d+>)?+>"
# ... or the description of a socket, with -> and a quoted path inside, or the name of a process.
_OTHER_NOTE = rb"<(?!/)(?:[^<>\"-]++|->|-|" + _STRING + rb"|<[^<>]*+>)*+>"
_ANNOTATION = rb"(?:" + _PATH_NOTE + rb"|" + _OTHER_NOTE + rb")"
_ATOM = rb'(?:[^"\\\[\]{}()<>,=\-]++|=>|->|=|-|' + _STRING + rb"|" + _ANNOTATION + rb")"
_DEEPEST_NESTING: Final = 5


def _nested(levels: int) -> bytes:
    """Write the pattern of an argument that may hold `levels` of brackets within each other."""
    pattern = _ATOM
    for _ in range(levels):
        pattern = rb"(?:" + _ATOM + rb"|[\[{(](?:,|" + pattern + rb")*+[\]})])"
    return pattern


_MOST_ARGUMENTS: Final = 6
_ARGUMENT = rb"((?:" + _nested(_DEEPEST_NESTING) + rb")*+)"
_RESULT = (
    rb"\) *+= (-?\d{1,19}+|0x[0-9a-f]{1,16}+|\?)(" + _ANNOTATION + rb"(?:\(deleted\))?+)?"
    rb"(?: (E[A-Z0-9]++))?"
)
_CALL: Final = re.compile(
    _ARGUMENT + (rb"(?:, *+" + _ARGUMENT + rb")?+") * (_MOST_ARGUMENTS - 1) + _RESULT
)

# Possessive throughout: a line of a million blanks must not be tried in a million ways. Numbers
# are as long as the kernel's can be, since Python refuses to read much longer ones.
_COMMAND = rb"(?:<[^>\n]*+>)?+"
_PREFIX = (
    rb"(?:(?:\[pid ++(\d{1,7})" + _COMMAND + rb"\]|(\d{1,7})" + _COMMAND + rb")(?= ) ++)?"  # -f, -Y
    rb"(?:(\d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{8,11}(?:\.\d{1,9})?) "  # -t, -tt, -ttt
    rb"(?! *+\d{1,9}[. ]))?"  # a step behind it stands in brackets
    rb"(?: *+(?:\(\+ ++)?(\d{1,9}(?:\.\d{1,9})?)\)? )?"  # -r, --relative-timestamps
    rb"(?:\[[ 0-9a-f?]++\] )*+"  # -n, -i
)
# Groups: pid of `[pid N]`, other pid, clock, step, name of a call, name of a resumed one, marker.
HEAD: Final = re.compile(
    _PREFIX + rb"(?:([a-z_][a-z0-9_]*)\(|<\.\.\. ([a-z_][a-z0-9_]*) resumed> ?|(\+\+\+|---) )"
)
# The same for most lines: -f, maybe with -ttt. Groups: pid, clock, name of a call.
PLAIN_HEAD: Final = re.compile(
    rb"(\d{1,7}) ++(?:(\d{8,11}(?:\.\d{1,9})?+) )?+([a-z_][a-z0-9_]*+)\("
)
_UNFINISHED: Final = re.compile(
    rb" *<(?:unfinished|detached|pid changed to \d+) \.\.\.>(?:\)? += \?)?$"
)
# Up to 4.9 these stand without `strace: ` before them.
_OWN_WORDS: Final = re.compile(
    rb"(?:strace: )?Process (\d{1,7})" + _COMMAND + rb" (attached|detached|suspended|resumed)"
    rb"(?: with \d{1,7} threads?)?(?: \([^()]{1,60}\)| - interrupt to (?:quit|detach))?$"
)
_CHANGE_OF_MODE: Final = re.compile(
    rb"(?:strace: )?\[ Process PID=(\d{1,7}) runs in [^\]\n]{1,40} \]$"
)
LAST_WORDS: Final = (
    b"attached", b"detached", b"suspended", b"resumed", b")", b"to quit", b"to detach",
    b"thread", b"threads", b"mode. ]",
)  # fmt: skip
"""How such a line ends."""
_TABLE_ROW: Final = rb" {0,2}\d{1,3}\.\d\d +\d[\d.]* +(?:\d[\d.]* +)?\d+ +(?:\d+ +)?[a-z_0-9]+$"
# Lines that say nothing about any path: a stack trace (-k), a change of personality,
# and what else strace has to tell about itself.
_REMARK: Final = re.compile(
    rb" > |(?:\[pid +\d+\] )?\[ Process PID=|strace: |\d+ +\[ Process PID=|"
    # what strace up to 4.9 had to tell about itself
    rb"(?:ptrace|upeek|upoke|attach|detach|syscall|PANIC|cleanup): |pid \d+ stopped, \[|"
    rb"trouble opening proc file|System call usage summary for |"
    rb" \| [0-9a-f]{5,16}  |"  # the data of a read or write, -e read= and -e write=
    rb"% time +seconds|-{6} -{6}|"
    + _TABLE_ROW
    + rb"|"  # the table of -c and -C
    + _PREFIX
    + rb"(?:\?\?\?\? ?\(|0x[0-9a-f]{1,16}\(|SYS_\d{1,9}\(|syscall_0x[0-9a-f]{1,8}\()"
)
_NAME: Final = re.compile(rb"^[a-z_][a-z0-9_]*=(?!=)")
"""An argument's, as of strace 6.16 (--arg-names)."""
_STRINGS: Final = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(\.\.\.)?')
_ESCAPE: Final = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS: Final = {b"n": b"\n", b"t": b"\t", b"v": b"\v", b"f": b"\f", b"r": b"\r", b"a": b"\a",
                   b"b": b"\b", b"e": b"\x1b"}  # fmt: skip
_ALL_HEX: Final = re.compile(rb"(?:\\x[0-9a-f]{2})++")
_DESCRIPTOR: Final = re.compile(
    rb"(AT_FDCWD|-?\d{1,10})(?: /\* AT_FDCWD \*/)?(?:<(.*)>(\(deleted\))?)?$"
)
_DEVICE_SUFFIX: Final = re.compile(rb"<(?:char|block) \d+:\d+>$")
_DELETED_SUFFIX: Final = b" (deleted)"


class LineKind(Enum):
    """What a line is."""

    CALL = "call"
    RESUMED = "resumed"
    SIGNAL = "signal"
    END = "end"
    ATTACHED = "attached"
    REMARK = "remark"


class LogLine(NamedTuple):
    """A line taken apart as far as its kind. `rest` is what follows the name or the marker."""

    kind: LineKind
    tid: int | None
    clock: bytes | None
    """Time of day or seconds since 1970 (-t, -tt, -ttt), as written."""
    step: bytes | None
    """Seconds since the line before (-r), as written."""
    name: bytes
    rest: bytes


class Call(NamedTuple):
    """A call with its result. `arguments` are as written, each None where there is none."""

    arguments: tuple[bytes | None, ...]
    result: bytes
    result_annotation: bytes | None
    error: bytes | None
    """Name of the errno, None where the call did not fail."""


class Text(NamedTuple):
    """A string of the log, decoded. `cut` where strace showed only its beginning."""

    value: bytes
    cut: bool


class Descriptor(NamedTuple):
    """A file descriptor of the log; `path` where strace noted one (-y)."""

    number: int
    path: bytes | None
    deleted: bool


def parse_line(line: bytes) -> LogLine | None:
    """Take a line (without its newline) apart; None where it is nothing that strace writes."""
    match = HEAD.match(line)
    if match is None:
        return _parse_words(line)
    pid, other_pid, clock, step, name, resumed, marker = match.groups()
    tid = pid or other_pid
    if name:
        kind = LineKind.CALL
    elif resumed:
        kind, name = LineKind.RESUMED, resumed
    else:
        kind, name = LineKind.SIGNAL if marker == b"---" else LineKind.END, marker
    return LogLine(kind, int(tid) if tid else None, clock, step, name, line[match.end() :])


def _parse_words(line: bytes) -> LogLine | None:
    attached = _OWN_WORDS.match(line)
    if attached:
        kind = LineKind.ATTACHED if attached[2] == b"attached" else LineKind.REMARK
        return LogLine(kind, int(attached[1]), None, None, attached[2], b"")
    if _REMARK.match(line):
        return LogLine(LineKind.REMARK, None, None, None, b"", line)
    return None


def split_interruption(line: bytes) -> tuple[bytes, int, bool] | None:
    """Part a line that strace's own words on the same stderr broke off.

    Gives what stood before them, the process that they are about, and whether it was attached.
    """
    mode = line.rfind(b"[ Process PID=")
    start = line.rfind(b"Process ") if mode < 0 else mode
    if line.endswith(b"strace: ", 0, start):
        start -= len(b"strace: ")
    if start <= 0:
        return None
    if mode >= 0:
        words = _CHANGE_OF_MODE.match(line, start)
        return (line[:start], int(words[1]), False) if words else None
    words = _OWN_WORDS.match(line, start)
    return (line[:start], int(words[1]), words[2] == b"attached") if words else None


def first_part(rest: bytes) -> bytes | None:
    """Cut off the mark of an unfinished call; None where the call is whole."""
    if b" ...>" not in rest[-12:]:
        return None
    match = _UNFINISHED.search(rest, max(0, len(rest) - 60))
    return rest[: match.start()] if match else None


def parse_call(rest: bytes) -> Call | None:
    """Take apart what follows `name(`; None where it does not end as a call does."""
    match = _CALL.match(rest)
    if match is None:
        return None
    groups = match.groups()
    arguments = groups[:_MOST_ARGUMENTS]
    if arguments[0] and _NAME.match(arguments[0]):
        arguments = tuple(each and _NAME.sub(b"", each, count=1) for each in arguments)
    return Call(arguments, *groups[_MOST_ARGUMENTS:])


def parse_text(argument: bytes | None) -> Text | None:
    """Decode a quoted string; None where strace shows an address or nothing at all."""
    if not argument or argument[:1] != b'"':
        return None
    cut = argument.endswith(b'"...')
    if not cut and (len(argument) == 1 or not argument.endswith(b'"')):
        return None
    return Text(unescape(argument[1 : -4 if cut else -1]), cut)


def parse_texts(argument: bytes | None) -> tuple[Text, ...]:
    """Decode the strings of an array, such as the arguments of an exec."""
    if not argument or argument[:1] != b"[":
        return ()
    return tuple(
        Text(unescape(match[1]), cut=match[2] is not None) for match in _STRINGS.finditer(argument)
    )


def parse_descriptor(argument: bytes | None) -> Descriptor | None:
    """Take apart a descriptor: `3`, `AT_FDCWD</tmp>` or `3</dev/null<char 1:3>>(deleted)`."""
    if not argument:
        return None
    # Most are few and come again and again. Longer ones are not kept: they may be megabytes.
    return _short_descriptor(argument) if len(argument) < _SHORT else _any_descriptor(argument)


def _any_descriptor(argument: bytes) -> Descriptor | None:
    match = _DESCRIPTOR.match(argument)
    if match is None:
        return None
    number, path, deleted = match.groups()
    number_or_cwd = AT_FDCWD if number == b"AT_FDCWD" else int(number)
    if path is None or not path.startswith((b"/", b"\\x2f")):
        return Descriptor(number_or_cwd, None, deleted=deleted is not None)
    path = _DEVICE_SUFFIX.sub(b"", path)
    if path.endswith(_DELETED_SUFFIX):
        path, deleted = path.removesuffix(_DELETED_SUFFIX), path
    return Descriptor(number_or_cwd, unescape(path), deleted=deleted is not None)


_SHORT: Final = 400
_short_descriptor: Final = lru_cache(maxsize=4096)(_any_descriptor)


def unescape(text: bytes) -> bytes:
    """Undo the escapes of strace: letters, octal, and hexadecimal (-x, -xx)."""
    if b"\\" not in text:
        return text
    return _unescape_short(text) if len(text) < _SHORT else _unescape_any(text)


def _unescape_any(text: bytes) -> bytes:
    if _ALL_HEX.fullmatch(text):
        return bytes.fromhex(text.replace(b"\\x", b"").decode("ascii"))
    return _ESCAPE.sub(_unescape_one, text)


_unescape_short: Final = lru_cache(maxsize=8192)(_unescape_any)


def _unescape_one(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if escape[:1] == b"x" and len(escape) > 1:
        return bytes.fromhex(escape[1:].decode("ascii"))
    if escape[:1].isdigit() and escape < b"8":
        return bytes([int(escape, 8) & 0xFF])
    return _LETTERS.get(escape, escape)
