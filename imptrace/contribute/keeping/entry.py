"""One kept path as an element of a list, written as its neighbours are."""

from collections.abc import Mapping

from tree_sitter import Node

from imptrace.contribute.keeping.places import ListPlace
from imptrace.contribute.nix_source import tree as nix_tree
from imptrace.facts.levels import Kind
from imptrace.judge.model import Recommendation
from imptrace.render.nix import Target
from imptrace.render.nix_entries import of_impermanence, of_preservation
from imptrace.render.nix_text import Value, string

_WRITERS = {
    Target.IMPERMANENCE: of_impermanence,
    Target.HOME_MANAGER: of_impermanence,
    Target.PRESERVATION: of_preservation,
}


def element(each: Recommendation, place: ListPlace, path: bytes) -> str:
    """Write an element for a list of a place."""
    value = _WRITERS[place.target](each, path)
    if not isinstance(value, Mapping):
        return _value(value)
    own = _without_usual(each, value)
    if len(own) == 1:
        only = _value(next(iter(own.values())))
        if not _all_sets(place):
            return only
    return "{ " + " ".join(f"{key} = {_value(item)};" for key, item in own.items()) + " }"


def _without_usual(each: Recommendation, value: Mapping[str, Value]) -> dict[str, Value]:
    """Leave out an owner that a user's own files have anyway, and modes that are the default."""
    usual = each.home.user if each.home is not None else "root"
    default = "0755" if each.kind is Kind.DIRECTORY else "0644"
    dropped = {"user": usual, "mode": default}
    found = {key: item for key, item in value.items() if dropped.get(key) != item}
    if value.get("user") == usual and (each.home is not None or value.get("group") == usual):
        found.pop("group", None)
    return found


def _all_sets(place: ListPlace) -> bool:
    """Whether every neighbour is an attribute set."""
    nodes = [nix_tree.body(entry.node) for entry in place.entries]
    return bool(nodes) and all(map(nix_tree.is_attrset, nodes))


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | str):
        return string(value)
    raise TypeError(f"no element holds a {type(value).__name__}")


def is_one_line(node: Node) -> bool:
    """Whether a node begins and ends on one line."""
    return node.start_point.row == node.end_point.row
