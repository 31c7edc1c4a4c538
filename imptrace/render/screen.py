"""Where an answer is shown: how wide, and whether in colours. rich draws it, as text.

A table fits the screen: cells break between words, and paths behind a slash. Where that would leave
columns of a few letters, the last column goes on lines of its own, below each row.
"""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TextIO

from rich.cells import cell_len, chop_cells
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

_ENDLESS = 100_000
"""Columns of a pipe: nothing is broken there, so that line-wise tools find whole lines."""
_GAP = 2
_RIGID = 14
"""Columns as narrow as this are never broken."""
_READABLE = 24
"""A column that is broken is at least as wide as this."""
_LEAST = 4
_LAST_COLOURS = re.compile(r"(?:\x1b\[[\d;]*m)+$")
_BREAKS = re.compile(r"[^\s/]*(?:/+|\s+|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A terminal of some width, or a pipe."""

    width: int | None = None
    """Terminal cells; None does not break lines."""
    coloured: bool = False

    def bold(self, text: str) -> str:
        """Make text stand out."""
        return self.marked("bold", text)

    def dim(self, text: str) -> str:
        """Let text step back."""
        return self.marked("dim", text)

    def marked(self, style: str, text: str) -> str:
        """Give text a style of rich's: green for new, yellow for changed, red for gone."""
        if not self.coloured or not style:
            return text
        return Style.parse(style).render(text, color_system=ColorSystem.STANDARD)

    def lines(self, drawn: RenderableType, indent: int = 0) -> list[str]:
        """Draw something of rich's, as lines without blanks at their ends."""
        file = StringIO()
        Console(
            file=file,
            width=_ENDLESS if self.width is None else max(1, self.width - indent),
            force_terminal=self.coloured,
            color_system="standard" if self.coloured else None,
            legacy_windows=False,
        ).print(drawn, highlight=False, markup=False, emoji=False, crop=False)
        return [" " * indent + line for line in map(_trimmed, file.getvalue().splitlines())]

    def cut(self, text: str, used: int) -> str:
        """Shorten a line to what is left of the screen behind `used` cells."""
        room = max(_READABLE, (self.width or _ENDLESS) - used)
        return text if cell_len(text) <= room else chop_cells(text, room - 1)[0] + "…"

    def wrapped(self, text: str, indent: int = 0) -> list[str]:
        """Break a sentence between words."""
        if self.width is None:
            return [" " * indent + text]
        return [" " * indent + line for line in _broken(text, self.width - indent)]

    def table(
        self,
        heading: Sequence[str],
        rows: Sequence[Sequence[str]],
        styles: Sequence[str] = (),
        indent: int = 0,
    ) -> list[str]:
        """Draw rows in columns below a heading, each in its own style."""
        natural = [max(map(cell_len, column)) for column in zip(heading, *rows, strict=True)]
        widths = self._fitting(natural, indent)
        below = widths is None
        if widths is None:
            widths = self._fitting(natural[:-1], indent) or _squeezed(
                natural[:-1], self._room(len(natural) - 1, indent)
            )
        above = [(heading, "dim")] if any(heading) else []
        styled = [*above, *zip(rows, [*styles, *[""] * (len(rows) - len(styles))], strict=True)]
        if not below:
            return self.lines(_grid(styled, widths), indent)
        lines: list[str] = []
        for row, style in styled:
            lines += self.lines(_grid([(row[:-1], style)], widths), indent)
            if row[-1] and row is not heading:
                remark = self.wrapped(row[-1], indent + _GAP)
                lines += [self.marked(style, line) for line in remark]
        return lines

    def _room(self, columns: int, indent: int) -> int:
        width = _ENDLESS if self.width is None else self.width
        return width - indent - _GAP * (columns - 1)

    def _fitting(self, natural: Sequence[int], indent: int) -> list[int] | None:
        """Find widths that fit; None if a broken column would be too narrow to be read."""
        room = self._room(len(natural), indent)
        if sum(natural) <= room:
            return list(natural)
        widths = _squeezed(natural, room)
        fits = sum(widths) <= room and all(
            width >= min(wanted, _READABLE) for width, wanted in zip(widths, natural, strict=True)
        )
        return widths if fits else None


def screen_for(stream: TextIO) -> Screen:
    """Tell how a stream shows text: a pipe breaks no line; NO_COLOR leaves out colours."""
    if not stream.isatty():
        return Screen(coloured=_are_colours_forced())
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Screen(width=max(20, shutil.get_terminal_size().columns), coloured=wanted)


def _grid(rows: Sequence[tuple[Sequence[str], str]], widths: Sequence[int]) -> Table:
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    for width in widths:
        grid.add_column(width=width, no_wrap=True, overflow="ignore")
    for cells, style in rows:
        grid.add_row(
            *(
                Text("\n".join(_broken(cell, width)), style)
                for cell, width in zip(cells, widths, strict=True)
            )
        )
    return grid


def _are_colours_forced() -> bool:
    return bool(os.environ.get("FORCE_COLOR")) and not os.environ.get("NO_COLOR")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align the cells of a long list of paths, which is broken nowhere.

    For thousands of lines a table of rich's takes a second.
    """
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _trimmed(line: str) -> str:
    """Take away blanks at the end, also those that are inside of a colour."""
    colours = _LAST_COLOURS.search(line)
    end = colours.start() if colours else len(line)
    return line[:end].rstrip(" ") + line[end:]


def _squeezed(natural: Sequence[int], room: int) -> list[int]:
    """Share out the room: what is narrow keeps its width, the rest gets equal parts."""
    widths = list(natural)
    flexible = [index for index, width in enumerate(natural) if width > _RIGID]
    left = room - sum(width for width in natural if width <= _RIGID)
    if left < _LEAST * len(flexible) or (not flexible and left < 0):
        flexible, left = list(range(len(natural))), room
    for position, index in enumerate(sorted(flexible, key=natural.__getitem__)):
        widths[index] = max(_LEAST, min(natural[index], left // (len(flexible) - position)))
        left -= widths[index]
    return widths


def _broken(text: str, width: int) -> list[str]:
    """Break text between words and behind slashes; inside a word only where it fits no line."""
    if cell_len(text) <= width:
        return [text]
    lines, line = [], ""
    for piece in _pieces(text, width):
        if line and cell_len((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _pieces(text: str, width: int) -> Iterator[str]:
    for piece in _BREAKS.findall(text):
        if cell_len(piece.rstrip()) <= width:
            yield piece
        else:
            yield from chop_cells(piece, width)
