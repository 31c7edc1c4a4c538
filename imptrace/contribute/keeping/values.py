"""What an expression comes to: the literal lists in it, through conditions, merges and names."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from imptrace.contribute.nix_source import tree as nix_tree

_MAPS = frozenset({"map", "builtins.map", "lib.map"})
_PREFIXED = re.compile(r'(\w+):\s*"(?P<prefix>[^"$\\]*)\$\{\s*\1\s*\}"')
# `mkIf condition VALUE` and its like come to VALUE; each element of `mkMerge [ ... ]` counts.
_TRANSPARENT = frozenset(
    {
        "mkIf",
        "mkMerge",
        "mkForce",
        "mkBefore",
        "mkAfter",
        "mkDefault",
        "mkOrder",
        "mkOverride",
        "optionalAttrs",
        "unique",
        "flatten",
        "concatLists",
    }
)
_OF_PARTS = frozenset({"mkMerge", "concatLists"})
_CONDITIONAL = frozenset({"optionals", "optional"})


class FoundList(NamedTuple):
    """A list that is a part of a value."""

    node: Node
    """The literal list, or what is computed."""
    elements: tuple[Node, ...]
    prefix: str = ""
    """What `map (name: "/var/lib/${name}") [ ... ]` puts before each element."""
    is_conditional: bool = False
    """It counts in one of several cases: `optionals c [ ... ]`, `if c then ... else ...`."""
    is_computed: bool = False
    """Nothing can be put into it; another list can be joined to it."""


def function_of(node: Node) -> str:
    """Name the function that an application calls, without its set: `mkIf` of `lib.mkIf`."""
    function = node.child_by_field_name("function")
    while function is not None and function.type == "apply_expression":
        function = function.child_by_field_name("function")
    return nix_tree.text(function).rpartition(".")[2] if function is not None else ""


def is_transparent(node: Node) -> bool:
    """Whether what an application is given is what it comes to."""
    return function_of(node) in _TRANSPARENT


def values(value: Node) -> Iterator[Node]:
    """Yield what a value comes to, through conditions and merges."""
    value = nix_tree.body(value)
    if value.type == "apply_expression" and is_transparent(value):
        yield from _of_argument(value)
    elif value.type == "variable_expression":
        bound = bound_value(value, nix_tree.text(value))
        yield from values(bound) if bound is not None else (value,)
    elif value.type == "binary_expression" and operator_of(value) == "++":
        for side in sides(value):
            yield from values(side)
    elif value.type == "binary_expression" and operator_of(value) == "//":
        # What is on the right replaces what is on the left: nothing is safe beside the unknown.
        parts = [inner for side in sides(value) for inner in values(side)]
        if all(map(nix_tree.is_attrset, parts)):
            yield from parts
    else:
        yield value


def _of_argument(value: Node) -> Iterator[Node]:
    argument = value.child_by_field_name("argument")
    if argument is None:
        return
    argument = nix_tree.body(argument)
    if function_of(value) in _OF_PARTS and argument.type == "list_expression":
        for element in nix_tree.elements(argument):
            yield from values(element)
    else:
        yield from values(argument)


def sides(node: Node) -> list[Node]:
    """Give the two values of an operator."""
    found = [node.child_by_field_name(field) for field in ("left", "right")]
    return [side for side in found if side is not None]


def operator_of(node: Node) -> str:
    """Name the operator of two values: `++`."""
    operator = node.child_by_field_name("operator")
    return nix_tree.text(operator) if operator is not None else ""


def lists(value: Node) -> Iterator[FoundList]:
    """Yield the lists whose elements are kept."""
    for inner in values(value):
        if inner.type == "list_expression":
            yield FoundList(inner, tuple(nix_tree.elements(inner)))
        elif (found := mapped(inner)) is not None:
            listing, prefix = found
            yield FoundList(listing, tuple(nix_tree.elements(listing)), prefix)
        else:
            yield FoundList(inner, (), is_computed=True)
            yield from _conditional(inner)


def _conditional(value: Node) -> Iterator[FoundList]:
    """Yield the lists that count under a condition: read, but no place for more."""
    branches: list[Node | None] = []
    if value.type == "if_expression":
        branches = [value.child_by_field_name(each) for each in ("consequence", "alternative")]
    elif value.type == "apply_expression" and function_of(value) in _CONDITIONAL:
        argument = value.child_by_field_name("argument")
        if function_of(value) == "optional" and argument is not None:
            yield FoundList(argument, (argument,), is_conditional=True)
        else:
            branches = [argument]
    for branch in branches:
        for found in lists(branch) if branch is not None else ():
            if not found.is_computed:
                yield found._replace(is_conditional=True)


def mapped(value: Node) -> tuple[Node, str] | None:
    """Read `map (name: "PREFIX${name}") [ ... ]`."""
    outer = value.child_by_field_name("function") if value.type == "apply_expression" else None
    if outer is None or outer.type != "apply_expression":
        return None
    function, given, listing = (
        outer.child_by_field_name("function"),
        outer.child_by_field_name("argument"),
        value.child_by_field_name("argument"),
    )
    if function is None or given is None or listing is None:
        return None
    made = nix_tree.text(given).strip("() \n")
    found = _PREFIXED.fullmatch(made)
    is_map = nix_tree.text(function) in _MAPS and listing.type == "list_expression"
    return (listing, found["prefix"]) if is_map and found is not None else None


def bound_value(node: Node, name: str) -> Node | None:
    """Find what a `let` around a node binds to a name that is used but once."""
    root = node
    while root.parent is not None:
        root = root.parent
    uses = sum(
        (each.type == "variable_expression" and nix_tree.text(each) == name)
        + (each.type == "inherit" and name in inherited(each))
        for each in nix_tree.walk(root)
    )
    return let_bound(node, name) if uses == 1 else None


def let_bound(node: Node, name: str) -> Node | None:
    """Find what a `let` around a node binds to a name."""
    current = node.parent
    while current is not None:
        if current.type == "let_expression":
            for each in nix_tree.bindings(current):
                if each.path == (name,):
                    return each.value
        current = current.parent
    return None


def inherited(node: Node) -> set[str]:
    """Name what an `inherit` brings."""
    attrs = node.child_by_field_name("attrs")
    return {nix_tree.text(each) for each in attrs.named_children} if attrs is not None else set()
