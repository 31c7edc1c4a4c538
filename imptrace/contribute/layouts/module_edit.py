"""Paths read from, and put into, a module that exists."""

from collections.abc import Sequence

from tree_sitter import Node

from imptrace.contribute.layouts.module_form import persistence_options
from imptrace.contribute.layouts.module_new import LISTS, PATH_KEYS, Entries, entries
from imptrace.contribute.nix_source import edit, tree
from imptrace.contribute.nix_source.edit import Edit
from imptrace.contribute.nix_source.tree import Binding, NixSyntaxError
from imptrace.contribute.proposal import ProposedPath, shown
from imptrace.facts.levels import Kind, Level
from imptrace.kept.compare import Declared


def extend_module(source: bytes, name: str, option: str, paths: Sequence[ProposedPath]) -> bytes:
    """Put paths into the default of a module's option; all else stays as it is."""
    for added in entries(paths):
        root = tree.parse(source, name)
        default = _default(root, name, option)
        source = edit.apply(source, _extend(source, name, root, default, added))
    return source


def declared_paths(source: bytes, name: str, option: str) -> list[Declared]:
    """List what a module's option keeps by default."""
    default = _default(tree.parse(source, name), name, option)
    found: list[Declared] = []
    for level in Level:
        for kind in Kind:
            binding = tree.find(default, (level.value, LISTS[kind]))
            elements = _elements(binding.value) if binding else []
            paths = [_path(element, kind) for element in elements]
            found += [
                Declared(path=edit.encoded(path), kind=kind, level=level)
                for path in paths
                if path is not None
            ]
    return found


def options_of(source: bytes, name: str) -> list[str]:
    """List the options that a module gives a `persistence`."""
    root = tree.parse(source, name)
    return [
        edit.dotted(tuple(part for part in binding.path if part != "options")[:-1])
        for binding in persistence_options(root)
    ]


def _default(root: Node, name: str, option: str) -> Node:
    """Find the attribute set that an option's `persistence` has as its default."""
    path = ("options", *option.split("."), "persistence")
    binding = tree.find(root, path)
    inner = binding and tree.body(binding.value).child_by_field_name("argument")
    default = inner and tree.find(inner, ("default",))
    if default is None:
        raise NixSyntaxError(f"{shown(name)} has no default for {option}.persistence")
    value = tree.body(default.value)
    if not tree.is_attrset(value):
        raise NixSyntaxError(
            f"{shown(name)}:{tree.line_of(value)}: the default of {option}.persistence is not "
            "a plain attribute set: change it by hand"
        )
    return value


def _extend(source: bytes, name: str, root: Node, default: Node, added: Entries) -> list[Edit]:
    level, kind, items = added
    binding = tree.find(default, (level.value, LISTS[kind]))
    if binding is not None:
        return edit.extend_list(source, _listing(binding, name), items)
    listing = edit.list_text(items, "", padded=edit.is_padded(root))
    nested = tree.find(default, (level.value,))
    if nested is not None and tree.is_attrset(nested.value):
        existing = tree.bindings(nested.value)
        after = existing[-1] if existing else None
        return edit.insert_binding(source, nested.value, f"{LISTS[kind]} = {listing};", after)
    lower = {other.value for other in Level if other <= level}
    earlier = [each for each in tree.bindings(default) if each.path[0] in lower]
    after = earlier[-1] if earlier else None
    text = f"{level.value}.{LISTS[kind]} = {listing};"
    return edit.insert_binding(source, default, text, after)


def _listing(binding: Binding, name: str) -> Node:
    """Get a literal list; where several are joined with `++`, the first."""
    value = tree.body(binding.value)
    while value.type == "binary_expression":
        left = value.child_by_field_name("left")
        if left is None:
            break
        value = tree.body(left)
    if value.type != "list_expression":
        raise NixSyntaxError(
            f"{shown(name)}:{tree.line_of(value)}: {edit.dotted(binding.path)} is not a "
            "plain list: change it by hand"
        )
    return value


def _elements(value: Node) -> list[Node]:
    """List the elements of every list of an expression, also of those that have a condition."""
    lists = (node for node in tree.walk(value) if node.type == "list_expression")
    return [element for listing in lists for element in tree.elements(listing)]


def _path(element: Node, kind: Kind) -> str | None:
    """Read the path that an element of a list keeps; None where it is computed."""
    if tree.is_attrset(element):
        for key in (PATH_KEYS[kind], "path"):
            binding = tree.find(element, (key,))
            if binding is not None:
                return tree.string_value(binding.value)
        return None
    return tree.string_value(element)
