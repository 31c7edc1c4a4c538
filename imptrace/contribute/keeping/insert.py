"""The fewest bytes that put elements into a list, or take them out."""

import re
from collections.abc import Sequence

from tree_sitter import Node

from imptrace.contribute.keeping.entry import is_one_line
from imptrace.contribute.keeping.places import LIST_OF, ListElement, ListPlace
from imptrace.contribute.keeping.values import operator_of
from imptrace.contribute.nix_source import edit as nix_edit
from imptrace.contribute.nix_source import tree as nix_tree
from imptrace.contribute.nix_source.edit import Edit
from imptrace.facts.levels import Kind
from imptrace.render.nix_text import attribute

_WIDEST = 100
_INDENT = "  "
_ATOMS = frozenset({"variable_expression", "select_expression"})
_TIGHT = _ATOMS | {"apply_expression", "parenthesized_expression", "list_expression"}
"""What binds more closely than `++`."""
_OWN_NAMES = frozenset(LIST_OF.values())


def into_list(source: bytes, place: ListPlace, path: str, text: str) -> list[Edit]:
    """Put one element into a literal list: where the alphabet says if it rules there, else last."""
    entries = place.entries
    if place.is_computed:
        return _joined(place, text)
    if not entries:
        return _into_empty(source, place, text)
    index = _sorted_index(entries, path)
    if is_one_line(place.node):
        return _into_line(source, place, index, text)
    if index == len(entries):
        last = entries[-1].node
        end = nix_edit.end_with_comment(last)
        if last.end_point.row == place.node.end_point.row:  # the bracket shares the last line
            return [Edit(last.end_byte, last.end_byte, f" {text}")]
        return [Edit(end, end, f"\n{_column(source, entries, len(entries) - 1)}{text}")]
    start = _with_comments_above(source, entries[index])
    indent = _column(source, entries, index)
    return [Edit(start, start, f"{text}\n{indent}")]


def _joined(place: ListPlace, text: str) -> list[Edit]:
    """Join a list with one element to one that is computed: `[ "/x" ] ++ config.mine`."""
    node = place.node
    listing = nix_edit.list_text([nix_edit.Item(text)], "", padded=_is_padded(_root(place)))
    around = node.parent
    if around is not None and around.type == "list_expression":
        return [Edit(node.start_byte, node.start_byte, f"{listing} ")]
    is_argument = around is not None and around.type == "apply_expression"
    start, end = f"{listing} ++ ", ""
    if node.type not in _TIGHT:
        start, end = f"{start}(", ")"
    if is_argument:
        start, end = f"({start}", f"{end})"
    return [Edit(node.start_byte, node.start_byte, start), Edit(node.end_byte, node.end_byte, end)]


def out_of_join(source: bytes, place: ListPlace) -> Edit | None:
    """Take an empty list out that is joined to another; None where it is not."""
    listing, join = place.node, place.node.parent
    if join is None or join.type != "binary_expression" or operator_of(join) != "++":
        return None
    other = join.child_by_field_name("right")
    if other is None or other == listing or any(c.type == "comment" for c in listing.children):
        return None
    around = join.parent
    rest = source[other.start_byte : other.end_byte].decode(errors="surrogateescape")
    if around is not None and around.type == "parenthesized_expression":
        inner = other.child_by_field_name("expression")
        if other.type == "parenthesized_expression" and inner is not None:
            return Edit(join.start_byte, other.end_byte, nix_tree.text(inner))
        if other.type in _ATOMS:
            return Edit(around.start_byte, around.end_byte, rest)
    elif other.type == "parenthesized_expression" and around is not None:
        inner = other.child_by_field_name("expression")
        if inner is not None and around.type == "binding":
            rest = nix_tree.text(inner)
    return Edit(join.start_byte, other.end_byte, rest)


def into_block(
    source: bytes, place: ListPlace, kind: Kind, user: str | None, text: str
) -> list[Edit]:
    """Put a list with one element into a block that has none of its kind."""
    name = LIST_OF[kind]
    if user is not None:
        name = f"users.{attribute(user)}.{name}"
    padded = _is_padded(_root(place))
    listing = nix_edit.list_text([nix_edit.Item(text)], "", padded=padded)
    if place.node.type == "binding":
        return _beside(source, place.node, f"{name} = {listing};")
    existing = nix_tree.bindings(place.node)
    after = existing[-1] if existing else None
    if is_one_line(place.node):
        return _into_one_line_block(place, f"{name} = {listing};")
    return nix_edit.insert_binding(source, place.node, f"{name} = {listing};", after)


def _beside(source: bytes, binding: Node, text: str) -> list[Edit]:
    """Put a binding behind another, whose names but the last are its own."""
    attrpath = binding.child_by_field_name("attrpath")
    attrs = attrpath.children_by_field_name("attr") if attrpath is not None else []
    first, store = attrs[0].start_byte, attrs[-2].end_byte
    names = source[first:store].decode(errors="surrogateescape")
    end = nix_edit.end_with_comment(binding)
    line_start = source.rfind(b"\n", 0, binding.start_byte) + 1
    if source[line_start : binding.start_byte].strip():
        return [Edit(end, end, f" {names}.{text}")]
    indent = nix_edit.indentation(source, binding.start_byte)
    return [Edit(end, end, f"\n{indent}{names}.{text}")]


