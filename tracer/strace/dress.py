"""What stands around the lines of strace when a log has been through other hands.

Terminals colour it, editors end lines with CR, services and containers put their names before each
line, web pages and word processors write other quotation marks, and people compress it. The
beginning of a file tells which of it there is; each block of lines is then undressed.
"""

import bz2
import codecs
import gzip
import html
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Final

from imptrace.tracer.strace.lines import LineKind, first_part, parse_call, parse_line

_SAMPLE: Final = 200
_ANSI: Final = re.compile(rb"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9])")
_SPACES: Final = re.compile(rb"[ \t\r]+\n")
_HTML: Final = re.compile(rb"&(?:quot|lt|gt|amp|#\d{1,6}|#x[0-9a-fA-F]{1,6}|nbsp);")
_FOREIGN: Final = (
    (b"\xe2\x80\x9c", b'"'),
    (b"\xe2\x80\x9d", b'"'),
    (b"\xe2\x80\x9e", b'"'),
    (b"\xc2\xab", b'"'),
    (b"\xc2\xbb", b'"'),
    (b"\xe2\x80\xa6", b"..."),
    (b"\xe2\x80\x93", b"-"),
    (b"\xc2\xa0", b" "),
)
"""Characters that texts have in the place of strace's own."""
_PREFIXES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # A log of CI, docker logs -t, kubectl logs --timestamps; GitLab has a stream behind it.
        (
            rb"(?:[^\t\n]{1,80}\t[^\t\n]{1,80}\t)?\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:?\d\d)"
            rb"(?: \d\d[OE][+ ]?| std(?:out|err) [FP])? ?"
        ),
        # journalctl in its usual form, with seconds or with a whole date; rsyslog.
        (
            rb"(?:[A-Z][a-z]{2} [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?"
            rb"|\d{4}-\d\d-\d\dT[\d:.,]+\S*) \S+ [^\s:\[\]]{1,64}(?:\[\d+\])?: "
        ),
        rb"[^\s:\[\]]{1,64}\[\d+\]: ",  # journalctl -o cat of some, and systemd's own
        rb"[\w./-]{1,64} +\| ",  # docker compose
        rb"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} +\d+ +\d+ [VDIWEFS] [^:]{1,64}: ",  # logcat
        rb"[VDIWEFS]/[^(:]{1,64}\( *\d+\): ",  # logcat -v brief
        rb"\[\d\d:\d\d:\d\d(?:\.\d+)?\] ",  # screen, tmux, minicom
        rb"\[\d{4}-\d\d-\d\d[ T][\d:.,]+Z?\] ",  # ts, Jenkins
        rb" *\d+[:\t] ?",  # grep -n, cat -n
        rb"[\w./-]{1,200}:\d+:",  # grep -Hn
        rb"(?:[>|+#*;] ?|// ?)+",  # a quotation, a diff, a comment
        rb"[ \t]+",
    )
)
_MAGIC: Final[tuple[tuple[bytes, Callable[[Path], BufferedIOBase]], ...]] = (
    (b"\x1f\x8b", gzip.GzipFile),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
    (b"]\x00\x00", lzma.LZMAFile),
    (b"BZh", bz2.BZ2File),
)
_PACKED: Final = (
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"\x1f\x9d", "compress"),
)
_ENCODINGS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MANY_ZEROS: Final = 4


class PackedError(OSError):
    """A file is packed in a way that the standard library does not read, or damaged."""


@dataclass(frozen=True, slots=True)
class Dress:
    """What is around the lines of one file."""

    prefix: re.Pattern[bytes] | None = None
    is_html: bool = False
    has_foreign_marks: bool = False

    def off(self, block: bytes) -> list[bytes]:
        """Take it off whole lines, the last of which may lack its newline."""
        if b"\x1b" in block:
            block = _ANSI.sub(b"", block)
        if b"\r" in block or b" \n" in block or b"\t\n" in block:
            block = _SPACES.sub(b"\n", block)
        if self.is_html:
            block = html.unescape(block.decode("utf-8", "surrogateescape")).encode(
                "utf-8", "surrogateescape"
            )
        if self.has_foreign_marks:
            for theirs, ours in _FOREIGN:
                block = block.replace(theirs, ours)
        lines = block.split(b"\n")
        if self.prefix is None:
            return lines
        return [_without(self.prefix, line) for line in lines]


def dress_of(head: bytes) -> Dress:
    """Tell from the beginning of a file what is around its lines."""
    is_html = _HTML.search(head) is not None and b"(&quot;" in head.replace(b", &quot;", b"(&quot;")
    has_marks = any(b"(" + mark in head or b", " + mark in head for mark, _ in _FOREIGN[:4])
    has_marks = has_marks or b"\xc2\xa0= " in head or b"=\xc2\xa0" in head
    plain = Dress(is_html=is_html, has_foreign_marks=has_marks)
    lines = [line for line in plain.off(head)[:_SAMPLE] if line]
    best, most = None, sum(map(is_strace_line, lines))
    for prefix in _PREFIXES:
        found = sum(is_strace_line(_without(prefix, line)) for line in lines)
        if found > most:
            best, most = prefix, found
    return Dress(best, is_html, has_marks)


def _without(prefix: re.Pattern[bytes], line: bytes) -> bytes:
    match = prefix.match(line)
    return line[match.end() :] if match else line


def is_strace_line(line: bytes) -> bool:
    """Whether a line can only be strace's."""
    parsed = parse_line(line)
    if parsed is None or parsed.kind in (LineKind.REMARK, LineKind.RESUMED):
        return False
    if parsed.kind is LineKind.CALL:
        return first_part(parsed.rest) is not None or parse_call(parsed.rest) is not None
    return parsed.kind is LineKind.ATTACHED or parsed.rest.endswith((b" +++", b" ---"))


def is_dressed(start: bytes) -> bool:
    """Whether a file has to be unpacked or decoded as it is read."""
    return _opener(start) is not None or _encoding(start) is not None


def unpacked(path: Path, size: int) -> Iterator[bytes]:
    """Read a packed or encoded file as UTF-8 in blocks. Raises OSError for one that is damaged."""
    with path.open("rb") as file:
        start = file.read(8)
    for magic, name in _PACKED:
        if start.startswith(magic):
            raise PackedError(0, f"it is packed with {name}: unpack it first")
    try:
        with (_opener(start) or _plain)(path) as file:
            first = file.read(size)
            encoding = _encoding(first)
            decode = codecs.getincrementaldecoder(encoding or "utf-8")("surrogateescape")
            block = first
            while block:
                yield (
                    block
                    if encoding is None
                    else decode.decode(block).encode("utf-8", "surrogateescape")
                )
                block = file.read(size)
    except (EOFError, lzma.LZMAError, zlib.error, UnicodeError) as error:
        raise PackedError(0, f"it cannot be unpacked: {error}") from error


def _plain(path: Path) -> BufferedIOBase:
    return path.open("rb")


def _opener(start: bytes) -> Callable[[Path], BufferedIOBase] | None:
    return next((opened for magic, opened in _MAGIC if start.startswith(magic)), None)


def _encoding(start: bytes) -> str | None:
    for mark, name in _ENCODINGS:
        if start.startswith(mark):
            return name
    # UTF-16 without a mark, as some editors write it.
    for name, zeros in (("utf-16-le", start[1:80:2]), ("utf-16-be", start[:80:2])):
        if len(zeros) > _MANY_ZEROS and not any(zeros):
            return name
    return None


def head_of(path: Path, size: int) -> bytes:
    """Read the beginning of a file as text. Raises OSError where that is refused."""
    return next(iter(unpacked(path, size)), b"")
