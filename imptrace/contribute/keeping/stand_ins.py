"""Stand-ins for what a module is given, so that a file of a configuration evaluates alone.

`config.services.x.dataDir` is a directory that there is not, `config.x.enable` holds: what the
lists come to with these before and after a change differs by the change alone.
"""

from collections.abc import Iterator

from tree_sitter import Node

from imptrace.contribute.nix_source import tree as nix_tree
from imptrace.render.nix_text import string

Tree = dict[str, "Tree"]
_Path = tuple[str, ...]
_ANYTHING = "anything"
_MOST = 20
"""Names for names for names: more is a circle."""


def stand_ins(root: Node) -> str:
    """Write an attribute set with all that a module selects from its arguments."""
    names = _arguments(root)
    aliases = dict(_aliases(root))
    tree: Tree = {}
    for node in nix_tree.walk(root):
        if node.type == "variable_expression":
            _plant(tree, (nix_tree.text(node),), names, aliases)
        elif node.type == "select_expression" and node.child_by_field_name("default") is None:
            _plant(tree, _path(node), names, aliases)
        elif node.type == "inherit_from":
            for path in _inherited(node):
                _plant(tree, path, names, aliases)
    body = _written(tree)
    return (
        'let anything = { outPath = "/imptrace-stands-in"; __functor = _: _: anything; }; '
        f"in {body if tree else '{ }'}"
    )


def _arguments(root: Node) -> set[str]:
    """Name what the functions of a file are given."""
    return {
        nix_tree.text(name)
        for node in nix_tree.walk(root)
        if node.type == "formal" and (name := node.child_by_field_name("name")) is not None
    }


def _aliases(root: Node) -> Iterator[tuple[str, _Path]]:
    """Yield other names: `cfg = config.x;` and `inherit (config.x) y;`."""
    for node in nix_tree.walk(root):
        if node.type == "binding":
            value, attrpath = (
                node.child_by_field_name(each) for each in ("expression", "attrpath")
            )
            path = _path(value) if value is not None else ()
            if path and attrpath is not None:
                yield nix_tree.text(attrpath), path
        elif node.type == "inherit_from":
            yield from ((path[-1], path) for path in _inherited(node))


def _inherited(node: Node) -> Iterator[_Path]:
    """Yield what `inherit (config.x) y;` selects."""
    attrs, value = map(node.child_by_field_name, ("attrs", "expression"))
    path = _path(nix_tree.body(value)) if value is not None else ()
    for attr in attrs.named_children if path and attrs is not None else ():
        yield (*path, nix_tree.text(attr))


def _path(node: Node) -> _Path:
    """Read a selection from a variable, as far as its names are plain; empty if it is none."""
    if node.type != "select_expression":
        return ()
    base, attrpath = map(node.child_by_field_name, ("expression", "attrpath"))
    if base is None or base.type != "variable_expression" or attrpath is None:
        return ()
    path = [nix_tree.text(base)]
    for attr in attrpath.children_by_field_name("attr"):
        plain = attr.type == "identifier"
        name = nix_tree.text(attr) if plain else nix_tree.string_value(attr)
        if name is None:
            break
        path.append(name)
    return tuple(path)


def _plant(tree: Tree, path: _Path, names: set[str], aliases: dict[str, _Path]) -> None:
    for _ in range(_MOST):
        if not path or path[0] in names or path[0] not in aliases:
            break
        path = (*aliases[path[0]], *path[1:])
    if path and path[0] in names:
        for name in path:
            tree = tree.setdefault(name, {})


def _written(tree: Tree) -> str:
    bindings = " ".join(f"{string(name)} = {_value(name, tree[name])};" for name in sorted(tree))
    return f"{{ {bindings} }}"


def _value(name: str, inside: Tree) -> str:
    if inside:
        return f"({_ANYTHING} // {_written(inside)})"
    is_condition = name.startswith("enable") or (name[:2] == "is" and name[2:3].isupper())
    return "true" if is_condition else _ANYTHING
