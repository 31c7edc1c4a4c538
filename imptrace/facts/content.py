"""What the first bytes of a file say about how much it matters.

Only a hint is kept of what was read, never the bytes.
"""

import re
from enum import StrEnum

HEAD_SIZE = 4096
"""Bytes from the beginning of a file that `hint_of` wants to see."""


class Hint(StrEnum):
    """What a file is, as far as its beginning tells. Stored: never rename."""

    SQLITE = "sqlite"
    LMDB = "lmdb"
    BERKELEY_DB = "berkeley-db"
    GDBM = "gdbm"
    TDB = "tdb"
    REDIS = "redis"
    KEYBOX = "keybox"
    PRIVATE_KEY = "private-key"
    KEYRING = "keyring"
    CREDENTIALS = "credentials"
    """Text in which a password or token is set."""


DATABASE_HINTS = frozenset(
    {Hint.SQLITE, Hint.LMDB, Hint.BERKELEY_DB, Hint.GDBM, Hint.TDB, Hint.REDIS, Hint.KEYBOX}
)
SECRET_HINTS = frozenset({Hint.PRIVATE_KEY, Hint.KEYRING, Hint.CREDENTIALS})

_MAGIC: tuple[tuple[int, bytes, Hint], ...] = (
    (0, b"SQLite format 3\0", Hint.SQLITE),
    (16, b"\xde\xc0\xef\xbe", Hint.LMDB),
    (12, b"\x62\x31\x05\0", Hint.BERKELEY_DB),
    (12, b"\x61\x15\x06\0", Hint.BERKELEY_DB),
    (0, b"\xcd\x9a\x57\x13", Hint.GDBM),
    (0, b"\xce\x9a\x57\x13", Hint.GDBM),
    (0, b"\xcf\x9a\x57\x13", Hint.GDBM),
    (0, b"TDB file\n", Hint.TDB),
    (0, b"REDIS0", Hint.REDIS),
    (8, b"KBXf", Hint.KEYBOX),
    (0, b"openssh-key-v1\0", Hint.PRIVATE_KEY),
    (0, b"PuTTY-User-Key-File-", Hint.PRIVATE_KEY),
    (0, b"AGE-SECRET-KEY-1", Hint.PRIVATE_KEY),
    (0, b"untrusted comment: minisign encrypted secret key", Hint.PRIVATE_KEY),
    (0, b"GnomeKeyring\n\r\0\n", Hint.KEYRING),
    (0, b"KWALLET\n\r\0\r\n", Hint.KEYRING),
    (0, b"\x03\xd9\xa2\x9a", Hint.KEYRING),
    (0, b"\xfe\xed\xfe\xed", Hint.KEYRING),
)
"""Offset, bytes, meaning."""

_PRIVATE_KEY = re.compile(
    rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
    rb"|^(?:Key: )?\((?:11:)?(?:protected-|shadowed-)?private-key"
    rb"|^(?:Key: )?\(21:protected-private-key"
    rb"|^== [a-z0-9]+-secret: "
    rb"|^# *created: .*\n(?:#.*\n)*AGE-SECRET-KEY-1",
    re.MULTILINE,
)

_CREDENTIALS = re.compile(
    rb"""
    ^[ \t]*(?:export[ ])?["']?
    (?:[a-z0-9_.-]*[_.-])?(?:pass|password|passwd|passphrase|psk|secret|token|api[_-]?key|private[_-]?key)
    ["']?[ \t]*[=:][ \t]*["']?[^\s"'#;<{\[]{4,}
    | ^machine[ \t]+\S+[ \t\n]+login[ \t]+\S+[ \t\n]+password[ \t]+\S
    | ^[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@
    """,
    re.MULTILINE | re.IGNORECASE | re.VERBOSE,
)


# Every file that a run changed is looked at, so that plain searches come before the patterns: one
# of these is in all that _PRIVATE_KEY finds, and in the first line of all that _CREDENTIALS does.
_KEY_WORDS = (b"private", b"secret")
_CREDENTIAL_WORDS = (b"pass", b"psk", b"secret", b"token", b"key", b"machine", b"://")

ANYWHERE = -1
CLUES = (
    *((offset, magic) for offset, magic, _ in _MAGIC),
    *((ANYWHERE, word) for word in dict.fromkeys(_KEY_WORDS + _CREDENTIAL_WORDS)),
)
"""Offset and bytes: without one of these a head gives no hint. Words count in any case."""


def hint_of(head: bytes) -> Hint | None:
    """Tell what a file that begins with `head` is; None where nothing is known of it."""
    for offset, magic, hint in _MAGIC:
        if head.startswith(magic, offset):
            return hint
    lowered = head.lower()
    if any(word in lowered for word in _KEY_WORDS) and _PRIVATE_KEY.search(head):
        return Hint.PRIVATE_KEY
    if b"\0" not in head and any(
        _CREDENTIALS.match(head, start) for start in _lines_with(_CREDENTIAL_WORDS, lowered)
    ):
        return Hint.CREDENTIALS
    return None


def _lines_with(words: tuple[bytes, ...], text: bytes) -> set[int]:
    """Tell where the lines begin that hold any of `words`."""
    starts = set()
    for word in words:
        at = text.find(word)
        while at >= 0:
            starts.add(text.rfind(b"\n", 0, at) + 1)
            end = text.find(b"\n", at)
            at = -1 if end < 0 else text.find(word, end)
    return starts
