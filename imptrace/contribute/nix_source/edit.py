"""Changes of Nix source that leave every other byte as it is.

Each function answers with `Edit`s at the byte positions that the grammar gives; `apply` makes
them all at once. Indentation is two spaces, as every Nix formatter has it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tree_sitter import Node

from imptrace.contribute.nix_source.tree import AttrPath, Binding, bindings, elements, walk

INDENT = "  "


class Edit(NamedTuple):
    """Bytes `start` to `end` of the source are replaced by `text`."""

    start: int
    end: int
    text: str


class Item(NamedTuple):
    """An element to write into a list. `expression` may span lines, indented from column 0."""

    expression: str
    comment: str | None = None


def apply(source: bytes, edits: Iterable[Edit]) -> bytes:
    """Make all edits. They must not overlap; those at one position keep their order."""
    parts = []
    position = 0
    # Lines end as those of the file do.
    ending = "\r\n" if b"\r\n" in source else "\n"
    for edit in sorted(edits, key=lambda edit: edit.start):
        text = edit.text.replace("\n", ending)
        parts += [source[position : edit.start], encoded(text)]
        position = edit.end
    return b"".join([*parts, source[position:]])


def encoded(text: str) -> bytes:
    """Encode text for a file: bytes that were read from one come out as they went in."""
    return text.encode(errors="surrogateescape")


def indentation(source: bytes, position: int) -> str:
    """Give the white space at the beginning of the line that holds a byte position."""
    start = source.rfind(b"\n", 0, position) + 1
    line = source[start:position]
    return line[: len(line) - len(line.lstrip())].decode()


def indented(text: str, indent: str) -> str:
    """Put `indent` before each line that is not empty."""
    return "\n".join(indent + line if line else line for line in text.split("\n"))


def list_text(items: Sequence[Item], indent: str, *, padded: bool) -> str:
    """Write a list whose line begins with `indent`; in one line where it has one plain item.

    `padded`: `[ "x" ]`, as nixfmt has it, rather than alejandra's `["x"]`.
    """
    if len(items) == 1 and items[0].comment is None and "\n" not in items[0].expression:
        space = " " if padded else ""
        return f"[{space}{items[0].expression}{space}]"
    lines = [_item_lines(item, indent + INDENT) for item in items]
    return "[\n" + "".join(f"{line}\n" for line in lines) + f"{indent}]"


def extend_list(source: bytes, listing: Node, items: Sequence[Item]) -> list[Edit]:
    """Put items at the end of a list literal, each on a line of its own."""
    indent = indentation(source, listing.start_byte)
    first, last = listing.children[0], listing.children[-1]
    inner = [child for child in listing.children[1:-1] if child.is_named]
    if not inner:
        lines = "".join(f"\n{_item_lines(item, indent + INDENT)}" for item in items)
        return [Edit(first.end_byte, last.start_byte, f"{lines}\n{indent}")]
    if listing.start_point.row == listing.end_point.row:
        return _spread(source, listing, inner, items)
    column = indentation(source, inner[-1].start_byte)
    lines = "".join(f"\n{_item_lines(item, column)}" for item in items)
    edits = [Edit(inner[-1].end_byte, inner[-1].end_byte, lines)]
    if inner[-1].end_point.row == last.start_point.row:  # the bracket shares the last line
        edits.append(Edit(inner[-1].end_byte, last.start_byte, f"\n{indent}"))
    return edits


def insert_binding(
    source: bytes, attrset: Node, text: str, after: Binding | None = None
) -> list[Edit]:
    """Put a binding on lines of its own behind `after`, or before all others."""
    existing = bindings(attrset)
    if after is not None:
        line = indented(text, indentation(source, after.node.start_byte))
        end = end_with_comment(after.node)
        return [Edit(end, end, f"\n{line}")]
    if existing:
        start = existing[0].node.start_byte
        indent = indentation(source, start)
        return [Edit(start, start, f"{indented(text, indent).removeprefix(indent)}\n{indent}")]
    first, last = (child for child in attrset.children if child.type in ("{", "}"))
    inner = [
        node
        for child in attrset.named_children
        for node in (child.named_children if child.type == "binding_set" else [child])
    ]
    if inner:
        # What is inherited, has a computed name, or says something.
        line = indented(text, indentation(source, inner[-1].start_byte))
        end = end_with_comment(inner[-1])
        return [Edit(end, end, f"\n{line}")]
    indent = indentation(source, attrset.start_byte)
    line = indented(text, indent + INDENT)
    return [Edit(first.end_byte, last.start_byte, f"\n{line}\n{indent}")]


def sorted_place(names: Sequence[str], name: str) -> int:
    """Find where a name goes among `names`: by the alphabet if they follow it, else at the end."""
    if list(names) == sorted(names):
        return sum(each < name for each in names)
    return len(names)


def is_padded(root: Node) -> bool:
    """Whether the lists of a file that stand in one line have a space inside their brackets."""
    for node in walk(root):
        items = elements(node) if node.type == "list_expression" else []
        if items and node.start_point.row == node.end_point.row:
            return items[0].start_byte > node.start_byte + 1
    return False


def dotted(path: AttrPath) -> str:
    """Write an attribute path of plain names."""
    return ".".join(path)


def _item_lines(item: Item, indent: str) -> str:
    lines = item.expression if item.comment is None else f"# {item.comment}\n{item.expression}"
    return indented(lines, indent)


def _spread(
    source: bytes, listing: Node, inner: Sequence[Node], items: Sequence[Item]
) -> list[Edit]:
    """Give a list that stood in one line a line for each element, old and new."""
    indent = indentation(source, listing.start_byte)
    edits = []
    position = listing.children[0].end_byte
    for node in inner:
        edits.append(Edit(position, node.start_byte, f"\n{indent}{INDENT}"))
        position = node.end_byte
    lines = "".join(f"\n{_item_lines(item, indent + INDENT)}" for item in items)
    return [*edits, Edit(position, listing.children[-1].start_byte, f"{lines}\n{indent}")]


def end_with_comment(node: Node) -> int:
    """Find where a binding ends, a comment behind it on the same line included."""
    following = node.next_sibling or (node.parent and node.parent.next_sibling)
    if following is None or following.type != "comment":
        return node.end_byte
    beside = following.start_point.row == node.end_point.row
    return following.end_byte if beside else node.end_byte
