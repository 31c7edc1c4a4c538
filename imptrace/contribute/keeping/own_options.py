"""Options of a configuration's own that end in what is kept: where people write their paths.

Many declare `mine.persist.directories`, hand it to `environment.persistence` in one file, and give
it its paths in all others: a path goes there, and what stands there is kept.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tree_sitter import Node

from imptrace.contribute.keeping.places import LISTS, OwnOption, of_form, whole_path
from imptrace.contribute.keeping.values import function_of, let_bound, operator_of, sides
from imptrace.contribute.nix_source import tree as nix_tree
from imptrace.contribute.nix_source.selections import (
    Names,
    aliases,
    arguments,
    inherited_selections,
    resolved,
    selection,
)
from imptrace.facts.levels import Kind
from imptrace.render.nix import Target

_ROOTS = frozenset({"config", "osConfig"})
_ALIAS_MAKERS = frozenset({"mkAliasOptionModule", "mkRenamedOptionModule"})
_SAME = frozenset({"mkIf", "mkForce", "mkBefore", "mkAfter", "mkDefault", "unique", "optionals"})
_CHANGED = frozenset({"map", "filter", "flatten", "naturalSort", "sort"})
_OF_PERSON = ("home-manager", "users")
_DEEPEST = 12
_NAMED = re.compile(r"director|dirs|folder|files|persist|preserv|kept|cache|state", re.IGNORECASE)
"""What the list of an option is called that holds what is kept."""


@dataclass(frozen=True, slots=True)
class _Block:
    """The store, or a user's part of it, whose lists are read."""

    target: Target
    store: str
    user: str | None


@dataclass(frozen=True, slots=True)
class _File:
    known: Mapping[str, Names]
    arguments: set[str]

    def option(self, path: Names) -> Names:
        """Write a selection as the names of an option; empty if it is none."""
        path = resolved(path, self.known, self.arguments)
        if not path or path[0] not in _ROOTS:
            return ()
        names = path[1:]
        return names[3:] if names[:2] == _OF_PERSON else names


def own_options(source: bytes, name: str) -> list[OwnOption]:
    """Find the options that a file makes a part of what is kept. Raises NixSyntaxError."""
    root = nix_tree.parse(source, name)
    file = _File(dict(aliases(root)), arguments(root))
    found: list[OwnOption] = []
    for node in nix_tree.walk(root):
        if node.type == "binding":
            found += _of_binding(node, file)
        elif node.type == "inherit_from":
            found += _of_inherit(node, file)
        elif node.type == "apply_expression" and function_of(node) in _ALIAS_MAKERS:
            found += _of_alias(node)
    return list(dict.fromkeys(each for each in found if _is_own(each)))


def marked(found: Iterable[OwnOption]) -> list[OwnOption]:
    """Mark those that have one of the same name for homes, or for the system."""
    all_of = list(dict.fromkeys(found))
    kinds: dict[Names, set[bool]] = {}
    for each in all_of:
        kinds.setdefault(each.path, set()).add(each.of_home)
    return [replace(each, is_ambiguous=len(kinds[each.path]) > 1) for each in all_of]


def _is_own(option: OwnOption) -> bool:
    """Whether it is the configuration's own, and there for what is kept."""
    path = option.path
    of_module = of_form([*path, ""]) is not None or path[:1] in (("services",), ("programs",))
    return bool(path) and not of_module and (option.kind is None or bool(_NAMED.search(path[-1])))


def _block(path: list[str]) -> tuple[_Block, list[str]] | None:
    form = of_form(path)
    if form is None:
        return None
    target, index = form
    rest = path[index + 1 :]
    user = rest[1] if rest[:1] == ["users"] and len(rest) > 1 else None
    return _Block(target, path[index], user), rest[2:] if user is not None else rest


def _of_binding(node: Node, file: _File) -> Iterator[OwnOption]:
    path, value = whole_path(node), node.child_by_field_name("expression")
    found = _block(path) if path is not None else None
    if found is None or value is None:
        return
    block, rest = found
    kind = LISTS.get(rest[0]) if len(rest) == 1 else None
    if kind is not None or not rest:
        for names, is_changed in _flow(value, file, is_changed=False):
            yield _option(block, names, kind, is_changed=is_changed)


def _of_inherit(node: Node, file: _File) -> Iterator[OwnOption]:
    path = whole_path(node)
    found = _block(path) if path is not None else None
    if found is None or found[1]:
        return
    for selected in inherited_selections(node, whole=True):
        if selected[-1] in LISTS and (names := file.option(selected)):
            yield _option(found[0], names, LISTS[selected[-1]], is_changed=False)


def _of_alias(node: Node) -> Iterator[OwnOption]:
    """Read `mkAliasOptionModule [ "mine" ] [ "environment" "persistence" "/p" ]`."""
    inner = node.child_by_field_name("function")
    lists = [each.child_by_field_name("argument") for each in (inner, node) if each is not None]
    if inner is None or inner.type != "apply_expression":
        return
    of, to = (_names(each) if each is not None else None for each in lists)
    found = _block(list(to)) if to else None
    if of and found is not None:
        block, rest = found
        kind = LISTS.get(rest[0]) if len(rest) == 1 else None
        if kind is not None or not rest:
            yield _option(block, of, kind, is_changed=False)


def _names(listing: Node) -> Names | None:
    listing = nix_tree.body(listing)
    if listing.type != "list_expression":
        return None
    return tuple(
        nix_tree.text(each).strip('"') if value is None else value
        for each in nix_tree.elements(listing)
        for value in (nix_tree.string_value(each),)
    )


def _option(block: _Block, names: Names, kind: Kind | None, *, is_changed: bool) -> OwnOption:
    return OwnOption(names, block.target, block.store, block.user, kind, is_changed=is_changed)


def _flow(
    value: Node, file: _File, *, is_changed: bool, depth: int = 0
) -> Iterator[tuple[Names, bool]]:
    """Yield the options that a value has a part of, and whether a function changes it."""
    value = nix_tree.body(value)
    if depth > _DEEPEST:
        return
    names: Names = ()
    if value.type in ("select_expression", "variable_expression"):
        names = file.option(selection(value, whole=True) or (nix_tree.text(value),))
    if names:
        yield names, is_changed
        return
    if value.type == "apply_expression":
        is_changed = is_changed or function_of(value) not in _SAME
    for part in _parts(value):
        yield from _flow(part, file, is_changed=is_changed, depth=depth + 1)


def _parts(value: Node) -> list[Node]:
    """List what the elements of a value may come from."""
    parts: list[Node | None] = []
    if value.type == "variable_expression":
        parts = [let_bound(value, nix_tree.text(value))]
    elif value.type == "binary_expression" and operator_of(value) in ("++", "//"):
        parts = [*sides(value)]
    elif value.type == "if_expression":
        parts = [value.child_by_field_name(each) for each in ("consequence", "alternative")]
    elif value.type == "apply_expression" and (
        function_of(value) in _SAME | _CHANGED or _is_of_file(value)
    ):
        parts = [value.child_by_field_name("argument")]
    return [part for part in parts if part is not None]


def _is_of_file(application: Node) -> bool:
    """Whether a function that the file itself defines is given one argument."""
    function = application.child_by_field_name("function")
    return (
        function is not None
        and function.type == "variable_expression"
        and let_bound(application, nix_tree.text(function)) is not None
    )
