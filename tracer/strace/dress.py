"""What stands around the lines of strace when a log has been through other hands.

Terminals colour it, editors end lines with CR, services and containers put their names before each
line, web pages and word processors write other quotation marks, collectors make JSON of it. The
beginning of a file tells which of it there is; each block of lines is then undressed.
"""

import html
import json
import re
from dataclasses import dataclass, replace
from typing import Final, TypeGuard

from imptrace.tracer.strace.prefixes import prefix_of, without

_SAMPLE: Final = 200
_ANSI: Final = re.compile(
    rb"\x1b(?:\[[0-9;?]*[A-Za-z]|[\]_P^X][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9])"
)
_SPACES: Final = re.compile(rb"(?:[ \t\r\f\v]|\xc2\x85)+\n")
_AT_ENDS: Final = (b"\r", b" \n", b"\t\n", b"\f\n", b"\x85\n")
_FENCE: Final = re.compile(rb"^(?:```\w*|</?(?:pre|code)>)$", re.MULTILINE)
"""What stands around a log in an issue or on a page, on a line of its own."""
_HTML: Final = re.compile(rb"&(?:quot|lt|gt|amp|#\d{1,6}|#x[0-9a-fA-F]{1,6}|nbsp);")
_MARKS_IN_HTML: Final = (b"(&quot;", b", &quot;", b"&lt;unfinished", b"&lt;... ")
_MARKS: Final = (b'("', b', "', b"<unfinished", b"<... ")
"""The same as strace writes them."""
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
_CONTEXT: Final = re.compile(
    rb'(?<=["\d>DE\]]) \[(?=[^\]\s"]*[_:])[A-Za-z_][\w:.,!-]*\](?=[ ,)\n]|$)', re.MULTILINE
)
"""An SELinux context behind a process, a path or a descriptor (--secontext)."""
_JSON_KEYS: Final = ("log", "MESSAGE", "message", "msg", "line", "text", "textPayload", "body")
_QUOTED: Final = re.compile(rb'[ \t]*"(.*)"[,;]?')


@dataclass(frozen=True, slots=True)
class Dress:
    """What is around the lines of one file."""

    prefix: re.Pattern[bytes] | None = None
    is_html: bool = False
    has_foreign_marks: bool = False
    has_contexts: bool = False
    json_key: str | None = None
    """Each line is an object, and this is the key of its text."""
    is_quoted: bool = False
    """Each line is a string, as of CSV or JSON."""
    is_escaped: bool = False
    ends_in_cr: bool = False
    """CR alone ends a line."""

    def lines_end(self, block: bytes) -> bytes:
        """Let the lines of a piece of the file end as all do."""
        return block.replace(b"\r", b"\n") if self.ends_in_cr else block

    def off(self, block: bytes) -> list[bytes]:
        """Take it off whole lines, the last of which may lack its newline."""
        if b"\x1b" in block:
            block = _ANSI.sub(b"", block)
        if any(end in block for end in _AT_ENDS):
            block = _SPACES.sub(b"\n", block)
        if b"```" in block or b"<pre>" in block or b"</pre>" in block:
            block = _FENCE.sub(b"", block)
        if self.is_html:
            block = html.unescape(block.decode("utf-8", "surrogateescape")).encode(
                "utf-8", "surrogateescape"
            )
        if self.has_foreign_marks:
            for theirs, ours in _FOREIGN:
                block = block.replace(theirs, ours)
        if self.json_key or self.is_quoted or self.is_escaped:
            block = b"\n".join(map(self._text, block.split(b"\n")))
        if self.has_contexts:
            block = _CONTEXT.sub(b"", block)
        lines = block.split(b"\n")
        if self.prefix is None:
            return lines
        return [without(self.prefix, line) for line in lines]

    def _text(self, line: bytes) -> bytes:
        if self.json_key:
            found = _object(line).get(self.json_key)
            return found.encode("utf-8", "surrogateescape").rstrip() if _is_text(found) else line
        match = _QUOTED.fullmatch(line) if self.is_quoted else None
        text = match[1] if match else line
        if self.is_escaped:
            return text.removesuffix(b"\\n").replace(b'\\"', b'"').replace(b"\\\\", b"\\")
        return text.replace(b'""', b'"')


def dress_of(head: bytes) -> Dress:
    """Tell from the beginning of a file what is around its lines."""
    if b"\r" in head and b"\n" not in head:
        return replace(dress_of(head.replace(b"\r", b"\n")), ends_in_cr=True)
    has_marks = any(b"(" + mark in head or b", " + mark in head for mark, _ in _FOREIGN[:4])
    has_marks = has_marks or b"\xc2\xa0= " in head or b"=\xc2\xa0" in head
    plain = Dress(is_html=_is_html(head), has_foreign_marks=has_marks)
    lines = [line for line in plain.off(head)[:_SAMPLE] if line]
    key = _json_key(lines[0]) if lines else None
    is_quoted = not key and bool(lines) and all(map(_QUOTED.fullmatch, lines[:-1] or lines))
    wrapped = Dress(
        is_html=plain.is_html,
        has_foreign_marks=has_marks,
        has_contexts=_CONTEXT.search(head) is not None,
        json_key=key,
        is_quoted=is_quoted,
        is_escaped=not key and b'(\\"' in head and b'("' not in head,
    )
    lines = [line for line in wrapped.off(head)[:_SAMPLE] if line]
    return replace(wrapped, prefix=prefix_of(lines))


def _is_html(head: bytes) -> bool:
    return (
        _HTML.search(head) is not None
        and any(mark in head for mark in _MARKS_IN_HTML)
        and not any(
            ours in head
            for ours, theirs in zip(_MARKS, _MARKS_IN_HTML, strict=True)
            if theirs in head
        )
    )


def _json_key(line: bytes) -> str | None:
    """Find under which key the text stands, where lines are objects."""
    found = _object(line)
    return next((key for key in _JSON_KEYS if _is_text(found.get(key))), None)


def _object(line: bytes) -> dict[str, object]:
    if not line.startswith(b"{"):
        return {}
    try:
        found = json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_text(found: object) -> TypeGuard[str]:
    return isinstance(found, str)
