"""Paths read from, and put into, a module that exists."""

from collections.abc import Sequence

from tree_sitter import Node

from imptrace.contribute.layouts.entry_text import LISTS, PATH_KEYS, Entries, entries
from imptrace.contribute.layouts.module_form import persistence_options
from imptrace.contribute.nix_source import edit as nix_edit
from imptrace.contribute.nix_source import tree as nix_tree
from imptrace.contribute.nix_source.edit import Edit
from imptrace.contribute.nix_source.tree import Binding, NixSyntaxError
from imptrace.contribute.proposal import KeptPath
from imptrace.contribute.words import shown
from imptrace.facts.levels import Kind, Level
from imptrace.kept.compare import Declared


def extend_module(source: bytes, name: str, option: str, paths: Sequence[KeptPath]) -> bytes:
    """Put paths into the default of a module's option; all else stays as it is."""
    for added in entries(paths):
        root = nix_tree.parse(source, name)
        default = _default(root, name, option)
        source = nix_edit.apply(source, _extend(source, name, root, default, added))
    return source


def declared_paths(source: bytes, name: str, option: str) -> list[Declared]:
    """List what a module's option keeps by default."""
    default = _default(nix_tree.parse(source, name), name, option)
    found: list[Declared] = []
    for level in Level:
        for kind in Kind:
            binding = nix_tree.find(default, (level.value, LISTS[kind]))
            elements = _elements(binding.value) if binding else []
            paths = [_path(element, kind) for element in elements]
            found += [
                Declared(path=nix_edit.encoded(path), kind=kind, level=level)
                for path in paths
                if path is not None
            ]
    return found


def options_of(source: bytes, name: str) -> list[str]:
    """List the options that a module gives a `persistence`."""
    root = nix_tree.parse(source, name)
    return [
        nix_edit.dotted(tuple(part for part in binding.path if part != "options")[:-1])
        for binding in persistence_options(root)
    ]


def _default(root: Node, name: str, option: str) -> Node:
    """Find the attribute set that an option's `persistence` has as its default."""
    path = ("options", *option.split("."), "persistence")
    binding = nix_tree.find(root, path)
    inner = binding and nix_tree.body(binding.value).child_by_field_name("argument")
    default = inner and nix_tree.find(inner, ("default",))
    if default is None:
        raise NixSyntaxError(f"{shown(name)} has no default for {option}.persistence")
    value = nix_tree.body(default.value)
    if not nix_tree.is_attrset(value):
        raise NixSyntaxError(
            f"{shown(name)}:{nix_tree.line_of(value)}: the default of {option}.persistence is not "
            "a plain attribute set: change it by hand"
        )
    return value


def _extend(source: bytes, name: str, root: Node, default: Node, added: Entries) -> list[Edit]:
    level, kind, items = added
    binding = nix_tree.find(default, (level.value, LISTS[kind]))
    if binding is not None:
        return nix_edit.extend_list(source, _listing(binding, name), items)
    listing = nix_edit.list_text(items, "", padded=nix_edit.is_padded(root))
    nested = nix_tree.find(default, (level.value,))
    if nested is not None and nix_tree.is_attrset(nested.value):
        existing = nix_tree.bindings(nested.value)
        after = existing[-1] if existing else None
        return nix_edit.insert_binding(source, nested.value, f"{LISTS[kind]} = {listing};", after)
    lower = {other.value for other in Level if other <= level}
    earlier = [each for each in nix_tree.bindings(default) if each.path[0] in lower]
    after = earlier[-1] if earlier else None
    text = f"{level.value}.{LISTS[kind]} = {listing};"
    return nix_edit.insert_binding(source, default, text, after)


def _listing(binding: Binding, name: str) -> Node:
    """Get a literal list; where several are joined with `++`, the first."""
    value = nix_tree.body(binding.value)
    while value.type == "binary_expression":
        left = value.child_by_field_name("left")
        if left is None:
            break
        value = nix_tree.body(left)
    if value.type != "list_expression":
        raise NixSyntaxError(
            f"{shown(name)}:{nix_tree.line_of(value)}: {nix_edit.dotted(binding.path)} is not a "
            "plain list: change it by hand"
        )
    return value


def _elements(value: Node) -> list[Node]:
    """List the elements of every list of an expression, also of those that have a condition."""
    lists = (node for node in nix_tree.walk(value) if node.type == "list_expression")
    return [element for listing in lists for element in nix_tree.elements(listing)]


def _path(element: Node, kind: Kind) -> str | None:
    """Read the path that an element of a list keeps; None where it is computed."""
    if nix_tree.is_attrset(element):
        for key in (PATH_KEYS[kind], "path"):
            binding = nix_tree.find(element, (key,))
            if binding is not None:
                return nix_tree.string_value(binding.value)
        return None
    return nix_tree.string_value(element)
