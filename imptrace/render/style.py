"""Colour and weight for terminals, and nothing of it elsewhere."""

import os
from typing import TextIO


class Style:
    """Marks text for a terminal, or leaves it as it is."""

    def __init__(self, *, coloured: bool) -> None:
        self._coloured = coloured

    def bold(self, text: str) -> str:
        """Make text stand out."""
        return self._marked("1", text)

    def dim(self, text: str) -> str:
        """Let text step back."""
        return self._marked("2", text)

    def green(self, text: str) -> str:
        """Colour what is new or well."""
        return self._marked("32", text)

    def yellow(self, text: str) -> str:
        """Colour what changed, or needs attention."""
        return self._marked("33", text)

    def red(self, text: str) -> str:
        """Colour what is gone or failed."""
        return self._marked("31", text)

    def _marked(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured and text else text


def style_for(stream: TextIO) -> Style:
    """Return the style that suits a stream: plain if no terminal, or if NO_COLOR is set."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Style(coloured=wanted and stream.isatty())
