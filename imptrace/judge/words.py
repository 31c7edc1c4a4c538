"""Words in the names of paths that say what a path holds, whatever program chose the name.

A name is cut into words at everything that is no letter, and where camel case turns; digits are
left out: `key4.db` is "key", "db". A list here holds general terms, never names of programs.

Most names say nothing, and a cache may hold tens of thousands: what tells those from the others
is asked once for all that differ in their digits alone.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
_SHORTEST_DATABASE_NAME = 5
BACKUP = b"~"
BACKUPS = (b".bak", b".old", b".orig", b".O", b".prev", b".backup", b".v0")
"""Other endings of older copies, where the file itself stands beside."""
LEFTOVERS = re.compile(rb"\.nfs[0-9a-f]+|\.fuse_hidden[0-9a-f]+|core(?:\.\d+)?")
"""Names that the kernel and FUSE give to what was deleted while open, and to a crash."""
_PATH_IN_ONE_WORD = re.compile(
    rb"(?P<sign>[-_.%!+@~])(?:home|root|etc|usr|var|mnt|media|srv|opt|run)(?P=sign)."
    rb"|home(?P<dot>[.%!]|%2F)(?:(?!(?P=dot)).)+(?P=dot)."
)
"""A program's note of where another file lies: `home.kim.diary.txt`, `-home-kim-x`."""
OF_OTHERS = frozenset(
    b"node_modules site-packages dist-packages __pycache__ completions generated_completions doc"
    b" docs man examples licenses locale locales tests undo gems vendor typeshed".split()
)
"""Directories of other people's files: code, documentation, copies named for what they copy."""
CODE = frozenset(
    b"py pyc pyi js mjs cjs ts tsx jsx md rst html htm css c h cc cpp hpp go rs java rb pl pm lua"
    b" sh bash fish zsh vim el mo po map whl gem jar class".split()
)
"""Endings of files that are written by programmers, for whom passwords are words."""
COMPANIONS = (b"-wal", b"-shm", b"-journal", b"lock.mdb")
"""Files of SQLite and LMDB beside a database, which are of no use without it."""
CACHE_FILE = ("cache", "compdump")
"""Endings of words for files that are made again: caches, and shells' dumps of completions."""
BUILD_FILE = (*CACHE_FILE, "deps", "dblite")
"""The same for hidden files in a project: what a build noted of it is made again by the next."""
_TABLES = ("cron", "tabs")
"""Endings of words for directories of a spool in which each person has a table of what to run."""
STREAM = b".goutputstream-"


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


SECRET = _set(
    """
    secret secrets privkey privatekey pw password passwords passphrase shadow credential
    credentials creds token tokens keyring keyrings keychain keystore keytab netrc revocs psk
    """
)
"""Words that make a file a secret wherever it is."""

SECRET_IF_PRIVATE = _set(
    """
    private key keys passwd cert certs auth login logins cookie cookies oauth identity vault passdb
    sasl
    """
)
"""Words that make a file a secret when nobody else may read it."""

KEY_FILES = (b".keys", b".privkey")
"""Endings of files that hold keys, whatever their mode."""

PRIVATE = "private"
"""Says of another of these words that nobody else may read it, whatever the mode."""

PUBLIC = _set(
    """
    pub public known authorized revoked trusted bindings type types
    """
)
"""Words that take the secrecy from the words above: `id_rsa.pub`, `authorized_keys`, `key-type`."""

USER_DATA = _set(
    """
    bookmarks quickmarks hotlist favorites favourites places notes note mail mails maildir inbox
    contacts addressbook addrbook calendar
    calendars todo tasks diary documents wallet wallets saves savegames savedgames worlds
    world messages library ics ical vcf vcard mbox vmail save journal journals ledger opml
    subscriptions feedlist notebook notebooks
    timeclock accounts roster silences rrd tsdb timeseries appointments transcripts
    conversations chats logbook playlists torrents torrent resume fastresume chatlogs irclogs
    """
)
"""Words for what people make and cannot get back."""

