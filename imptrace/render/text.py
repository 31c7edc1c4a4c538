r"""Untrusted text for a terminal: whatever a path or argument holds, it stays on its line.

A byte or character that a terminal could act on, or that would make text look like another, is
shown as an escape. A name that itself contains `\x1b` as four characters has its backslash doubled,
so that the two can be told apart.
"""

import unicodedata

# Besides what Python calls unprintable: characters that are invisible or join with what is before
# them would let one name look like another.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"})


def printable(text: bytes | str) -> str:
    r"""Show bytes or text on one line: no control character, no invalid UTF-8, no bidi override.

    >>> printable(b"caf\xc3\xa9\x1b[31m\xff")
    'café\\x1b[31m\\xff'
    """
    if isinstance(text, bytes):
        text = text.decode(errors="surrogateescape")
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    code = ord(character)
    if character == "\\":
        return "\\\\"
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 (an invalid byte, as surrogateescape keeps it)
        return f"\\x{code - 0xDC00:02x}"
    if character == " " or (
        character.isprintable() and unicodedata.category(character) not in _HIDDEN_CATEGORIES
    ):
        return character
    encoded = character.encode(errors="surrogatepass")
    return "".join(f"\\x{byte:02x}" for byte in encoded)
