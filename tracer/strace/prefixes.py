"""What services, containers, terminals and people put before each line of a log."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from imptrace.tracer.strace.lines import HEAD, LineKind, first_part, parse_call, parse_line

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
        rb"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? ",  # ts
        rb"(?=[\d./-]*[A-Za-z_])(?:[\w./-]{1,200}:){1,3}(?=\d|\[pid|[a-z_]+\()",  # grep -H
        rb"\[\d{4}-\d\d-\d\d[ T][\d:.,]+Z?\] ",  # ts, Jenkins
        rb" *\d+(?:\t|:(?!\d\d\b)) ?",  # grep -n, cat -n
        rb"(?=[\d./-]*[A-Za-z_])[\w./-]{1,200}:\d+:",  # grep -Hn
        rb"(?:[>|+#*;] ?|// ?)+",  # a quotation, a diff, a comment
        rb"[ \t]+",
    )
)
_ANY: Final = re.compile(
    rb"[^\n]{1,300}?(?<=[ \t|>\])=])"
    rb"(?=(?:(?:\[pid +\d{1,7}\]|\d{1,7}) +)?"
    rb"(?:\d\d:\d\d:\d\d(?:\.\d{1,9})? |\d{9,10}\.\d{1,9} )?"
    rb"(?:[a-z_][a-z0-9_]*\(|<\.\.\. [a-z_][a-z0-9_]* resumed>"
    rb"|\+\+\+ (?:exited|killed|superseded) |--- (?:SIG|stopped)))"
)
"""Whatever it is, up to where strace's own line can begin."""
_NUMBER: Final = re.compile(rb" *(\d{1,9}) +")
_FEWEST_NUMBERED: Final = 3


def prefix_of(lines: Sequence[bytes]) -> re.Pattern[bytes] | None:
    """Tell what stands before most of these lines; None where strace's lines stand alone."""
    if _are_numbered(lines):
        return _NUMBER
    best, most = None, sum(map(is_strace_line, lines))
    for prefix in _PREFIXES:
        found = sum(is_strace_line(without(prefix, line)) for line in lines)
        if found > most:
            best, most = prefix, found
    if most * 2 < sum(is_strace_line(without(_ANY, line)) for line in lines):
        return _ANY
    return best


def without(prefix: re.Pattern[bytes], line: bytes) -> bytes:
    """Take a prefix off a line that has it."""
    if prefix is _ANY and HEAD.match(line):
        return line
    match = prefix.match(line)
    return line[match.end() :] if match else line


def _are_numbered(lines: Sequence[bytes]) -> bool:
    """Whether each line begins with its number, which is else taken for a process."""
    found = [match for line in lines if (match := _NUMBER.match(line))]
    numbers = [int(match[1]) for match in found]
    return len(numbers) >= max(_FEWEST_NUMBERED, len(lines) - 1) and all(
        after == before + 1 for before, after in pairwise(numbers)
    )


def is_strace_line(line: bytes) -> bool:
    """Whether a line can only be strace's."""
    parsed = parse_line(line)
    if parsed is None or parsed.kind in (LineKind.REMARK, LineKind.RESUMED):
        return False
    if parsed.kind is LineKind.CALL:
        return first_part(parsed.rest) is not None or parse_call(parsed.rest) is not None
    return parsed.kind is LineKind.ATTACHED or parsed.rest.endswith((b" +++", b" ---"))
