"""A new module for a service in the form that its neighbours have, and the entries of lists."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tree_sitter import Node

from imptrace.contribute.layouts.module_form import Example, built_in, read_example
from imptrace.contribute.nix_source import edit, tree
from imptrace.contribute.nix_source.edit import Edit, Item
from imptrace.contribute.proposal import Proposal, ProposedPath
from imptrace.facts.levels import Kind, Level
from imptrace.judge.model import Method

LISTS = {Kind.DIRECTORY: "directories", Kind.FILE: "files"}
PATH_KEYS = {Kind.DIRECTORY: "directory", Kind.FILE: "file"}
# What impermanence gives a directory that it makes itself.
DEFAULT_OWNER, DEFAULT_MODE = "root", 0o755


def new_module(
    proposal: Proposal, paths: Sequence[ProposedPath], examples: Iterable[bytes]
) -> bytes:
    """Write a module for a service in the form of the first example that can be taken over."""
    found = [example for source in examples if (example := read_example(source))]
    wanted = bool(proposal.enable)
    fitting = [example for example in found if (example.enable is not None) is wanted]
    example = (fitting or found or [built_in()])[0]
    return edit.apply(example.source, _rewrite(example, proposal, paths))


def _rewrite(example: Example, proposal: Proposal, paths: Sequence[ProposedPath]) -> list[Edit]:
    """Put the service's own parts in the place of the example's."""
    attrpath = example.option.node.child_by_field_name("attrpath")
    if attrpath is None:
        raise AssertionError("a binding has an attribute path")
    old = edit.dotted(example.path)
    root = tree.parse(example.source, "")
    return [
        _replace(example.config, f"config.{proposal.option}"),
        _replace(attrpath, tree.text(attrpath).replace(old, proposal.option)),
        _replace(example.default.value, _default_text(example, root, paths)),
        _replace(example.description.value, _description(example, proposal)),
        *_enable_edits(example, proposal),
    ]


def _replace(node: Node, text: str) -> Edit:
    return Edit(node.start_byte, node.end_byte, text)


def _enable_edits(example: Example, proposal: Proposal) -> list[Edit]:
    if example.enable is None:
        return []
    if not proposal.enable:
        binary = example.enable.parent
        right = binary and binary.child_by_field_name("right")
        if right is None:
            raise AssertionError("a binary expression has a right side")
        return [Edit(example.enable.start_byte, right.start_byte, "")]
    own = f"{proposal.option}."
    switches = [
        f"cfg.{option.removeprefix(own)}" if option.startswith(own) else f"config.{option}"
        for option in proposal.enable
    ]
    text = switches[0] if len(switches) == 1 else f"({' || '.join(switches)})"
    return [_replace(example.enable, text)]


def _default_text(example: Example, root: Node, paths: Sequence[ProposedPath]) -> str:
    indent = edit.indentation(example.source, example.default.node.start_byte)
    inner = indent + edit.INDENT
    padded = edit.is_padded(root)
    lines = []
    for level, kind, items in entries(paths):
        listing = edit.list_text(items, inner, padded=padded)
        lines.append(f"{inner}{level.value}.{LISTS[kind]} = {listing};\n")
    return "{\n" + "".join(lines) + indent + "}"


def _description(example: Example, proposal: Proposal) -> str:
    indent = edit.indentation(example.source, example.description.node.start_byte)
    title = proposal.title.replace("''", "'''").replace("${", "''${")
    sentence = f"Persist {_contents(proposal.paths)} of {title}."
    return f"''\n{indent}{edit.INDENT}{sentence}\n{indent}''"


def _contents(paths: Iterable[ProposedPath]) -> str:
    words = {
        Level.TRANSIENT: "transient state",
        Level.NORMAL: "state",
        Level.IMPORTANT: "data",
        Level.SECRET: "secrets",
    }
    levels = {path.level for path in paths}
    found = [
        "the " + words[level] if not index else words[level]
        for index, level in enumerate(level for level in Level if level in levels)
    ]
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


class Entries(NamedTuple):
    """What goes into the list of one level and kind."""

    level: Level
    kind: Kind
    items: list[Item]


def entries(paths: Sequence[ProposedPath]) -> Iterator[Entries]:
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


def entry_text(path: ProposedPath) -> str:
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


def _ownership(path: ProposedPath) -> dict[str, str]:
    found = {}
    if path.user not in (None, DEFAULT_OWNER):
        found["user"] = path.user or ""
    if path.group not in (None, DEFAULT_OWNER):
        found["group"] = path.group or ""
    if path.mode not in (None, DEFAULT_MODE):
        found["mode"] = f"{path.mode:04o}"
    return found
