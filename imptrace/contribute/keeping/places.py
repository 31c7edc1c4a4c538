"""Where a configuration says what is kept: the lists of every known form, wherever they stand."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tree_sitter import Node

from imptrace.contribute.keeping.values import (
    FoundList,
    bound_value,
    inherited,
    is_transparent,
    lists,
    values,
)
from imptrace.contribute.nix_source import tree as nix_tree
from imptrace.facts.levels import Kind, Level
from imptrace.render.nix import Target

LISTS = {"directories": Kind.DIRECTORY, "files": Kind.FILE}
LIST_OF = {kind: name for name, kind in LISTS.items()}
_FORMS = {
    ("environment", "persistence"): Target.IMPERMANENCE,
    ("home", "persistence"): Target.HOME_MANAGER,
    ("preservation", "preserveAt"): Target.PRESERVATION,
}
_SHORTEST = 5
_LEVELS = frozenset(level.value for level in Level)
_KEYS = {Kind.DIRECTORY: ("directory", "path"), Kind.FILE: ("file", "path")}


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
    """The literal list, the attribute set of the block, or a binding that names what its list
    belongs to: beside it another one can stand."""
    entries: tuple[ListElement, ...] = ()
    names: tuple[str, ...] = ()
    """The attributes down to its block, as they are written, a user's included."""
    prefix: str = ""
    """What `map (name: "/var/lib/${name}") [ ... ]` puts before each element."""
    option: str | None = None
    """The option whose own persistence it is, a list for each level; the store is the level."""
    name: str = ""
    """What the list is called: `directories`; "" for a block."""
    is_conditional: bool = False
    """What stands in it is kept under a condition: no place for what is to be kept always."""
    is_computed: bool = False
    """The list is computed: another one can be joined to it."""
    is_own: bool = False
    """It belongs to an option of the configuration's own."""
    has_block: bool = True
    """Another list can stand beside it."""

    @property
    def of_home(self) -> bool:
        """Whether its paths are relative to a home."""
        return self.user is not None or self.target is Target.HOME_MANAGER


@dataclass(frozen=True, slots=True)
class OwnOption:
    """An option of the configuration's own, whose value becomes a part of what is kept."""

    path: tuple[str, ...]
    """Its names, without `config`; as they are written where they are computed."""
    target: Target
    store: str
    user: str | None
    kind: Kind | None
    """What its list holds; None for an option that is the whole block of a store."""
    is_changed: bool = False
    """A function makes the kept paths of its elements."""
    is_ambiguous: bool = False
    """There is one of the same name for the system and for homes."""

    @property
    def of_home(self) -> bool:
        """Whether its paths are relative to a home."""
        return self.user is not None or self.target is Target.HOME_MANAGER


def places(source: bytes, file: Path, own_options: Sequence[OwnOption] = ()) -> list[ListPlace]:
    """Find every list and block of a file. Raises NixSyntaxError."""
    root = nix_tree.parse(source, str(file))
    found: list[ListPlace] = []
    for node in nix_tree.walk(root):
        if node.type == "binding":
            path = whole_path(node)
            value = node.child_by_field_name("expression")
            if value is not None and path is not None:
                found += _of_binding(file, path, value, own_options)
        elif node.type == "inherit" and (path := whole_path(node)):
            for name in LISTS:
                if (bound := bound_value(node, name)) is not None and name in inherited(node):
                    found += _of_binding(file, [*path, name], bound, own_options)
    return [*found, *_besides(found)]


def _besides(found: Iterable[ListPlace]) -> Iterator[ListPlace]:
    """Yield the place beside each list whose binding names what it belongs to."""
    seen = set()
    for place in found:
        binding = _binding_of(place.node)
        if place.kind is None or place.option or not place.has_block or binding is None:
            continue
        attrpath = binding.child_by_field_name("attrpath")
        attrs = [] if attrpath is None else attrpath.children_by_field_name("attr")
        if any("${" in nix_tree.text(attr) for attr in attrs):
            continue  # Nix joins no two definitions of a computed name
        count = len(attrs)
        # Of the names, the last is that of the list; the one before it, at least, has to be there.
        key = (place.names, binding.parent.id if binding.parent else 0)
        if 1 < count <= len(place.names) + 1 and key not in seen:
            seen.add(key)
            yield replace(place, kind=None, node=binding, entries=())


def _binding_of(node: Node) -> Node | None:
    current: Node | None = node
    while current is not None and current.type != "binding":
        current = current.parent
    return current


def of_form(path: Sequence[str]) -> tuple[Target, int] | None:
    """Find where in the names of a binding the store of a known option stands."""
    for (top, name), target in _FORMS.items():
        for index in range(len(path) - 2):
            if path[index] == top and path[index + 1] == name and "options" not in path[:index]:
                return target, index + 2
    return None


