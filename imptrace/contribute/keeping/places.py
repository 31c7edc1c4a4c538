"""Where a configuration says what is kept: the lists of every known form, wherever they stand."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tree_sitter import Node

from imptrace.contribute.nix_source import tree as nix_tree
from imptrace.facts.levels import Kind, Level
from imptrace.render.nix import Target

_LISTS = {"directories": Kind.DIRECTORY, "files": Kind.FILE}
LIST_OF = {kind: name for name, kind in _LISTS.items()}
_FORMS = {
    ("environment", "persistence"): Target.IMPERMANENCE,
    ("home", "persistence"): Target.HOME_MANAGER,
    ("preservation", "preserveAt"): Target.PRESERVATION,
}
_SHORTEST = 5
_MAPS = frozenset({"map", "builtins.map", "lib.map"})
_PREFIXED = re.compile(r'(\w+):\s*"(?P<prefix>[^"$\\]*)\$\{\s*\1\s*\}"')
_LEVELS = frozenset(level.value for level in Level)
_KEYS = {Kind.DIRECTORY: ("directory", "path"), Kind.FILE: ("file", "path")}
# `mkIf condition VALUE` and its like come to VALUE; each element of `mkMerge [ ... ]` counts.
_TRANSPARENT = (
    *("mkIf", "mkMerge", "mkForce", "mkBefore", "mkAfter", "mkDefault", "optionalAttrs"),
    *("unique", "flatten"),
)


@dataclass(frozen=True, slots=True)
class ListElement:
    """One element of a list: the path it keeps as it is written, None where that is computed."""

    path: str | None
    node: Node


@dataclass(frozen=True, slots=True)
class ListPlace:
    """A list of kept paths, or a block that has none of its kind yet."""

    file: Path
    target: Target
    store: str
    """As it is written: quoted names without quotes, `${...}` as it stands."""
    user: str | None
    """Whose home its paths are relative to; None for the system's, and for home.persistence."""
    kind: Kind | None
    """None: a block, into which a list can be put."""
    node: Node
    """The literal list, the attribute set of the block, or a binding that names its whole store:
    beside it another one can stand."""
    entries: tuple[ListElement, ...] = ()
    names: tuple[str, ...] = ()
    """The attributes down to its block, as they are written, a user's included."""
    prefix: str = ""
    """What `map (name: "/var/lib/${name}") [ ... ]` puts before each element."""
    option: str | None = None
    """The option whose own persistence it is, a list for each level; the store is the level."""

    @property
    def of_home(self) -> bool:
        """Whether its paths are relative to a home."""
        return self.user is not None or self.target is Target.HOME_MANAGER


def places(source: bytes, file: Path) -> list[ListPlace]:
    """Find every list and block of a file. Raises NixSyntaxError."""
    root = nix_tree.parse(source, str(file))
    found: list[ListPlace] = []
    for node in nix_tree.walk(root):
        if node.type == "binding":
            path = _whole_path(node)
            value = node.child_by_field_name("expression")
            if value is not None and path is not None:
                found += _of_binding(file, path, value)
        elif node.type == "inherit" and (path := _whole_path(node)):
            for name in _LISTS:
                if (bound := bound_value(node, name)) is not None and name in _inherited(node):
                    found += _of_binding(file, [*path, name], bound)
    return [*found, *_besides(found)]


def _besides(found: Iterable[ListPlace]) -> Iterator[ListPlace]:
    """Yield the place beside each list whose binding names its store and all above it."""
    seen = set()
    for place in found:
        binding = _binding_of(place.node)
        if place.kind is None or place.option is not None or binding is None:
            continue
        attrpath = binding.child_by_field_name("attrpath")
        count = 0 if attrpath is None else len(attrpath.children_by_field_name("attr"))
        # Of the names, the last is that of the list.
        key = (place.names, binding.parent.id if binding.parent else 0)
        if count == len(place.names) + 1 and key not in seen:
            seen.add(key)
            yield replace(place, kind=None, node=binding, entries=())


def _binding_of(node: Node) -> Node | None:
    current: Node | None = node
    while current is not None and current.type != "binding":
        current = current.parent
    return current


def _of_binding(file: Path, path: list[str], value: Node) -> Iterator[ListPlace]:
    for (top, name), target in _FORMS.items():
        for index in range(len(path) - 2):
            if path[index] == top and path[index + 1] == name and "options" not in path[:index]:
                outer = path[: index + 3]
                yield from _of_store(file, target, outer, path[index + 3 :], value)
                return
    yield from _of_option(file, path, value)


