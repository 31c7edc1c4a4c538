"""Paths as a tree of directories."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rich.text import Text
from rich.tree import Tree

from imptrace.db.records import PathRecord
from imptrace.render.text import printable
from imptrace.render.words import counted, size, tilde
from imptrace.tracer.events import FileType

FEW = 8
"""What was made whole with no more in it is shown whole."""
_MANY = 20
"""Names in one directory that nobody reads one by one."""


@dataclass(slots=True)
class PathNode:
    """A name in the tree, with what was recorded of it and all that lies below."""

    path: bytes
    record: PathRecord | None = None
    children: dict[bytes, "PathNode"] = field(default_factory=dict)

    def below(self) -> Iterator[PathRecord]:
        """Walk over what was recorded below this directory."""
        waiting = [*self.children.values()]
        while waiting:
            node = waiting.pop()
            if node.record is not None:
                yield node.record
            waiting.extend(node.children.values())


def tree_of(paths: Sequence[PathRecord]) -> PathNode:
    """Put paths below their directories."""
    root = PathNode(b"")
    for record in paths:
        node = root
        for part in record.path.split(b"/")[1:]:
            below = node.children.get(part)
            if below is None:
                below = node.children[part] = PathNode(node.path + b"/" + part)
            node = below
        node.record = record
    return root


def path_tree(
    paths: Sequence[PathRecord],
    describe: Callable[[PathRecord, str], str],
    home: bytes | None,
    *,
    folded: bool,
) -> list[Tree]:
    """Draw paths below their directories; `describe` makes the line of a path and its name.

    Directories that hold nothing else than one directory share its line. `folded`: a directory
    that was made whole, with much in it, is one line with how much that is.
    """
    trees: list[Tree] = []
    waiting: list[tuple[Tree | None, PathNode, PathNode]] = [(None, (root := tree_of(paths)), root)]
    while waiting:
        tree, above, node = waiting.pop()
        node = _without_lone_directories(node)
        drawn: Tree | None = None
        if node is not root:
            label = _label(node, above, describe, home)
            is_folded = folded and is_one_thing(node)
            if is_folded:
                label.append_text(Text(f"  {amount(node)}", "dim"))
            drawn = Tree(label, guide_style="dim")
            (trees if tree is None else tree.children).append(drawn)
            if is_folded:
                continue
        waiting += [(drawn, node, child) for child in reversed(node.children.values())]
    return trees


def is_one_thing(node: PathNode) -> bool:
    """Whether a directory was made with much in it, or holds more names than anybody reads."""
    if len(node.children) > _MANY and node.path:
        return True
    if node.record is None or node.record.effect is None:
        return False
    return sum(1 for _ in zip(node.below(), range(FEW + 1), strict=False)) > FEW


def amount(node: PathNode) -> str:
    """Say how much lies below a directory."""
    records = list(node.below())
    files = [each.after for each in records if each.after and each.after.type is FileType.FILE]
    total = f", {size(sum(each.size for each in files))}" if files else ""
    return f"({counted(len(records), 'path')} in it{total})"


def _label(
    node: PathNode, above: PathNode, describe: Callable[[PathRecord, str], str], home: bytes | None
) -> Text:
    name = printable(node.path[len(above.path) + 1 :]) if above.path else tilde(node.path, home)
    if node.record is None:
        return Text(name + "/", "dim")
    return Text.from_ansi(describe(node.record, name))


def _without_lone_directories(node: PathNode) -> PathNode:
    while node.record is None and len(node.children) == 1 and node.path:
        (node,) = node.children.values()
    return node
