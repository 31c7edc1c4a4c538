"""The processes of a run as a tree.

A process that execs is one line: the names of the programs that it was, and the command line of
the last. Leaves that run the same program beside each other are one line
with their number, since a build has thousands.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from imptrace.db.records import ProcessRecord
from imptrace.facts.programs import program_name
from imptrace.render.style import Style
from imptrace.render.text import printable
from imptrace.render.words import command_line

LINES = 60
"""More are not read; a last line says how many processes were left out."""


def process_tree(processes: Sequence[ProcessRecord], style: Style, width: int | None) -> list[str]:
    """Show processes; lines are cut to `width` cells, where that is given."""
    tree = _Tree(processes)
    lines: list[str] = []
    shown = 0
    for indent, group in tree.lines():
        if len(lines) == LINES:
            lines.append(style.dim(f"... {tree.size - shown:,} more (--json has all)"))
            break
        shown += len(group)
        text = _cut(indent + _describe(group, tree.names(group[0])), width)
        lines.append(style.dim(text[: len(indent)]) + text[len(indent) :])
    return lines


class _Tree:
    def __init__(self, processes: Sequence[ProcessRecord]) -> None:
        replaced = {process.previous for process in processes}
        last = [process for process in processes if process.id not in replaced]
        self.size = len(last)
        self._by_id = by_id = {process.id: process for process in processes}
        last_image = {process.id: process for process in last}
        # In reverse, so that an image that was replaced finds where its successor ended.
        for process in reversed(processes):
            if process.previous is not None:
                last_image[process.previous] = last_image.get(process.id, process)
        self._children: dict[int | None, list[ProcessRecord]] = {}
        for process in last:
            parent = by_id.get(process.parent) if process.parent is not None else None
            above = last_image[parent.id].id if parent else None
            self._children.setdefault(above, []).append(process)

    def lines(self) -> Iterator[tuple[str, list[ProcessRecord]]]:
        """Walk down: the line's indentation, and the processes that it stands for."""
        waiting = [("", "", group) for group in reversed(self._groups(None))]
        while waiting:
            own_indent, indent, group = waiting.pop()
            yield own_indent, group
            below = self._groups(group[0].id) if len(group) == 1 else []
            for number, child in enumerate(reversed(below)):
                own, further = ("└─ ", "   ") if number == 0 else ("├─ ", "│  ")
                waiting.append((indent + own, indent + further, child))

    def names(self, process: ProcessRecord) -> list[str]:
        """List the programs that a process was, up to the last, which `process` is."""
        names: list[str] = []
        image: ProcessRecord | None = process
        while image is not None:
            name = printable(program_name(image.exe))
            if not names or names[-1] != name:
                names.append(name)
            image = self._by_id.get(image.previous) if image.previous is not None else None
        return names[::-1]

    def _groups(self, parent: int | None) -> list[list[ProcessRecord]]:
        """Put neighbours that run the same program and have no children together."""
        groups = groupby(
            self._children.get(parent, []),
            key=lambda child: (
                child.id if child.id in self._children else None,
                program_name(child.exe),
            ),
        )
        return [list(group) for _, group in groups]


def _describe(group: list[ProcessRecord], names: list[str]) -> str:
    first = group[0]
    if len(group) > 1:
        return f"{names[-1]}, {len(group):,} processes"
    words = [str(first.pid), *(f"{name} →" for name in names[:-1])]
    return " ".join([*words, command_line(first.argv) or printable(first.exe) or "(unknown)"])


def _cut(text: str, width: int | None) -> str:
    return text if width is None or len(text) <= width else text[: max(1, width - 1)] + "…"