def _of_binding(
    file: Path, path: list[str], value: Node, own_options: Sequence[OwnOption]
) -> Iterator[ListPlace]:
    if (form := of_form(path)) is not None:
        target, index = form
        yield from _of_store(file, target, path[: index + 1], path[index + 1 :], value)
        return
    yield from _of_option(file, path, value)
    seen: set[tuple[int, bool]] = set()
    for own in own_options:
        for place in _of_own(file, path, value, own):
            if (place.node.id, place.of_home) not in seen:
                seen.add((place.node.id, place.of_home))
                yield place


def _of_own(file: Path, path: list[str], value: Node, own: OwnOption) -> Iterator[ListPlace]:
    """Yield the lists that an option of the configuration's own is given in a file."""
    begin = _begin_of(path, own)
    if begin is None:
        return
    end = begin + len(own.path)
    if own.kind is None:
        found = list(_of_store(file, own.target, path[:end], path[end:], value))
        found = [replace(place, user=own.user or place.user) for place in found]
    else:
        found = list(_of_list(file, own.target, path, own.kind, value))
        found = [replace(place, user=own.user, has_block=False) for place in found]
    for place in found:
        if _looks_right(place, own):
            yield replace(place, store=own.store, is_own=True)


def _begin_of(path: Sequence[str], own: OwnOption) -> int | None:
    """Find where in the names of a binding those of an option begin."""
    length = len(own.path)
    ends = range(length, len(path) + 1) if own.kind is None else (len(path),)
    for end in ends:
        before = path[: max(end - length, 0)]
        is_same = [*map(bare, path[end - length : end])] == [*map(bare, own.path)]
        # A single name may be that of anything, deeper in a file.
        is_top = not before or before[-1] == "config" or length > 1
        of_person = "home-manager" in before and not own.of_home
        if end >= length and is_same and is_top and "options" not in before and not of_person:
            return end - length
    return None


def bare(name: str) -> str:
    """Give the name itself of one that is computed: `${ns}` is often written `ns` elsewhere."""
    return name.removeprefix("${").removesuffix("}").rpartition(".")[2]


def _looks_right(place: ListPlace, own: OwnOption) -> bool:
    """Whether what stands there already is of the kind: an option may be another's as well."""
    known = [entry.path for entry in place.entries if entry.path is not None]
    if not known:
        return not (own.is_changed or own.is_ambiguous)
    return all(path.startswith("/") != place.of_home for path in known)


def _of_option(file: Path, path: list[str], value: Node) -> Iterator[ListPlace]:
    """Yield the lists of a service's own persistence: OPTION.persistence.LEVEL.directories."""
    if len(path) < _SHORTEST or path[-3] != "persistence" or path[-2] not in _LEVELS:
        return
    if path[-1] in LISTS:
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
        for inner in values(value):
            if nix_tree.is_attrset(inner):
                yield ListPlace(file, target, store, user, None, inner, names=names)
    elif len(rest) == 1 and rest[0] in LISTS:
        for place in _of_list(file, target, [*names, rest[0]], LISTS[rest[0]], value):
            yield replace(place, store=store, user=user)


def _of_list(
    file: Path, target: Target, path: Sequence[str], kind: Kind, value: Node
) -> Iterator[ListPlace]:
    found = list(lists(value))
    # Joined to a computed list only where no list stands beside it.
    has_literal = any(not (each.is_computed or each.is_conditional) for each in found)
    for each in found:
        if each.is_computed and (has_literal or each.node is not found[0].node):
            continue
        yield ListPlace(
            file,
            target,
            store="",
            user=None,
            kind=kind,
            node=each.node,
            entries=_entries(each, kind),
            names=tuple(path[:-1]),
            prefix=each.prefix,
            name=path[-1],
            is_conditional=each.is_conditional,
            is_computed=each.is_computed,
        )


def _entries(found: FoundList, kind: Kind) -> tuple[ListElement, ...]:
    return tuple(
        ListElement(path if path is None else found.prefix + path, element)
        for element in found.elements
        for path in (_path_of(element, kind),)
    )


def whole_path(node: Node) -> list[str] | None:
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
        elif current.type == "apply_expression" and not is_transparent(current):
            # What a function of somebody's makes of it is not known: only what is inside counts.
            return names
        current = current.parent
    return names


def _written(attr: Node) -> str:
    value = nix_tree.string_value(attr) if attr.type == "string_expression" else None
    return value if value is not None else nix_tree.text(attr).strip('"')


def _path_of(element: Node, kind: Kind) -> str | None:
    element = nix_tree.body(element)
    if nix_tree.is_attrset(element):
        for key in _KEYS[kind]:
            binding = nix_tree.find(element, (key,))
            if binding is not None:
                return _literal(binding.value)
        return None
    return _literal(element)


def _literal(node: Node) -> str | None:
    """Read a string or a path that is written out."""
    if node.type == "path_expression" and all(
        each.type == "path_fragment" for each in node.named_children
    ):
        return nix_tree.text(node)
    return nix_tree.string_value(node)
