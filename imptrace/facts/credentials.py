"""How text sets a password, a token or a key: the notations of settings, JSON, XML and lists.

A name may be written in any way (`db_password`, `_authToken`, `client-key-data`); what is no value
(`true`, `prompt`, a variable, a number of tokens) is none here either.
"""

import re
from functools import cache

# A name by its last word, whatever stands before. Camel case needs the cases told apart, so that
# only the word itself is matched in any case.
_NAME_BEGINS = (
    rb"(?:(?<![A-Za-z0-9])|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=PASS|TOKEN|SECRET)"
    rb"|(?<=[a-z])(?=passw|passphrase|secret|token)|(?<=bind)(?=pw))"
)
_WORDS = (
    rb"pass|password|passwd|passphrase|psk|pw|secret|token"
    rb"|(?:api|app|private|access|secret|preshared|signing|encryption|account|session|master|mac|hmac"
    rb"|server|stored|wep)[_-]?key(?:[_-]base|\d)?|key[_-]data"
)
_HOW_KEPT = rb"(?:[_-]?(?:hash|pbkdf2|sha\d+|encrypted|enc|bcrypt))?"
_NO_VALUE = (
    rb"(?!(?:true|false|none|null|yes|no|never|always|prompt|ask|auto|anonymous\S*|changeme|string"
    rb"|enabled|disabled|required|optional|password|\*+|x{3,}|\$\S*|%\S*)(?:[\s\"',;<&]|\Z))"
)
_VALUE = rb"(?!\d{1,8}(?:[\s\"',;<&]|\Z))[^\s\"'#;<{\[(),][^\s\"';<{\[(),]{3,}"
_ENCODED = rb"ENC\([^)]{4,}\)|\{(?:[0-9a-f]{16,}|(?:S?SHA\d*|CRYPT|PBKDF2[\w-]*|ARGON2)\})"
"""Values in braces that are no beginning of an object."""


# Compiled when first asked: they take longer than all else that a short program's recording does.
@cache
def setting() -> re.Pattern[bytes]:
    """Make the pattern of a name and its value."""
    return re.compile(
        _NAME_BEGINS
        + rb"(?:(?i:" + _WORDS + rb")(?i:" + _HOW_KEPT + rb")"
        # name = value, name: value, "name": "value", ["name"] = "value", and in a list of such
        + rb"[\"']?\]?[ \t]*(?:=>|[=:])[ \t]*[\"'(@]*(?i:" + _NO_VALUE + rb")"
        + rb"(?:" + _ENCODED + rb"|" + _VALUE + rb")"
        # <name kind="of">value</name>, <add key="name" value="value"/>,
        # <key>name</key><string>value
        + rb"|(?i:" + _WORDS + rb")(?:[ \t][^<>]*)?>(?i:" + _NO_VALUE + rb")[^\s<]{4,}</"
        + rb"|name=\"(?i:" + _WORDS + rb")\"[^<>]*>(?i:" + _NO_VALUE + rb")[^\s<]{4,}</"
        + rb"|(?i:" + _WORDS + rb")\"[ \t]+value=\"(?i:" + _NO_VALUE + rb")[^\"]{4,}\""
        + rb"|(?i:" + _WORDS + rb")</key>[ \t]*<string>(?i:" + _NO_VALUE + rb")[^<]{4,}</string>"
        # name "value";
        + rb"|(?i:secret|password)[ \t]+\"[^\"]{8,}\";"
        # auth is a word of many meanings: what is encoded, or a user and a password
        + rb"|auth[\"']?[ \t]*[=:][ \t]*[\"']?(?=[^\s\"']+[A-Z0-9=])"
        + rb"[A-Za-z0-9+/_-]{8,}={0,2}(?=[\s\"',]|\Z)"
        + rb"|auth\"[ \t]*:[ \t]*\"[^\":/]+:[^\"/]+\")"
    )  # fmt: skip


