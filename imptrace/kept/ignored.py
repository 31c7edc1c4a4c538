r"""What a user does not want to hear of again: a small file, one path or pattern a line.

`*` and `?` stand for characters of one name; all below a path goes with it. A byte that is no
printable ASCII may be written as `\xNN`.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress

from imptrace.facts.patterns import compiled
from imptrace.kept.walk import Tree

SYSTEM_FILE = b"/etc/imptrace/ignore"
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(\\))")


def ignore_file() -> bytes:
    """Name the file of whoever asks: root's is the system's."""
    if os.geteuid() == 0:
        return SYSTEM_FILE
    config = os.environb.get(b"XDG_CONFIG_HOME", b"")
    base = config if config.startswith(b"/") else os.path.expanduser(b"~/.config")
    return base + b"/imptrace/ignore"


def ignored(tree: Tree) -> Callable[[bytes], bool]:
    """Read the files, and answer with what tells whether a path is ignored."""
    files = dict.fromkeys((tree.real(SYSTEM_FILE), ignore_file()))
    lines = [line for file in files for line in _lines(file)]
    patterns = [compiled(_unescaped(line).rstrip(b"/")) for line in lines]
    if not patterns:
        return lambda _path: False
    return lambda path: any(pattern.match(path) for pattern in patterns)


def ignore(path: bytes) -> bytes:
    """Write a path into the user's file; answer with the file. Raises OSError."""
    file = ignore_file()
    os.makedirs(os.path.dirname(file), mode=0o755, exist_ok=True)
    line = _escaped(path)
    if line not in _lines(file):
        with open(file, "ab") as opened:
            opened.write(line + b"\n")
    return file


def _lines(file: bytes) -> list[bytes]:
    with suppress(OSError), open(file, "rb") as opened:
        lines = (line.strip() for line in opened.read().splitlines())
        return [line for line in lines if line.startswith(b"/")]
    return []


def _escaped(path: bytes) -> bytes:
    r"""Write a path so that it stays on its line and `*`, `?` and `\` in it are themselves."""
    plain = range(0x21, 0x7F)
    return b"".join(
        b"\\\\" if byte == ord("\\")
        else b"?" if byte in b"*?"
        else bytes([byte]) if byte in plain
        else b"\\x%02x" % byte
        for byte in path
    )  # fmt: skip


def _unescaped(line: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: b"\\" if found[2] else bytes([int(found[1], 16)]), line)
