"""Nix source, read through its grammar: where things stand, in bytes.

Nothing here changes anything. `attrpath` below is a tuple of attribute names.
"""

import codecs
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import tree_sitter
import tree_sitter_nix
from tree_sitter import Node

from imptrace.contribute.proposal import shown
from imptrace.errors import UsageError

AttrPath = tuple[str, ...]

_PIPE = re.compile(rb"\|>|<\|")
_LANGUAGE = tree_sitter.Language(tree_sitter_nix.language())
_ATTRSETS = ("attrset_expression", "rec_attrset_expression", "let_attrset_expression")
# Expressions whose value is that of their body, with the field that holds it.
_WRAPPERS = {
    "function_expression": "body",
    "let_expression": "body",
    "with_expression": "body",
    "assert_expression": "body",
    "parenthesized_expression": "expression",
}


class NixSyntaxError(UsageError):
    """A Nix file cannot be read, or is not written in a form that can be changed safely."""


class Binding(NamedTuple):
    """`a.b = value;` inside an attribute set: `path` is what stands before the `=`."""

    path: AttrPath
    value: Node
    node: Node


def parse(source: bytes, name: str) -> Node:
    """Read the expression of a Nix file. Raises NixSyntaxError that names the line."""
    if source.startswith(codecs.BOM_UTF8):
        raise NixSyntaxError(
            f"{shown(name)} begins with a byte order mark, which Nix does not read: save it without"
        )
    root = _root(source)
    if root.has_error:
        source = _without_last_commas(source, root)
        root = _root(_without_pipes(source, root))
    wrong = next((node for node in walk(root) if node.is_error or node.is_missing), None)
    if wrong is not None:
        line = line_of(wrong)
        raise NixSyntaxError(f"{shown(name)}:{line}: not valid Nix, so it is left as it is")
    expression = root.child_by_field_name("expression")
    if expression is None:
        raise NixSyntaxError(f"{shown(name)} holds no Nix expression")
    return expression


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, in the order of the source."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def text(node: Node) -> str:
    """Give the source of a node."""
    return (node.text or b"").decode(errors="surrogateescape")


def body(node: Node) -> Node:
    """Go to what a function, `let`, `with` or pair of parentheses comes to."""
    while node.type in _WRAPPERS:
        inner = node.child_by_field_name(_WRAPPERS[node.type])
        if inner is None:
            return node
        node = inner
    return node


def is_attrset(node: Node) -> bool:
    """Whether a node is a literal attribute set."""
    return node.type in _ATTRSETS


def bindings(attrset: Node) -> list[Binding]:
    """List the bindings that stand directly in an attribute set or a `let`; `inherit` has none."""
    found = []
    for child in attrset.named_children:
        if child.type == "binding_set":
            found += [_binding(node) for node in child.named_children if node.type == "binding"]
    return [binding for binding in found if binding is not None]


def all_bindings(node: Node) -> Iterator[Binding]:
    """Yield every binding of nested attribute sets, each with its whole path, in order."""
    waiting = [Binding((), node, node)]
    while waiting:
        outer = waiting.pop()
        if outer.path:
            yield outer
        inner = body(outer.value)
        if is_attrset(inner):
            waiting += [
                Binding(outer.path + each.path, each.value, each.node)
                for each in reversed(bindings(inner))
            ]


def find(node: Node, path: AttrPath) -> Binding | None:
    """Find the binding of exactly this path, whether written dotted or nested."""
    return next((binding for binding in all_bindings(node) if binding.path == path), None)


def elements(listing: Node) -> list[Node]:
    """List the elements of a literal list."""
    return listing.children_by_field_name("element")


def comments(node: Node) -> list[Node]:
    """List all comments below a node."""
    return [child for child in walk(node) if child.type == "comment"]


def string_value(node: Node) -> str | None:
    """Give the value of a string without interpolation, None for anything else."""
    if node.type != "string_expression":
        return None
    parts = []
    for part in node.named_children:
        if part.type == "string_fragment":
            parts.append(text(part))
        elif part.type == "escape_sequence":
            escaped = text(part)[1:]
            parts.append({"n": "\n", "r": "\r", "t": "\t"}.get(escaped, escaped))
        elif part.type != "dollar_escape":  # the grammar's node is the backslash alone
            return None
    return "".join(parts)


def line_of(node: Node) -> int:
    """Count the line on which a node begins, counted from 1."""
    return node.start_point.row + 1


def _root(source: bytes) -> Node:
    return tree_sitter.Parser(_LANGUAGE).parse(source).root_node


def _without_last_commas(source: bytes, root: Node) -> bytes:
    """Blank the commas before a `}`, so that all positions stay as they are.

    The grammar as it is released refuses `{ a, }: a`, which Nix accepts and formatters write:
    https://github.com/nix-community/tree-sitter-nix/pull/131
    """
    tokens = [node for node in walk(root) if not node.child_count and node.type != "comment"]
    tokens = [node for node in tokens if node.end_byte > node.start_byte]
    for token, following in pairwise(tokens):
        if (token.type, following.type) == (",", "}"):
            source = source[: token.start_byte] + b" " + source[token.end_byte :]
    return source


def _without_pipes(source: bytes, root: Node) -> bytes:
    """Write `->` for the pipes of newer Nix, which the grammar does not know: no list is either."""
    texts = [
        (node.start_byte, node.end_byte)
        for node in walk(root)
        if node.type in ("comment", "string_fragment", "path_fragment", "uri_expression")
    ]
    found = [match.start() for match in _PIPE.finditer(source)]
    for start in found:
        if not any(begin <= start < end for begin, end in texts):
            source = source[:start] + b"->" + source[start + 2 :]
    return source


def _binding(node: Node) -> Binding | None:
    attrpath, value = node.child_by_field_name("attrpath"), node.child_by_field_name("expression")
    if attrpath is None or value is None:
        return None
    names = [_name(attr) for attr in attrpath.children_by_field_name("attr")]
    if any(name is None for name in names):
        return None
    return Binding(tuple(name for name in names if name is not None), value, node)


def _name(attr: Node) -> str | None:
    return text(attr) if attr.type == "identifier" else string_value(attr)
