"""Command lines of unit files, as systemd.service(5) reads them, and how to put another in front.

Only what stands before the arguments is understood and written anew. The arguments themselves
are carried over as they stand, so that quoting, escapes, specifiers and variables mean afterwards
what they meant before.
"""

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass

from imptrace.facts.unit_files import WHITESPACE, directives

EXEC_KEYS = (
    "ExecCondition",
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
    "ExecReload",
    "ExecStop",
    "ExecStopPost",
)
_PREFIXES = "-@:+!|"
_PLAIN = frozenset(string.ascii_letters + string.digits + "/_.,+-=@%:^~")
_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", '"': '"', "'": "'", "s": " ",
}  # fmt: skip
_NUMERIC = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3})", re.ASCII)


class ExecLineError(ValueError):
    """A command line that systemd itself would not accept."""


@dataclass(frozen=True, slots=True)
class ExecLine:
    """One command of a unit file."""

    prefixes: str
    """What stands before the path, without the `@`."""
    path: str
    """The program, quotes and escapes undone; specifiers stand unexpanded."""
    argv0: str | None
    """With `@`: the word that becomes argv[0], as written."""
    arguments: str
    """The rest, as written."""

    @property
    def program_word(self) -> str:
        """The path as an argument, where systemd would expand variables."""
        return quote(self.path, literal="" if ":" in self.prefixes else "$")

    def words(self) -> list[str]:
        """Answer with the arguments, quotes and escapes undone, nothing expanded."""
        found = []
        position = 0
        while position < len(self.arguments):
            end = _word_end(self.arguments, position)
            found.append(unquote(self.arguments[position:end]))
            position = _skip_space(self.arguments, end)
        return found

    @property
    def is_privileged(self) -> bool:
        """Whether systemd runs this command without the unit's sandbox and user."""
        return "+" in self.prefixes

    @property
    def runs_in_shell(self) -> bool:
        """Whether systemd hands the whole line to a login shell (the `|` prefix)."""
        return "|" in self.prefixes


def read_exec_lines(files: Iterable[str]) -> dict[str, list[ExecLine]]:
    """Collect a unit's commands, by key, from its files in the order in which systemd reads them.

    An empty assignment takes back what came before it. Raises ExecLineError.
    """
    lines: dict[str, list[ExecLine]] = {}
    for text in files:
        for section, key, value in directives(text):
            if section != "Service" or key not in EXEC_KEYS:
                continue
            if value:
                lines.setdefault(key, []).extend(parse_exec_value(value))
            else:
                lines.pop(key, None)
    return lines


def parse_exec_value(value: str) -> list[ExecLine]:
    """Split the value of an Exec key into its commands (several with ` ; ` between them).

    Raises ExecLineError.
    """
    lines = []
    position = _skip_space(value, 0)
    while position < len(value):
        end = _word_end(value, position)
        word = unquote(value[position:end])
        rest = len(word) - len(word.lstrip(_PREFIXES))
        prefixes, path = word[:rest], word[rest:]
        if not path:
            raise ExecLineError(f"no program in the command line {value!r}")
        position = _skip_space(value, end)
        argv0 = None
        if "@" in prefixes:
            end = _word_end(value, position)
            argv0, position = value[position:end], _skip_space(value, end)
            if not argv0:
                raise ExecLineError(f"no argv[0] after @ in the command line {value!r}")
        arguments, position = _arguments(value, position)
        lines.append(ExecLine(prefixes.replace("@", ""), path, argv0, arguments))
    return lines


def wrap(line: ExecLine, command: Iterable[str]) -> str:
    """Write `line` with `command` (its words, literally) before it.

    The words after `command` are the path, argv[0], and the arguments. Prefixes stay in front,
    where they apply to `command`, and so, as it only execs, to the program.
    """
    literal = "" if ":" in line.prefixes else "$"
    words = [quote(word, literal="%" + literal) for word in command]
    words.append(line.program_word)
    words.append(line.argv0 or line.program_word)
    if line.arguments:
        words.append(line.arguments)
    return line.prefixes + " ".join(words)


def rewrite(line: ExecLine) -> str:
    """Write `line` as it was."""
    at = "@" if line.argv0 is not None else ""
    words = [line.prefixes + at + quote(line.path), line.argv0, line.arguments]
    return " ".join(word for word in words if word)


def quote(word: str, *, literal: str = "") -> str:
    """Write a word so that systemd reads it back; double the characters of `literal`."""
    for character in literal:
        word = word.replace(character, 2 * character)
    if word and all(character in _PLAIN for character in word):
        return word
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{text}"'


def unquote(word: str) -> str:
    """Undo systemd's quotes and escapes of one word. Raises ExecLineError."""
    out = []
    quoting = ""
    position = 0
    while position < len(word):
        character = word[position]
        position += 1
        if character == "\\":
            text, position = _unescape(word, position)
            out.append(text)
        elif quoting and character == quoting:
            quoting = ""
        elif not quoting and character in "'\"":
            quoting = character
        else:
            out.append(character)
    if quoting:
        raise ExecLineError(f"a quote is not closed in {word!r}")
    return "".join(out)


def _unescape(word: str, position: int) -> tuple[str, int]:
    if found := _NUMERIC.match(word, position):
        octal = found.group(4)
        digits = octal or found.group(1) or found.group(2) or found.group(3)
        number = int(digits, 8 if octal else 16)
        # systemd writes \xHH and \OOO as one byte, \u and \U as UTF-8.
        as_byte = octal or found.group(1)
        if number == 0 or number > (0xFF if as_byte else 0x10FFFF):
            raise ExecLineError(f"an escape that systemd does not accept in {word!r}")
        text = bytes([number]).decode("utf-8", "surrogateescape") if as_byte else chr(number)
        return text, found.end()
    character = word[position : position + 1]
    if character not in _ESCAPES:
        raise ExecLineError(f"an escape that systemd does not know in {word!r}")
    return _ESCAPES[character], position + 1


def _arguments(value: str, start: int) -> tuple[str, int]:
    """Find the arguments up to an unquoted `;` or the end, and where the next command begins."""
    position = start
    while position < len(value):
        end = _word_end(value, position)
        if value[position:end] == ";":
            return value[start:position].rstrip(WHITESPACE), _skip_space(value, end)
        position = _skip_space(value, end)
    return value[start:].rstrip(WHITESPACE), position


def _skip_space(value: str, position: int) -> int:
    while position < len(value) and value[position] in WHITESPACE:
        position += 1
    return position


def _word_end(value: str, position: int) -> int:
    quoting = ""
    while position < len(value):
        character = value[position]
        if character == "\\":
            position += 1
        elif quoting:
            quoting = "" if character == quoting else quoting
        elif character in "'\"":
            quoting = character
        elif character in WHITESPACE:
            break
        position += 1
    return min(position, len(value))
