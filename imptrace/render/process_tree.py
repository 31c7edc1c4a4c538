"""The processes of a run as a tree.

A process that execs is one line: the names of the programs that it was, and the command line of
the last. Leaves that run the same program beside each other are one line
with their number, since a build has thousands.
"""

from collections.abc import Sequence
from itertools import groupby

from rich.text import Text
from rich.tree import Tree

from imptrace.db.records import ProcessRecord
from imptrace.facts.programs import program_name
from imptrace.render.text import printable
from imptrace.render.words import command_line

_FEW = 5
LINES = 60
"""More are not read; a last line says how many processes were left out."""


def process_tree(processes: Sequence[ProcessRecord]) -> list[Tree]:
    """Draw processes; a line that does not fit the screen is cut."""
    tree = _ProcessTree(processes)
    drawn: list[Tree] = []
    shown = lines = 0
    waiting: list[tuple[list[Tree], list[ProcessRecord]]] = [
        (drawn, group) for group in reversed(tree.groups(None))
    ]
    while waiting and lines < LINES:
        above, group = waiting.pop()
        label = Text(_describe(group, tree.names(group[0])), no_wrap=True, overflow="ellipsis")
        node = Tree(label, guide_style="dim")
        above.append(node)
        lines, shown = lines + 1, shown + len(group)
        below = tree.groups(group[0].id) if len(group) == 1 else []
        waiting += [(node.children, child) for child in reversed(below)]
    if waiting:
        drawn.append(Tree(Text(f"... {tree.size - shown:,} more (--json has all)", "dim")))
    return drawn


class _ProcessTree:
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

    def groups(self, parent: int | None) -> list[list[ProcessRecord]]:
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
        return f"{names[-1] or _pids(group)}, {len(group):,} processes"
    words = [str(first.pid), *(f"{name} →" for name in names[:-1])]
    return " ".join([*words, command_line(first.argv) or printable(first.exe) or "(unknown)"])


def _pids(group: Sequence[ProcessRecord]) -> str:
    """Name processes of which nothing but their numbers is known."""
    shown = ", ".join(str(each.pid) for each in group[:_FEW])
    return f"(unknown: {shown}{', ...' if len(group) > _FEW else ''})"
