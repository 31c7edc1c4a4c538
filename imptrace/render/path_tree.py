"""Paths as a tree of directories."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from imptrace.db.records import PathRecord
from imptrace.render.style import Style
from imptrace.render.text import printable
from imptrace.render.words import tilde


def path_tree(
    paths: Sequence[PathRecord],
    describe: Callable[[PathRecord, str], str],
    home: bytes | None,
    style: Style,
) -> list[str]:
    """Show paths below their directories; `describe` makes the line of a path and its name.

    Directories that hold nothing else than one directory share its line.
    """
    lines = []
    for indent, name, node in _walk(_tree_of(paths), home):
        if node.record is None:
            lines.append(style.dim(indent + name))
        else:
            lines.append(style.dim(indent) + describe(node.record, name))
    return lines


@dataclass(slots=True)
class _Node:
    path: bytes
    record: PathRecord | None = None
    children: dict[bytes, "_Node"] = field(default_factory=dict)


def _tree_of(paths: Sequence[PathRecord]) -> _Node:
    root = _Node(b"")
    for record in paths:
        node = root
        for part in record.path.split(b"/")[1:]:
            below = node.children.get(part)
            if below is None:
                below = node.children[part] = _Node(node.path + b"/" + part)
            node = below
        node.record = record
    return root


def _walk(root: _Node, home: bytes | None) -> Iterator[tuple[str, str, _Node]]:
    """Yield each line's indentation, name and node, from the top down."""
    waiting = [("", "", root, root)]
    while waiting:
        own_indent, indent, above, node = waiting.pop()
        node = _without_lone_directories(node)
        if node is not root:
            yield own_indent, _name(node, above, home), node
        for number, child in enumerate(reversed(node.children.values())):
            own, further = ("└─ ", "   ") if number == 0 else ("├─ ", "│  ")
            if node is root:
                own = further = ""
            waiting.append((indent + own, indent + further, node, child))


def _without_lone_directories(node: _Node) -> _Node:
    while node.record is None and len(node.children) == 1 and node.path:
        (node,) = node.children.values()
    return node


def _name(node: _Node, above: _Node, home: bytes | None) -> str:
    name = printable(node.path[len(above.path) + 1 :]) if above.path else tilde(node.path, home)
    return name + "/" if node.record is None else name
