"""Leaks as a tree of directories: sums, order, filter. Knows no terminal."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from imptrace.facts.levels import Level
from imptrace.kept.leaks.model import Leak
from imptrace.render.text import printable

_DEEPEST = 100
"""Below so many directories the rest of a path is one name: trees are drawn by recursion."""


class SortOrder(Enum):
    """What comes first."""

    CARE = "care"
    SIZE = "size"
    NAME = "name"

    @property
    def following(self) -> "SortOrder":
        """The next one, around."""
        orders = list(SortOrder)
        return orders[(orders.index(self) + 1) % len(orders)]


@dataclass(slots=True)
class ForestNode:
    """A directory or file: a leak, or what leaks lie in."""

    path: bytes
    name: bytes
    leak: Leak | None = None
    inside: dict[bytes, "ForestNode"] = field(default_factory=dict)
    held: int | None = None
    """Bytes of something that only lies in a leak."""
    is_directory: bool = True
    lost: int = 0
    """Bytes of all leaks at it and below."""
    level: Level = Level.TRANSIENT
    """The most care that anything at it or below needs."""

    @property
    def size(self) -> int:
        """Bytes to show."""
        return self.lost if self.held is None else self.held

    def add(self, leak: Leak) -> None:
        """Take a leak at it or below into account."""
        self.lost += leak.size
        self.level = max(self.level, leak.level)

    def ordered(self, order: SortOrder) -> list["ForestNode"]:
        """Sort what lies in it."""
        by = {
            SortOrder.CARE: lambda each: (-each.level.rank, -each.size, each.name),
            SortOrder.SIZE: lambda each: (-each.size, each.name),
            SortOrder.NAME: lambda each: (each.name,),
        }
        return sorted(self.inside.values(), key=by[order])

    def leaks(self) -> Iterator[Leak]:
        """Yield every leak at it and below."""
        if self.leak is not None:
            yield self.leak
        for each in self.inside.values():
            yield from each.leaks()


def forest(leaks: Iterable[Leak]) -> ForestNode:
    """Make the tree; a chain of directories with one entry each is one node."""
    root = ForestNode(b"/", b"/")
    for leak in leaks:
        node = root
        node.add(leak)
        for name in leak.path.strip(b"/").split(b"/", _DEEPEST):
            path = node.path.rstrip(b"/") + b"/" + name
            node = node.inside.setdefault(name, ForestNode(path, name))
            node.add(leak)
        node.leak = leak
    _join_chains(root)
    return root


def matching(leaks: Iterable[Leak], wanted: str) -> list[Leak]:
    """Choose by any word of what is shown of a leak."""
    words = wanted.lower().split()
    return [leak for leak in leaks if all(word in _text(leak) for word in words)]


def _text(leak: Leak) -> str:
    writers = " ".join(
        printable(word)
        for writer in leak.writers
        for word in (writer.program, writer.unit, writer.user)
        if word
    )
    return f"{printable(leak.path)} {leak.level.value} {leak.user} {writers}".lower()


def _join_chains(node: ForestNode) -> None:
    for key, each in list(node.inside.items()):
        _join_chains(each)
        if each.leak is None and len(each.inside) == 1:
            (only,) = each.inside.values()
            node.inside[key] = replace(only, name=each.name + b"/" + only.name)