@cache
def _otherwise() -> re.Pattern[bytes]:
    """Make the pattern of what has no such name."""
    return re.compile(
        rb"""
        # lists of machines, hosts, databases and users
          ^(?:machine[ \t]+\S+|default)[ \t\n]+login[ \t]+\S+[ \t\n]+password[ \t]+\S
        | ^[ \t]*<key>(?i:[^<]*(?:password|token|secret))</key>\s*<string>[^<]{4,}</string>
        | (?i:user)[ \t]+\S+[ \t]+password[ \t]+(?=\S*\d)\S{6,}$
        | ://(?!anonymous)[^/\s:@"'<]+:[^/\s@"'<]{2,}@
        | ^[^:\s\#]+:(?:\d+|\*):[^:\s]+:[^:\s]+:[^:\s]{3,}$
        | ^[^:\s]+:(?:\$(?:apr1|[156y]|2[aby]|argon2\w*)\$|\{S?SHA\d*\})
        | ^\$[a-z0-9_]{1,16}\$[^\s:]+:[^\s:]{3,}$
        | ^\[(?:crypt|secrets|passwords)\][ \t\r]*$
        | ^\[[\w.-]+\](?::\d+)?[ \t]+[^\s:]+:[^\s:]{4,}$
        | ^"?[A-Za-z][^\s"]*"?[ \t]+\*[ \t]+"?(?=\S*[A-Za-z])[^\s"*]{4,}"?(?:[ \t]+\S+)?$
        | ^[^\s:"]*[ \t]*:[ \t]+(?:PSK|XAUTH|EAP)[ \t]+"
        | ^\d+[ \t]+(?:M|MD5|SHA\d+|AES\w*)[ \t]+\S{8,}$
        # a word and its value, in settings without any sign between them
        | ^[ \t]*(?i:set[ ]|r[ow])?
          (?i:pass|password|passwd|requirepass|masterauth|rootpw|bindpw|community)
          [ \t]+"?(?:\{S?SHA\d*\}|(?=[^\s"]*\d)[^\s"/<>(){}=:]{6,}"?$)
        | ^[ \t]*createUser[ \t]+\S+[ \t]+(?:MD5|SHA\S*)[ \t]+\S{8,}
        | ^usmUser[ ](?:\S+[ ]+){5}
        | ^[ \t]*Hash[ ]=[ ][0-9a-f]{8,}$
        # keys and tokens that are known by their form
        | "kty".*"d"[ \t]*:[ \t]*" | "d"[ \t]*:[ \t]*".*"kty"
        | "ciphertext"[ \t]*:[ \t]*"
        | ^(?:ed25519|curve25519)[ ]\S+[ ][A-Za-z0-9+/=]{16,}$
        | (?i:authorization)["']?[ \t]*[:=][ \t]*["']?(?i:bearer|basic|token)[ ]+\S{8,}
        | (?<![A-Za-z0-9_-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}
        | (?i:mnemonic|seed)\W+(?:[a-z]{3,8}[ ]){11,}[a-z]{3,8}
        | (?<![A-Za-z0-9])(?:gh[pousr]_\w{16,} | github_pat_\w{16,} | glpat-[\w-]{16,} | npm_\w{30,}
          | xox[abprs]-[\w-]{10,} | hv[sbr]\.[\w-]{8,} | AKIA[0-9A-Z]{16} | sk-[\w-]{20,}
          | dop_v1_\w{16,})
        """,
        re.MULTILINE | re.VERBOSE,
    )


_COMMENT = (b"#", b";", b"// ", b"--", b"* ")
_COOKIES = b"# "

# Every file that a run changed is looked at, so that plain searches come before the patterns: one
# of these is in the first line of all that these find.
CREDENTIAL_WORDS = (
    b"pass", b"psk", b"secret", b"token", b"key", b"machine", b"://", b"auth", b":$", b":{s",
    b":5432:", b":*:", b"kty", b"25519 ", b"ghp_", b"gho_", b"ghs_", b"github_pat_", b"glpat-",
    b"npm_", b"xox", b"hvs.", b"hvb.", b"akia", b"sk-", b"dop_v1_", b"rootpw", b"pw",b"community",
    b"createuser", b"usmuser", b"hash = ", b"ciphertext", b"eyj", b"mnemonic", b"seed", b"] ",
    b"]:", b" * ", b"\t*\t", b": eap", b": xauth", b" md5 ", b" m ", b" sha", b" aes",
    b"default login", b"http cookie", b"$:", b"$1$", b"$dyn", b"[cr", b"$nt$", b"$lm$",
)  # fmt: skip


def sets_a_credential(head: bytes, lowered: bytes) -> bool:
    """Whether any line of a file's beginning holds one; `lowered` is the same in lower case."""
    starts = _lines_with(CREDENTIAL_WORDS, lowered)
    return any(_line_sets_one(head, start) for start in starts)


def _line_sets_one(head: bytes, start: int) -> bool:
    """Whether a line, which begins at `start` and may go on in the next, holds a credential."""
    end = head.find(b"\n", start)
    line = head[start : len(head) if end < 0 else end]
    if line.lstrip().startswith(_COMMENT):
        return line.startswith(_COOKIES) and line.endswith(b"HTTP Cookie File")
    if setting().search(line) or _otherwise().search(line):
        return True
    return _otherwise().match(head, start) is not None


def _lines_with(words: tuple[bytes, ...], text: bytes) -> set[int]:
    """Tell where the lines begin that hold any of `words`, none of which has a line's end in it."""
    starts = set()
    for word in words:
        at = text.find(word)
        while at >= 0:
            starts.add(text.rfind(b"\n", 0, at) + 1)
            end = text.find(b"\n", at)
            at = -1 if end < 0 else text.find(word, end)
    return starts
