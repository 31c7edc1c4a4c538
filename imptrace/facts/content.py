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

# A name by its last word, whatever stands before: `db_password`, `_authToken`, `client-key-data`.
# Camel case needs the cases told apart, so that only the word itself is matched in any case.
_NAME_BEGINS = rb"(?:(?<![A-Za-z0-9])|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=PASS|TOKEN|SECRET))"
_WORDS = (
    rb"pass|password|passwd|passphrase|psk|secret|token"
    rb"|(?:api|private|access|secret|preshared|signing|encryption|account)[_-]?key|key[_-]data"
)
_HOW_KEPT = rb"(?:[_-](?:hash|pbkdf2|sha\d+|encrypted|enc|bcrypt))?"
_NO_VALUE = (
    rb"(?!(?:true|false|none|null|yes|no|never|always|prompt|ask|auto|anonymous\S*|changeme|string"
    rb"|password|\*+|x{3,}|\$\S*|%\S*)(?:[\s\"',;<&]|\Z))"
)

_CREDENTIALS = re.compile(
    _NAME_BEGINS
    + rb"(?:(?i:" + _WORDS + rb")(?i:" + _HOW_KEPT + rb")"
    # name = value, name: value, "name": "value", and in a list of such
    + rb"[\"']?[ \t]*(?:=>|[=:])[ \t]*[\"'(@]*(?i:" + _NO_VALUE + rb")"
    + rb"(?!\d{1,8}(?:[\s\"',;<&]|\Z))[^\s\"'#;<{\[(),]{4,}"
    # <name>value</name>, <add key="name" value="value"/>, <key>name</key><string>value</string>
    + rb"|(?i:" + _WORDS + rb")(?:[ \t][^<>]*)?>(?i:" + _NO_VALUE + rb")[^\s<]{4,}</"
    + rb"|(?i:" + _WORDS + rb")\"[ \t]+value=\"(?i:" + _NO_VALUE + rb")[^\"]{4,}\""
    + rb"|(?i:" + _WORDS + rb")</key>[ \t]*<string>(?i:" + _NO_VALUE + rb")[^<]{4,}</string>"
    # name "value";
    + rb"|(?i:secret|password)[ \t]+\"[^\"]{8,}\";"
    # auth is a word of many meanings: what is encoded, or a user and a password
    + rb"|auth[\"']?[ \t]*[=:][ \t]*[\"']?(?=[^\s\"']+[A-Z0-9=])"
    + rb"[A-Za-z0-9+/_-]{8,}={0,2}(?=[\s\"',]|\Z)"
    + rb"|auth\"[ \t]*:[ \t]*\"[^\":/]+:[^\"/]+\")"
)  # fmt: skip

_OTHER_NOTATIONS = re.compile(
    rb"""
    ^machine[ \t]+\S+[ \t\n]+login[ \t]+\S+[ \t\n]+password[ \t]+\S
    | ://(?!anonymous)[^/\s:@"'<]+:[^/\s@"'<]{2,}@
    | ^[^:\s\#]+:(?:\d+|\*):[^:\s]+:[^:\s]+:[^:\s]{3,}$         # pgpass
    | ^[^:\s]+:(?:\$(?:apr1|[156y]|2[aby]|argon2\w*)\$|\{SSHA?\d*\}) # htpasswd
    | "kty".*"d"[ \t]*:[ \t]*" | "d"[ \t]*:[ \t]*".*"kty"          # JSON Web Key
    | ^(?:ed25519|curve25519)[ ]\S+[ ][A-Za-z0-9+/=]{16,}$
    | (?<![A-Za-z0-9])(?:gh[pousr]_\w{16,} | github_pat_\w{16,} | glpat-[\w-]{16,} | npm_\w{30,}
      | xox[abprs]-[\w-]{10,} | hv[sbr]\.[\w-]{8,} | AKIA[0-9A-Z]{16} | sk-[\w-]{20,})
    """,
    re.MULTILINE | re.VERBOSE,
)
_COMMENT = (b"#", b";", b"// ", b"--", b"* ")


# Every file that a run changed is looked at, so that plain searches come before the patterns: one
# of these is in all that _PRIVATE_KEY finds, and in the first line of all that the others do.
_KEY_WORDS = (b"private", b"secret")
_CREDENTIAL_WORDS = (
    b"pass", b"psk", b"secret", b"token", b"key", b"machine", b"://", b"auth", b":$", b":{s",
    b":5432:", b":*:", b"kty", b"25519 ", b"ghp_", b"gho_", b"ghs_", b"github_pat_", b"glpat-",
    b"npm_", b"xox", b"hvs.", b"hvb.", b"akia", b"sk-",
)  # fmt: skip

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
        _sets_a_secret(head, start) for start in _lines_with(_CREDENTIAL_WORDS, lowered)
    ):
        return Hint.CREDENTIALS
    return None


def _sets_a_secret(head: bytes, start: int) -> bool:
    """Whether a line, which begins at `start` and may go on in the next, holds a credential."""
    end = head.find(b"\n", start)
    line = head[start : len(head) if end < 0 else end]
    if line.lstrip().startswith(_COMMENT):
        return False
    if _CREDENTIALS.search(line) or _OTHER_NOTATIONS.search(line):
        return True
    return _OTHER_NOTATIONS.match(head, start) is not None


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