def out_of_list(source: bytes, entry: ListElement, *, with_remarks: bool = False) -> Edit:
    """Take an element out, with its line if nothing else stands there.

    `with_remarks`: with the comments right above it, too.
    """
    start, end = entry.node.start_byte, nix_edit.end_with_comment(entry.node)
    if with_remarks:
        start = _with_comments_above(source, entry)
    line_start = source.rfind(b"\n", 0, start) + 1
    line_end = source.find(b"\n", end)
    line_end = len(source) if line_end < 0 else line_end
    if not source[line_start:start].strip() and not source[end:line_end].strip():
        return Edit(line_start, min(line_end + 1, len(source)), "")
    end = entry.node.end_byte
    if source[end : end + 1] == b" ":
        end += 1
    elif source[start - 1 : start] == b" ":
        start -= 1
    return Edit(start, end, "")


def out_of_block(source: bytes, place: ListPlace, *, is_doubled: bool) -> Edit | None:
    """Take an empty list out of its block, with its name; None where it is more than that.

    `is_doubled`: another binding makes the store as well.
    """
    node = place.node
    binding = node.parent
    if (
        binding is None
        or binding.type != "binding"
        or any(c.type == "comment" for c in node.children)
    ):
        return None
    around = binding.parent.parent if binding.parent is not None else None
    if around is not None and around.type == "let_expression":
        return None  # its name is used
    attrpath = binding.child_by_field_name("attrpath")
    short = attrpath is not None and nix_tree.text(attrpath) in _OWN_NAMES
    of_user = attrpath is not None and nix_tree.text(attrpath).startswith("users.")
    if not (short or of_user or is_doubled):
        return None  # the binding makes the store as well
    start, end = binding.start_byte, nix_edit.end_with_comment(binding)
    line_start = source.rfind(b"\n", 0, start) + 1
    line_end = source.find(b"\n", end)
    line_end = len(source) if line_end < 0 else line_end
    if not source[line_start:start].strip() and not source[end:line_end].strip():
        return Edit(line_start, min(line_end + 1, len(source)), "")
    end = binding.end_byte
    return Edit(start, end + (source[end : end + 1] == b" "), "")


def _into_empty(source: bytes, place: ListPlace, text: str) -> list[Edit]:
    opening, closing = place.node.children[0], place.node.children[-1]
    between = source[opening.end_byte : closing.start_byte]
    if is_one_line(place.node) or not between.strip():
        space = "" if between == b"" and not _is_padded(_root(place)) else " "
        if is_one_line(place.node):
            return [Edit(opening.end_byte, closing.start_byte, f"{space}{text}{space}")]
    # Only comments stand in it: the element goes below them, as deep as they are.
    comments = [child for child in place.node.children if child.type == "comment"]
    if comments:
        indent = " " * comments[-1].start_point.column
        if indent == "":
            indent = nix_edit.indentation(source, place.node.start_byte) + _INDENT
        return [Edit(comments[-1].end_byte, comments[-1].end_byte, f"\n{indent}{text}")]
    indent = nix_edit.indentation(source, place.node.start_byte)
    return [Edit(opening.end_byte, closing.start_byte, f"\n{indent}{_INDENT}{text}\n{indent}")]


def _into_line(source: bytes, place: ListPlace, index: int, text: str) -> list[Edit]:
    """Keep a list on its line while it fits; else give each element one."""
    entries = place.entries
    line_start = source.rfind(b"\n", 0, place.node.start_byte) + 1
    line_end = source.find(b"\n", place.node.end_byte)
    width = (len(source) if line_end < 0 else line_end) - line_start + len(text) + 1
    if width <= _WIDEST:
        if index == len(entries):
            end = entries[-1].node.end_byte
            return [Edit(end, end, f" {text}")]
        start = entries[index].node.start_byte
        return [Edit(start, start, f"{text} ")]
    return nix_edit.extend_list(source, place.node, [nix_edit.Item(text)])


def _into_one_line_block(place: ListPlace, binding: str) -> list[Edit]:
    closing = place.node.children[-1]
    before = closing.prev_sibling
    end = before.end_byte if before is not None else closing.start_byte
    return [Edit(end, closing.start_byte, f" {binding} ")]


def _sorted_index(entries: Sequence[ListElement], path: str) -> int:
    """Find where a path goes: in order where the whole list, or its last group, is in order."""
    names = [entry.path for entry in entries]
    known = [name for name in names if name is not None]
    if len(known) < 2 or len(known) != len(names):  # noqa: PLR2004 (one has no order)
        return len(entries)
    for key in (str, str.lower):
        keys = [key(name) for name in known]
        if keys == sorted(keys):
            return sum(each < key(path) for each in keys)
    return len(entries)


def _column(source: bytes, entries: Sequence[ListElement], index: int) -> str:
    """Give the indentation of the elements that begin a line."""
    for entry in (entries[index], *reversed(entries)):
        start = entry.node.start_byte
        line = source[source.rfind(b"\n", 0, start) + 1 : start]
        if not line.strip():
            return line.decode(errors="surrogateescape")
    return nix_edit.indentation(source, entries[index].node.start_byte)


def _with_comments_above(source: bytes, entry: ListElement) -> int:
    """Find where an element begins, comments on the lines right above it included."""
    start = entry.node.start_byte
    while True:
        line_start = source.rfind(b"\n", 0, start) + 1
        above = source.rfind(b"\n", 0, max(line_start - 1, 0)) + 1
        line = source[above : max(line_start - 1, 0)]
        if line_start == 0 or not re.match(rb"\s*#", line):
            return start
        start = above + len(line) - len(line.lstrip())


def _is_padded(root: Node) -> bool:
    """Whether lists of one line have spaces inside their brackets; so nixfmt has it."""
    lists = (node for node in nix_tree.walk(root) if node.type == "list_expression")
    short = any(is_one_line(each) and nix_tree.elements(each) for each in lists)
    return nix_edit.is_padded(root) or not short


def _root(place: ListPlace) -> Node:
    node = place.node
    while node.parent is not None:
        node = node.parent
    return node
