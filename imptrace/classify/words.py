"""Words in the names of paths that say what a path holds, whatever program chose the name.

A name is cut into words at everything that is no letter, and where camel case turns; digits are
left out: `key4.db` is "key", "db". A list here holds general terms, never names of programs.
"""

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


@lru_cache(maxsize=65536)
def words_of(name: bytes) -> frozenset[str]:
    """The words of one component of a path, lower case."""
    return frozenset(word.lower() for word in _WORD.findall(name.decode("utf-8", "replace")))


SECRET = _set(
    """
    secret secrets private privkey password passwords passphrase shadow credential
    credentials creds token tokens keyring keyrings keychain keystore netrc revocs
    revocation psk
    """
)
"""Words that make a file a secret wherever it is."""

SECRET_IF_PRIVATE = _set(
    """
    key keys passwd cert certs auth login logins cookie cookies oauth identity vault passdb sasl
    """
)
"""Words that make a file a secret when nobody else may read it."""

PUBLIC = _set(
    """
    pub public known authorized revoked trusted bindings
    """
)
"""Words that take the secrecy from the words above: `id_rsa.pub`, `authorized_keys`."""

USER_DATA = _set(
    """
    bookmarks places notes note mail mails maildir inbox contacts addressbook calendar
    calendars todo tasks diary documents wallet wallets saves savegames savedgames worlds
    world projects messages library
    """
)
"""Words for what people make and cannot get back."""

DATABASE = _set(
    """
    db sqlite mdb lmdb rdb aof wal ibd ibdata frm myd myi kdbx kdb tdb ldb sst gdbm dbm kbx
    bdb fdb database databases leveldb rocksdb innodb binlog tablespace
    """
)
"""Words for a database and its parts."""

CACHE_DIRECTORY = _set(
    """
    cache caches cached tmp temp thumbnails crash crashes crashpad minidumps telemetry pings
    """
)
"""Words for directories that are regenerated or that nobody misses."""

LOG = _set(
    """
    log logs
    """
)

REMEMBERS = _set(
    """
    sync state history seen session sessions queue outbox drafts journal
    """
)
"""Words for what cannot be regenerated although it lies in a cache directory."""

LOCK = _set(
    """
    lock lck locked parentlock pid pidfile
    """
)

TEMPORARY = _set(
    """
    tmp temp new part partial swp swo swap
    """
)
