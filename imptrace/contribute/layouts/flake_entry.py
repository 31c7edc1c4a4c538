"""A module's two places in a flake: its name in `nixosModules`, and in the imports of `default`.

Both are written as those of a neighbour are, and go where the alphabet says, if it rules there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Node

from imptrace.contribute.nix_source import edit, tree
from imptrace.contribute.nix_source.edit import Edit
from imptrace.contribute.nix_source.tree import Binding, NixSyntaxError
from imptrace.contribute.proposal import shown

FOLDER = "nixos-modules"


@dataclass(frozen=True, slots=True)
class ModuleList:
    """`nixosModules` of a flake: the modules of their own folder, and the imports of `default`."""

    attrset: Node
    modules: tuple[Binding, ...]
    imports: Node


def read_module_list(source: bytes, name: str) -> ModuleList | None:
    """Find the list of modules; None where the flake has none of this form."""
    root = tree.parse(source, name)
    # The outputs are the value of a function: an attribute set of their own in the grammar.
    sets = (node for node in tree.walk(root) if tree.is_attrset(node))
    found = [each for node in sets for each in tree.bindings(node)]
    found = [binding for binding in found if binding.path[-1] == "nixosModules"]
    for binding in found:
        attrset = tree.body(binding.value)
        imports = tree.find(attrset, ("default", "imports"))
        if tree.is_attrset(attrset) and imports and imports.value.type == "list_expression":
            modules = tuple(each for each in tree.bindings(attrset) if _path_node(each))
            return ModuleList(attrset, modules, imports.value)
    return None


def add_module(source: bytes, name: str, module: str) -> bytes:
    """Enter a module where it is missing. Raises NixSyntaxError if there is nothing to go by."""
    found = read_module_list(source, name)
    if found is None or not found.modules:
        raise NixSyntaxError(
            f"{shown(name)} has no nixosModules with a default that imports them: enter "
            f"{module} by hand"
        )
    edits: list[Edit] = []
    if not any(each.path == (module,) for each in found.modules):
        edits += _name_edits(source, found.modules, module)
    neighbours = {each.path[0] for each in found.modules}
    imported = [
        _imported(element, neighbours | {module}) for element in tree.elements(found.imports)
    ]
    if module not in imported:
        edits += _import_edits(source, found.imports, imported, module)
    return edit.apply(source, edits)


def _name_edits(source: bytes, modules: Sequence[Binding], module: str) -> list[Edit]:
    """Write `module = ...;` as its neighbour is written."""
    names = [each.path[0] for each in modules]
    place = edit.sorted_place(names, module)
    neighbour = modules[max(place - 1, 0)]
    text = _renamed(neighbour.node, neighbour.path[0], module)
    if place:
        indent = edit.indentation(source, neighbour.node.start_byte)
        end = edit.end_with_comment(neighbour.node)
        return [Edit(end, end, f"\n{indent}{text}")]
    start = neighbour.node.start_byte
    return [Edit(start, start, f"{text}\n{edit.indentation(source, start)}")]


def _import_edits(
    source: bytes, imports: Node, imported: Sequence[str | None], module: str
) -> list[Edit]:
    elements = tree.elements(imports)
    names = [name or "" for name in imported]
    if not elements:
        return edit.extend_list(source, imports, [edit.Item(module)])
    place = edit.sorted_place(names, module)
    neighbour = elements[max(place - 1, 0)]
    text = _renamed(neighbour, names[max(place - 1, 0)], module)
    one_line = imports.start_point.row == imports.end_point.row
    indent = edit.indentation(source, neighbour.start_byte)
    separator = " " if one_line else f"\n{indent}"
    if place:
        end = neighbour.end_byte if one_line else edit.end_with_comment(neighbour)
        return [Edit(end, end, separator + text)]
    return [Edit(neighbour.start_byte, neighbour.start_byte, text + separator)]


def _renamed(node: Node, old: str, new: str) -> str:
    """Give a node's source with the module's name changed, in names and in paths."""
    source = node.text or b""
    edits = []
    for inner in tree.walk(node):
        start, end = inner.start_byte - node.start_byte, inner.end_byte - node.start_byte
        if inner.type == "identifier" and tree.text(inner) == old:
            edits.append(Edit(start, end, new))
        elif inner.type == "path_fragment":
            changed = tree.text(inner).replace(f"/{old}/", f"/{new}/")
            edits.append(Edit(start, end, changed))
    return edit.apply(source, edits).decode(errors="surrogateescape")


def _path_node(binding: Binding) -> Node | None:
    """Find the path below the folder of modules that a binding holds, if it is of that form."""
    for node in tree.walk(binding.value):
        if node.type == "path_expression" and f"{FOLDER}/" in tree.text(node):
            return node
    return None


def _imported(element: Node, modules: set[str]) -> str | None:
    """Say which of the modules an element of the imports names."""
    for node in tree.walk(element):
        if node.type == "identifier" and tree.text(node) in modules:
            return tree.text(node)
    return None
