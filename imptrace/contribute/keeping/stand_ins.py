"""Stand-ins for what a module is given, so that a file of a configuration evaluates alone.

`config.services.x.dataDir` is a directory that there is not, `config.x.enable` holds: what the
lists come to with these before and after a change differs by the change alone. What a value has
to be is read from where it stands: a condition, a part of a list, the name of an attribute.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from imptrace.contribute.keeping.values import function_of, operator_of
from imptrace.contribute.nix_source import tree as nix_tree
from imptrace.contribute.nix_source.selections import (
    Names,
    aliases,
    arguments,
    inherited_selections,
    resolved,
    selection,
)
from imptrace.render.nix_text import string

_ANYTHING = "anything"
_TEXT, _LIST, _TRUE = '"/imptrace-stands-in"', "[ ]", "true"
_FIRST_IS_CONDITION = frozenset(
    {"mkIf", "optional", "optionals", "optionalAttrs", "optionalString", "assertMsg"}
)
_LAST_IS_LIST = frozenset(
    {
        "map",
        "concatMap",
        "filter",
        "unique",
        "flatten",
        "concatLists",
        "any",
        "all",
        "elem",
        "forEach",
        "genAttrs",
        "concatStringsSep",
        "concatMapStringsSep",
        "head",
        "tail",
        "length",
    }
)
_OF_TEXT = frozenset(
    {
        "hasPrefix",
        "hasSuffix",
        "removePrefix",
        "removeSuffix",
        "hasInfix",
        "splitString",
        "stringLength",
        "substring",
        "toUpper",
        "toLower",
        "replaceStrings",
    }
)
_BY_OPERATOR = {"++": _LIST, "&&": _TRUE, "||": _TRUE, "->": _TRUE, "+": _TEXT}


@dataclass(slots=True)
class _StandIn:
    """What stands in for one value: what is selected from it, and what it has to be itself."""

    inside: dict[str, "_StandIn"] = field(default_factory=dict)
    value: str | None = None


def stand_ins(root: Node) -> str:
    """Write an attribute set with all that a module selects from its arguments."""
    names = arguments(root)
    known = dict(aliases(root))
    tree = _StandIn()
    for path, node in _used(root):
        whole = resolved(path, known, names)
        place = tree
        for name in whole if whole and whole[0] in names else ():
            place = place.inside.setdefault(name, _StandIn())
        place.value = place.value or _wanted(node)
    if any(_is_named_whole(node) for node in nix_tree.walk(root)):
        tree.inside["@"] = _StandIn()
    body = _written(tree)
    return (
        'let anything = { outPath = "/imptrace-stands-in"; __functor = _: _: anything; }; '
        f"in {body if tree.inside else '{ }'}"
    )


def _is_named_whole(node: Node) -> bool:
    """Whether a function has a name for all that it is given: `args@{ lib, ... }:`."""
    fields = ("formals", "universal")
    return node.type == "function_expression" and all(map(node.child_by_field_name, fields))


def _used(root: Node) -> Iterator[tuple[Names, Node]]:
    """Yield what a file selects, and where."""
    for node in nix_tree.walk(root):
        if node.type == "variable_expression":
            name = nix_tree.text(node)
            yield (name,), node
            yield from (((*around, name), node) for around in _scopes(node))
        elif node.type == "select_expression" and node.child_by_field_name("default") is None:
            yield selection(node), node
        elif node.type == "inherit_from":
            yield from ((path, node) for path in inherited_selections(node))


def _scopes(node: Node) -> Iterator[Names]:
    """Yield the sets whose names a node may use: `with config.services.x;`."""
    current = node.parent
    while current is not None:
        if current.type == "with_expression":
            scope = current.child_by_field_name("environment")
            if scope is not None and scope.type == "variable_expression":
                yield (nix_tree.text(scope),)
            elif scope is not None and (path := selection(scope)):
                yield path
        current = current.parent


def _wanted(node: Node) -> str | None:
    """Tell what a value has to be where it stands; None if that may be anything."""
    child, parent = node, node.parent
    while parent is not None and parent.type == "parenthesized_expression":
        child, parent = parent, parent.parent
    if parent is None:
        return None
    if parent.type == "interpolation" and parent.parent is not None:
        return _TEXT if parent.parent.type == "attrpath" else None
    if parent.type == "binary_expression":
        return _BY_OPERATOR.get(operator_of(parent))
    if parent.type == "unary_expression":
        return _TRUE if operator_of(parent) == "!" else None
    if parent.type in ("if_expression", "assert_expression"):
        return _TRUE if parent.child_by_field_name("condition") == child else None
    return _of_argument(parent, child) if parent.type == "apply_expression" else None


def _of_argument(application: Node, argument: Node) -> str | None:
    if application.child_by_field_name("argument") != argument:
        return None
    function = application.child_by_field_name("function")
    is_first = function is not None and function.type != "apply_expression"
    name = function_of(application)
    around = application.parent
    is_last = (
        around is None
        or around.type != "apply_expression"
        or around.child_by_field_name("function") != application
    )
    if is_first and name in _FIRST_IS_CONDITION:
        return _TRUE
    if (is_last and name in _LAST_IS_LIST) or (is_first and name in ("forEach", "genAttrs")):
        return _LIST
    return _TEXT if name in _OF_TEXT else None


def _written(tree: _StandIn) -> str:
    bindings = " ".join(
        f"{string(name)} = {_value(name, tree.inside[name])};" for name in sorted(tree.inside)
    )
    return f"{{ {bindings} }}"


def _value(name: str, each: _StandIn) -> str:
    if each.inside:
        return f"({_ANYTHING} // {_written(each)})"
    is_condition = name.startswith("enable") or (name[:2] == "is" and name[2:3].isupper())
    return each.value or (_TRUE if is_condition else _ANYTHING)