ON_THE_WAY = _set(
    """
    bookmarks quickmarks hotlist favorites favourites places playlists
    """
)
"""Those of them that a program keeps beside what it is for."""

COPIES = ("backup", "backups", "snapshot", "snapshots")
"""Endings of words for directories of what was saved from elsewhere."""

MADE_DIRECTORIES = _set(
    """
    projects uploads attachments repositories csv
    """
)
"""Words for directories of what people make; a file of such a name is but a list of them."""

JOBS = _set(
    """
    crontabs atjobs jobs queue queues deferred mqueue maildrop outbox news postings
    """
)
"""Words for what waits in a spool and comes from people."""

TYPED = _set(
    """
    journal ledger timeclock
    """
)
"""Endings of plain text that a program keeps for what was typed into it."""

TYPED_BY_PEOPLE = TYPED | {"data"}
"""The same in a home, where no service keeps its own."""

TYPED_IN_HOME = _set(
    """
    xml opml csv tsv txt md org
    """
)
"""Endings of a hidden file right in a home that settings seldom have: `~/.tasks.xml`."""

DATED = re.compile(rb"\d{4}-?\d\d(?:-?\d\d)?\.(?:txt|md|org|rst|json|csv)")
"""A file for a month or a day, as diaries and records of time have them."""

SETTINGS = _set(
    """
    rc cfg conf config configuration settings preferences prefs options profile theme state session
    sessions recent layout
    """
)
"""Words for what a program was told to do, or where it stopped."""

ONE_OF_MANY = (b".ics", b".vcf", b".eml")
"""Endings of files that each hold one event, person or message, of which there will be more."""

MAILDIR = frozenset({b"cur", b"new"})
"""The parts of a mail folder with mail in them, one message a file."""

BY_THE_WAY = _set(
    """
    history histories index indexes indices cache caches cached stat stats statistics usage
    seen recent recents frecency log logs telemetry analytics suggestion suggestions favicon
    favicons icon icons thumbnail thumbnails
    status permissions autocomplete completion completions search session
    sessions metadata registry packages store quota
    """
)
"""Words for databases of what happened or can be found again: like any other file, no more."""

DATABASE = _set(
    """
    db sqlite mdb lmdb rdb aof wal ibd ibdata frm myd myi kdbx kdb tdb ldb sst gdbm dbm kbx
    bdb fdb wsp database databases leveldb rocksdb innodb binlog tablespace
    """
)
"""Words for a database and its parts."""

_PARTS = DATABASE - {"db", "sqlite"}
"""Words that a part of a database has anywhere in its name: `pg_wal`, `ib_logfile.ibdata`."""

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

TALKED_WITH = re.compile(rb"[#@]|_at_")
"""In the name of a log, or of a directory of logs: somebody's address, or a channel."""

