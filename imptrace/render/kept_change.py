"""A change of a configuration, as a unified diff."""

import difflib
from collections.abc import Mapping
from pathlib import Path

from imptrace.render.text import printable


def diff(sources: Mapping[Path, tuple[bytes, bytes]]) -> str:
    """Show what changes in each file."""
    lines: list[str] = []
    for file, (old, new) in sorted(sources.items()):
        name = str(file)
        lines += difflib.unified_diff(
            _lines(old), _lines(new), name if old else "/dev/null", name, lineterm=""
        )
    return "\n".join(map(printable, lines))


def _lines(source: bytes) -> list[str]:
    return source.decode(errors="surrogateescape").splitlines()
