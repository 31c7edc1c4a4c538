"""Nix as nixfmt prints it: strings of any bytes, lists, attribute sets, comments."""

import os
import re
from collections.abc import Mapping, Sequence

from imptrace.errors import UsageError

WIDTH = 100
_INDENT = "  "
_IDENTIFIER = re.compile(r"[a-zA-Z_][a-zA-Z0-9_'-]*")
_KEYWORDS = frozenset(["assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with"])


class NotExpressibleError(UsageError):
    """A path holds what no Nix string can."""


class Comment(str):
    """A line that stands above the next element of a list."""

    __slots__ = ()


Scalar = bytes | str | bool
Value = Scalar | Sequence["Value | Comment"] | Mapping[str, "Value"]


def string(text: bytes | str) -> str:
    r"""Write a string literal. Raises NotExpressibleError for NUL and for invalid UTF-8.

    >>> string('a"b${c}\n')
    '"a\\"b\\${c}\\n"'
    """
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            # Nix reads such bytes, and fails as soon as a string becomes JSON or a unit file.
            name = os.fsdecode(text)
            raise NotExpressibleError(f"{name} is not UTF-8: Nix cannot name it") from error
    if "\0" in text:
        raise NotExpressibleError(f"{text} holds a zero byte: Nix cannot name it")
    for raw, escaped in _ESCAPES:
        text = text.replace(raw, escaped)
    return f'"{text}"'


_ESCAPES = (
    ("\\", "\\\\"),
    ('"', '\\"'),
    ("${", "\\${"),
    ("\n", "\\n"),
    # A carriage return in the source is read as a line feed.
    ("\r", "\\r"),
    ("\t", "\\t"),
)


def attribute(name: str) -> str:
    """Write a name of an attribute, quoted where it has to be."""
    is_plain = _IDENTIFIER.fullmatch(name) is not None and name not in _KEYWORDS
    return name if is_plain else string(name)


def attribute_path(*names: str) -> str:
    """Write the names of nested attributes with dots between."""
    return ".".join(map(attribute, names))


def comment(text: str) -> Comment:
    """Make a comment of one line, of text that is printable already."""
    return Comment(f"# {text}")


def binding(path: str, value: Value, depth: int = 0) -> str:
    """Write `path = value;`, with `path` as `attribute_path` writes it."""
    indent = _INDENT * depth
    text = _value(value, depth)
    line = f"{indent}{path} = {text};"
    if isinstance(value, list | tuple) and "\n" not in text and len(line) > WIDTH:
        line = f"{indent}{path} = {_expanded_list(value, depth)};"
    return line


def _value(value: Value, depth: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | str):
        return string(value)
    if isinstance(value, Mapping):
        return _set(value, depth)
    if not value:
        return "[ ]"
    if len(value) == 1 and isinstance(value[0], bytes | str):
        return f"[ {string(value[0])} ]"
    return _expanded_list(value, depth)


def _set(value: Mapping[str, Value], depth: int) -> str:
    if not value:
        return "{ }"
    indent = _INDENT * depth
    lines = [binding(path, each, depth + 1) for path, each in value.items()]
    return "\n".join(["{", *lines, f"{indent}}}"])


def _expanded_list(value: Sequence[Value | Comment], depth: int) -> str:
    indent = _INDENT * depth
    inner = indent + _INDENT
    lines: list[str] = []
    for each in value:
        if isinstance(each, Comment):
            lines.append(inner + each)
        else:
            lines.append(inner + _value(each, depth + 1))
    return "\n".join(["[", *lines, f"{indent}]"])
