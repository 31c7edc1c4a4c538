"""The catalogue's lines as a tree of names, to be walked together with a tree of files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from imptrace.catalogue import Entry
from imptrace.facts.patterns import Pattern, compiled, is_wild
from imptrace.judge.known import Knowledge, Known
from imptrace.judge.places import Places


@dataclass(slots=True)
class CatalogueNode:
    """What the catalogue knows of a path, and of those right below it."""

    known: Known | None = None
    literal: dict[bytes, "CatalogueNode"] = field(default_factory=dict)
    wild: dict[bytes, tuple[Pattern, "CatalogueNode"]] = field(default_factory=dict)


Nodes = tuple[CatalogueNode, ...]
"""All that fit one path; none where nothing is known of it nor of anything below it."""


class CatalogueLines:
    """The catalogue's lines, for a walk from the top of a tree down."""

    def __init__(self, entries: Iterable[Entry], places: Places) -> None:
        self._knowledge = Knowledge(entries, places)
        self._root = CatalogueNode()
        for pattern, known in self._knowledge.lines():
            node = self._root
            for name in pattern.strip(b"/").split(b"/"):
                node = _child(node, name)
            if node.known is None:
                node.known = known

    def nodes(self, path: bytes) -> Nodes:
        """Find what fits a path, from the top."""
        nodes: Nodes = (self._root,)
        for name in path.strip(b"/").split(b"/") if path != b"/" else ():
            nodes = below(nodes, name)
        return nodes

    def about(self, path: bytes) -> Known | None:
        """Answer with the best line for a path: about itself, or about a directory above it."""
        return self._knowledge.about(path)


def below(nodes: Nodes, name: bytes) -> Nodes:
    """Find what fits an entry of a directory."""
    if not nodes:
        return nodes
    found = []
    for node in nodes:
        if name in node.literal:
            found.append(node.literal[name])
        found += [each for pattern, each in node.wild.values() if pattern.fullmatch(name)]
    return tuple(found)


def lead_deeper(nodes: Nodes) -> bool:
    """Whether something is known of what lies below."""
    return any(node.literal or node.wild for node in nodes)


def named(nodes: Nodes, names: Sequence[bytes]) -> set[int]:
    """Tell of which entries of a directory something is known, by their indices."""
    if not nodes:
        return set()
    literal = {name for node in nodes for name in node.literal}
    patterns = [pattern for node in nodes for pattern, _ in node.wild.values()]
    return {
        index
        for index, name in enumerate(names)
        if name in literal or any(pattern.fullmatch(name) for pattern in patterns)
    }


def line_at(nodes: Nodes, path: bytes) -> Known | None:
    """Answer with the line about exactly this path; a literal one comes first."""
    known = next((node.known for node in nodes if node.known is not None), None)
    return None if known is None else replace(known, path=path)


def _child(node: CatalogueNode, name: bytes) -> CatalogueNode:
    if not is_wild(name):
        return node.literal.setdefault(name, CatalogueNode())
    if name not in node.wild:
        node.wild[name] = compiled(name), CatalogueNode()
    return node.wild[name][1]
