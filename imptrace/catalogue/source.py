"""Where in a catalogue file something stands, for messages that name the line.

`tomllib` keeps no positions; the files are flat (keys, then arrays of tables), so that headers
and keys can be found by looking at how their lines begin.
"""

import re
from dataclasses import dataclass

_HEADER = re.compile(r"\s*\[\[\s*([\w-]+)\s*\]\]")
_ANY_HEADER = re.compile(r"\s*\[")


@dataclass(frozen=True, slots=True)
class Spot:
    """A key, in the `index`-th table named `table`, or at the top of the file."""

    table: str | None = None
    index: int = 0
    key: str | None = None


def line_of(text: str, spot: Spot) -> int:
    """Line number, from 1, of the key at `spot`; of its table where the key is not there."""
    lines = text.splitlines()
    start = 0 if spot.table is None else _header_line(lines, spot.table, spot.index)
    if spot.key is None:
        return start + 1
    key = re.compile(rf"""\s*["']?{re.escape(spot.key)}["']?\s*(=|\.)""")
    body_start = start if spot.table is None else start + 1
    for number in range(body_start, len(lines)):
        if key.match(lines[number]):
            return number + 1
        if _ANY_HEADER.match(lines[number]):
            break
    return start + 1 if spot.table else _table_line(lines, spot.key)


def _header_line(lines: list[str], table: str, index: int) -> int:
    """Index into `lines` of the `index`-th header of `table`; 0 where it is written otherwise."""
    found = [
        number
        for number, line in enumerate(lines)
        if (match := _HEADER.match(line)) and match[1] == table
    ]
    return found[index] if index < len(found) else 0


def _table_line(lines: list[str], key: str) -> int:
    """Line number of the header `[key]` or `[[key]]`, or 1."""
    header = re.compile(rf"\s*\[+\s*{re.escape(key)}\s*\]+")
    return next((number for number, line in enumerate(lines, 1) if header.match(line)), 1)