def _of_option(file: Path, path: list[str], value: Node) -> Iterator[ListPlace]:
    """Yield the lists of a service's own persistence: OPTION.persistence.LEVEL.directories."""
    if len(path) < _SHORTEST or path[-3] != "persistence" or path[-2] not in _LEVELS:
        return
    if path[-1] in _LISTS:
        option = ".".join(path[:-3]).removeprefix("config.")
        of_store = _of_store(file, Target.IMPERMANENCE, path[:-1], path[-1:], value)
        yield from (replace(place, option=option) for place in of_store)


def _of_store(
    file: Path, target: Target, outer: list[str], rest: list[str], value: Node
) -> Iterator[ListPlace]:
    store, user, names = outer[-1], None, tuple(outer)
    if rest[:1] == ["users"] and len(rest) > 1:
        names += ("users", rest[1])
        user, rest = rest[1], rest[2:]
    if not rest:
        for inner in _values(value):
            if nix_tree.is_attrset(inner):
                yield ListPlace(file, target, store, user, None, inner, names=names)
    elif len(rest) == 1 and rest[0] in _LISTS:
        kind = _LISTS[rest[0]]
        for listing, prefix in _lists(value):
            entries = tuple(
                ListElement(path if path is None else prefix + path, element)
                for element in nix_tree.elements(listing)
                for path in (_path_of(element, kind),)
            )
            yield ListPlace(file, target, store, user, kind, listing, entries, names, prefix)


def bound_value(node: Node, name: str) -> Node | None:
    """Find what a `let` around a node binds to a name that is used but once."""
    root = node
    while root.parent is not None:
        root = root.parent
    uses = sum(
        (each.type == "variable_expression" and nix_tree.text(each) == name)
        + (each.type == "inherit" and name in _inherited(each))
        for each in nix_tree.walk(root)
    )
    current = node.parent
    while current is not None and uses == 1:
        if current.type == "let_expression":
            for each in nix_tree.bindings(current):
                if each.path == (name,):
                    return each.value
        current = current.parent
    return None


def _inherited(node: Node) -> set[str]:
    attrs = node.child_by_field_name("attrs")
    return {nix_tree.text(each) for each in attrs.named_children} if attrs is not None else set()


def _whole_path(node: Node) -> list[str] | None:
    """Name a binding by all attribute sets around it; None where one is no plain set."""
    names: list[str] = []
    current: Node | None = node
    while current is not None:
        if current.type == "binding":
            attrpath = current.child_by_field_name("attrpath")
            if attrpath is None:
                return None
            attrs = attrpath.children_by_field_name("attr")
            names[:0] = [_written(attr) for attr in attrs]
        elif current.type == "apply_expression" and not _is_transparent(current):
            # What a function of somebody's makes of it is not known: only what is inside counts.
            return names
        current = current.parent
    return names


def _written(attr: Node) -> str:
    value = nix_tree.string_value(attr) if attr.type == "string_expression" else None
    return value if value is not None else nix_tree.text(attr).strip('"')


def _is_transparent(node: Node) -> bool:
    function = node.child_by_field_name("function")
    while function is not None and function.type == "apply_expression":
        function = function.child_by_field_name("function")
    return function is not None and nix_tree.text(function).rpartition(".")[2] in _TRANSPARENT


def _values(value: Node) -> Iterator[Node]:
    """Yield what a value comes to, through conditions and merges."""
    value = nix_tree.body(value)
    if value.type == "apply_expression" and _is_transparent(value):
        argument = value.child_by_field_name("argument")
        if argument is None:
            return
        argument = nix_tree.body(argument)
        is_merge = "mkMerge" in nix_tree.text(value).split("[", 1)[0]
        if is_merge and argument.type == "list_expression":
            for element in nix_tree.elements(argument):
                yield from _values(element)
        else:
            yield from _values(argument)
    elif value.type == "variable_expression":
        bound = bound_value(value, nix_tree.text(value))
        if bound is not None:
            yield from _values(bound)
    elif value.type == "binary_expression":
        for field in ("left", "right"):
            side = value.child_by_field_name(field)
            if side is not None:
                yield from _values(side)
    else:
        yield value


def _lists(value: Node) -> Iterator[tuple[Node, str]]:
    """Yield the literal lists whose elements are kept, with what is put before each of them."""
    for inner in _values(value):
        if inner.type == "list_expression":
            yield inner, ""
        elif (mapped := _mapped(inner)) is not None:
            yield mapped


def _mapped(value: Node) -> tuple[Node, str] | None:
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


def _path_of(element: Node, kind: Kind) -> str | None:
    element = nix_tree.body(element)
    if nix_tree.is_attrset(element):
        for key in _KEYS[kind]:
            binding = nix_tree.find(element, (key,))
            if binding is not None:
                return nix_tree.string_value(binding.value)
        return None
    return nix_tree.string_value(element)
