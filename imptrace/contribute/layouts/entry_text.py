"""How a path is written as an entry of a list in a NixOS module."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from imptrace.contribute.nix_source.edit import Item
from imptrace.contribute.proposal import KeptPath
from imptrace.facts.levels import Kind, Level
from imptrace.judge.model import Method

LISTS = {Kind.DIRECTORY: "directories", Kind.FILE: "files"}
PATH_KEYS = {Kind.DIRECTORY: "directory", Kind.FILE: "file"}
# What impermanence gives a directory that it makes itself.
DEFAULT_OWNER, DEFAULT_MODE = "root", 0o755


class Entries(NamedTuple):
    """What goes into the list of one level and kind."""

    level: Level
    kind: Kind
    items: list[Item]


def entries(paths: Sequence[KeptPath]) -> Iterator[Entries]:
    """Sort paths into the lists of a module, by rising level; empty lists are left out."""
    for level in Level:
        for kind in Kind:
            items = [
                Item(entry_text(path), path.comment)
                for path in paths
                if path.level is level and path.kind is kind
            ]
            if items:
                yield Entries(level, kind, items)


def entry_text(path: KeptPath) -> str:
    """Write an entry of a list: a string where that says it all, else an attribute set."""
    attributes = {PATH_KEYS[path.kind]: path.path}
    if path.kind is Kind.DIRECTORY:
        attributes |= _ownership(path)
    elif path.method is Method.SYMLINK:
        attributes["method"] = "symlink"
    if len(attributes) == 1:
        return nix_string(path.path)
    lines = "".join(f"  {name} = {nix_string(value)};\n" for name, value in attributes.items())
    return "{\n" + lines + "}"


def nix_string(value: str) -> str:
    """Write a Nix string, so that nothing in it is read as an interpolation."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'


def _ownership(path: KeptPath) -> dict[str, str]:
    found = {}
    if path.user not in (None, DEFAULT_OWNER):
        found["user"] = path.user or ""
    if path.group not in (None, DEFAULT_OWNER):
        found["group"] = path.group or ""
    if path.mode not in (None, DEFAULT_MODE):
        found["mode"] = f"{path.mode:04o}"
    return found