REMEMBERS = _set(
    """
    sync state history seen session sessions queue outbox drafts anchor anchors trusted tofu keys
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


def words_of(name: bytes) -> frozenset[str]:
    """The words of one component of a path, lower case; none of a path that was made one word."""
    return _words_of(name.translate(_DIGITS))


def database_word(name: bytes) -> str | None:
    """The word by which a name promises a database or a part of one: `dump.rdb`, `trustdb.gpg`.

    Of a name with dots it is the last part: `.sqlite_history` is none.
    """
    words = words_of(name)
    ending = words_of(name.rpartition(b".")[2])
    found = min((ending & DATABASE if len(ending) == 1 else set()) or words & _PARTS, default=None)
    if found is not None:
        return found
    long = (word for word in words if len(word) >= _SHORTEST_DATABASE_NAME)
    return next((word for word in sorted(long) if word.endswith("db")), None)


def is_by_the_way(name: bytes) -> bool:
    """Whether a name says of a database that it can do without: `history.db`, `vnstat.db`."""
    words = words_of(name)
    return bool(words & BY_THE_WAY) or any(word.endswith(("stat", "stats")) for word in words)


def is_log_database(name: bytes) -> bool:
    """Whether a database is called a log and nothing else: `logs.db`.

    What programs log for themselves is text; what is kept in a database is looked up again.
    """
    words = words_of(name)
    return bool(words & LOG) and words <= LOG | DATABASE


def is_history(name: bytes) -> bool:
    """Whether a hidden file is a history of commands: `.gdb_history`, `.Rhistory`."""
    return name.startswith(b".") and any(word.endswith("history") for word in words_of(name))


def _word_ending_in(endings: tuple[str, ...], name: bytes) -> str | None:
    return min((word for word in words_of(name) if word.endswith(endings)), default=None)


def cache_word(name: bytes) -> str | None:
    """The word by which a file says that it is made again: `.keeper_cache`, `.zcompdump`."""
    return _word_ending_in(CACHE_FILE, name)


def build_word(name: bytes) -> str | None:
    """The word by which a hidden file says that a build makes it again: `.eslintcache`."""
    if not name.startswith(b"."):
        return None
    return _word_ending_in(BUILD_FILE, name)


def tables_word(name: bytes) -> str | None:
    """The word by which a directory says that it holds people's tables: `incron`, `tabs`."""
    return _word_ending_in(_TABLES, name)


def is_of_others(name: bytes) -> bool:
    """Whether a name is one that other people chose: a library's, or a path in one word."""
    ending = name.rpartition(b".")[2] if b"." in name else b""
    if ending == b"lock" and name.count(b".") == 1:
        return True  # a directory that is a lock: what is in it says who holds it
    is_code = ending.lower() in CODE and words_of(name).isdisjoint(ON_THE_WAY)
    return name in OF_OTHERS or is_code or name.count(b"%") > 1


def is_conversation(name: bytes, directories: Iterable[bytes]) -> bool:
    """Whether a file is what people said to each other: `logs/example.org/#channel.log`."""
    below = iter(directories)
    in_logs = any(words_of(each) & LOG for each in below)
    return in_logs and any(TALKED_WITH.search(each) for each in (name, *below))


def copies_word(name: bytes) -> str | None:
    """The word by which a directory says that it holds what was saved: `rsnapshot`, `backups`."""
    return _word_ending_in(COPIES, name)


def is_telling(name: bytes) -> bool:
    """Whether a name promises more than its place does."""
    return _is_telling(name.translate(_DIGITS))


def is_ordinary(name: bytes) -> bool:
    """Whether no rule looks at anything in a name."""
    return _is_ordinary(name.translate(_DIGITS))


@lru_cache(maxsize=65536)
def _words_of(name: bytes) -> frozenset[str]:
    if _PATH_IN_ONE_WORD.match(name):
        return frozenset()
    return frozenset(map(str.lower, _WORD.findall(name.decode("utf-8", "replace"))))


@lru_cache(maxsize=65536)
def _is_telling(name: bytes) -> bool:
    return not _words_of(name).isdisjoint(_TELLING) or database_word(name) is not None


@lru_cache(maxsize=65536)
def _is_ordinary(name: bytes) -> bool:
    return (
        not name.endswith((BACKUP, *BACKUPS))
        and not name.startswith((b".nfs", b".fuse_hidden", b"core"))
        and STREAM not in name
        and not TALKED_WITH.search(name)
        and _words_of(name).isdisjoint(_NAMED_IN_RULES)
        and cache_word(name) is None
        and build_word(name) is None
        and not _is_telling(name)
    )


_TELLING = (
    SECRET
    | SECRET_IF_PRIVATE
    | DATABASE
    | USER_DATA
    | MADE_DIRECTORIES
    | REMEMBERS
    | JOBS
    | TYPED_BY_PEOPLE
)
_NAMED_IN_RULES = PUBLIC | LOG | LOCK | TEMPORARY
NOTABLE = _TELLING | _NAMED_IN_RULES
"""Every word that some rule looks for in a name."""
