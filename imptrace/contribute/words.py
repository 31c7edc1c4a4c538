"""How a name from outside is put into a sentence."""

_LONGEST = 200


def shown(text: str | bytes) -> str:
    """Put a name in quotes, cut to a readable length. Escaping is left to who prints it."""
    if isinstance(text, bytes):
        text = text.decode(errors="surrogateescape")
    return f"'{text[:_LONGEST]}{'…' if len(text) > _LONGEST else ''}'"
