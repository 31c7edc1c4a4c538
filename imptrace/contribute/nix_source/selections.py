"""What an expression selects from a variable, `config.a.b`, also by another name for a part."""

from collections.abc import Iterator, Mapping

from tree_sitter import Node

from imptrace.contribute.nix_source import tree as nix_tree

Names = tuple[str, ...]
_MOST = 20
"""Names for names for names: more is a circle."""


def selection(node: Node, *, whole: bool = False) -> Names:
    """Read a selection from a variable, as far as its names are plain; empty if it is none.

    `whole`: with the names that are computed, as they are written.
    """
    if node.type != "select_expression":
        return ()
    base, attrpath = map(node.child_by_field_name, ("expression", "attrpath"))
    if base is None or base.type != "variable_expression" or attrpath is None:
        return ()
    path = [nix_tree.text(base)]
    for attr in attrpath.children_by_field_name("attr"):
        plain = attr.type == "identifier"
        name = nix_tree.text(attr) if plain else nix_tree.string_value(attr)
        if name is None and not whole:
            break
        path.append(nix_tree.text(attr).strip('"') if name is None else name)
    return tuple(path)


def aliases(root: Node) -> Iterator[tuple[str, Names]]:
    """Yield other names: `cfg = config.x;` and `inherit (config.x) y;`."""
    for node in nix_tree.walk(root):
        if node.type == "binding":
            value, attrpath = (
                node.child_by_field_name(each) for each in ("expression", "attrpath")
            )
            path = selection(value) if value is not None else ()
            if path and attrpath is not None:
                yield nix_tree.text(attrpath), path
        elif node.type == "inherit_from":
            yield from ((path[-1], path) for path in inherited_selections(node))


def inherited_selections(node: Node, *, whole: bool = False) -> Iterator[Names]:
    """Yield what `inherit (config.x) y;` selects."""
    attrs, value = map(node.child_by_field_name, ("attrs", "expression"))
    if attrs is None or value is None:
        return
    value = nix_tree.body(value)
    path = selection(value, whole=whole)
    if value.type == "variable_expression":
        path = (nix_tree.text(value),)
    for attr in attrs.named_children if path else ():
        yield (*path, nix_tree.text(attr))


def resolved(path: Names, known: Mapping[str, Names], arguments: set[str]) -> Names:
    """Write a selection by what a file is given, where its first name stands for another."""
    for _ in range(_MOST):
        if not path or path[0] in arguments or path[0] not in known:
            break
        path = (*known[path[0]], *path[1:])
    return path


def arguments(root: Node) -> set[str]:
    """Name what the functions of a file are given."""
    return {
        nix_tree.text(name)
        for node in nix_tree.walk(root)
        if node.type == "formal" and (name := node.child_by_field_name("name")) is not None
    }
