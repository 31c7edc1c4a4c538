"""What the first bytes of a file say about how much it matters.

Only a hint is kept of what was read, never the bytes.
"""

import re
from enum import StrEnum

from imptrace.facts.credentials import CREDENTIAL_WORDS, sets_a_credential

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
    (0, b"\x62\x31\x05\0", Hint.BERKELEY_DB),  # of 1.85, as Kerberos and sendmail have it
    (0, b"\x61\x15\x06\0", Hint.BERKELEY_DB),
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
    (0, b"untrusted comment: signify secret key", Hint.PRIVATE_KEY),
    (4, b"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48", Hint.PRIVATE_KEY),  # PKCS #8
    (4, b"\x02\x01\x00\x02\x82\x01", Hint.PRIVATE_KEY),  # PKCS #1
    (0, b"\x30\x77\x02\x01\x01\x04\x20", Hint.PRIVATE_KEY),  # SEC 1
    (4, b"\x02\x01\x03\x30", Hint.KEYRING),  # PKCS #12
    (0, b"\x05\x02\0\0\0", Hint.KEYRING),  # Kerberos' keytab
    (0, b"Salted__", Hint.KEYRING),  # openssl enc
    (0, b"\0GITCRYPTKEY", Hint.KEYRING),
    (0, b"\0\0\0\0\x1f\x1b\xed\x15", Hint.KEYRING),  # an identity of Tox
    (0, b"toxEsave", Hint.KEYRING),
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

_KEY_WORDS = (b"private", b"secret")
"""One of these is in all that `_PRIVATE_KEY` finds."""

ANYWHERE = -1
CLUES = (
    *((offset, magic) for offset, magic, _ in _MAGIC),
    *((ANYWHERE, word) for word in dict.fromkeys(_KEY_WORDS + CREDENTIAL_WORDS)),
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
    if b"\0" not in head and sets_a_credential(head, lowered):
        return Hint.CREDENTIALS
    return None
