"""What a path on disk is: set aside, or state of some level. The judge's own rules, asked here.

The judge knows paths from recordings. A path that is found on disk was left there by somebody, and
nothing more is known of it than what lstat and its first bytes say.
"""

from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache
from stat import S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, S_IMODE

from imptrace.facts.content import Hint
from imptrace.facts.levels import Level
from imptrace.facts.paths import name_of
from imptrace.judge.codes import Code
from imptrace.judge.judged import State
from imptrace.judge.level import level_of
from imptrace.judge.model import Reason
from imptrace.judge.path_facts import SMALL, PathFacts
from imptrace.judge.places import Area, Place
from imptrace.judge.set_aside import Exclusion, by_facts
from imptrace.judge.words import is_ordinary
from imptrace.tracer.events import AccessFlag, FileState, FileType

FOR_OTHERS = 0o077
_FOR_ALL = 0o004
SAYS_NOTHING = b"x"
_OLDER = b"-"
"""`/etc/passwd-`: what stood there before the last change."""
_WRITTEN_BY_PEOPLE = frozenset({Area.DOCUMENT, Area.SERVED, Area.OTHER})
_SOURCES = tuple(
    b"." + ending
    for ending in b"""
    c cc cpp cs css el fish go h hpp hs html java jl js jsx kt lua md mjs ml nix php pl pm po py pyc
    pyi pyo r rb rs rst scala scss sh so svg swift tcl ts tsx vim vue xsl zig zsh
    """.split()
)
"""Endings of what programs are written in, whose names tell what they are about."""
_SHORTEST_ID = 8
_HEX = frozenset(b"0123456789abcdefABCDEF-_")
_TYPES = {
    S_IFREG: FileType.FILE,
    S_IFDIR: FileType.DIRECTORY,
    S_IFLNK: FileType.SYMLINK,
    S_IFSOCK: FileType.SOCKET,
    S_IFIFO: FileType.FIFO,
    S_IFCHR: FileType.CHAR_DEVICE,
    S_IFBLK: FileType.BLOCK_DEVICE,
}


def facts_of(
    *, mode: int, size: int, uid: int, gid: int, hint: str | None, link: bytes | None
) -> PathFacts:
    """Make what the judge would know of something that one run had left."""
    kind = _TYPES[S_IFMT(mode)]
    return PathFacts(
        runs=1,
        created=0,
        modified=1,
        read_first=0,
        rewritten=0,
        is_there=True,
        only_metadata=False,
        type=kind,
        is_directory=kind is FileType.DIRECTORY,
        state=FileState(kind, mode=S_IMODE(mode), uid=uid, gid=gid),
        is_small=size <= SMALL,
        type_before=None,
        hint=hint,
        link=link,
        ops={},
        flags=AccessFlag(0),
        renamed_from=(),
        moved_to=None,
        missing_first=False,
        programs=frozenset(),
    )


ORDINARY_FILE = facts_of(mode=S_IFREG | 0o644, size=1, uid=0, gid=0, hint=None, link=None)
"""One that says nothing by itself."""


def set_aside(path: bytes, facts: PathFacts) -> Exclusion | None:
    """Tell why a path need not be kept, for its name or for what it is."""
    return by_facts(path, facts)


def level(
    path: bytes, facts: PathFacts, place: Place, *, is_private: bool
) -> tuple[Level, tuple[Reason, ...]]:
    """Tell how much care a path needs by itself."""
    name = name_of(path)
    if place.area is Area.ETC and name.endswith(_OLDER):
        figures = {"name": name}
        return Level.TRANSIENT, (Reason(code=Code.BACKUP_NAME, figures=figures),)
    is_text_of_program = name.endswith(_SOURCES) or (
        facts.hint == Hint.CREDENTIALS
        and place.area in _WRITTEN_BY_PEOPLE
        and not is_closed_to_all(facts)
    )
    if is_text_of_program:
        # `token.py` is named for what it does, and a password in an example is none.
        path = path[: -len(name)] + SAYS_NOTHING
        facts = replace(facts, hint=None) if facts.hint == Hint.CREDENTIALS else facts
    return level_of(State(path, facts, place, is_private, not facts.is_directory))


@lru_cache(maxsize=65536)
def says_nothing(name: bytes) -> bool:
    """Whether no rule looks at a name; what is spelled in it by chance in hexadecimal is none."""
    return is_ordinary(name) or is_identifier(name)


def is_identifier(name: bytes) -> bool:
    """Whether a name is a number or a digest, in which letters mean nothing: `4db91a07.bin`."""
    stem = name.split(b".", 1)[0]
    return (
        len(stem) >= _SHORTEST_ID
        and _HEX.issuperset(stem)
        and (b"." not in name or is_ordinary(name[len(stem) :]))
    )


def is_closed_to_all(facts: PathFacts) -> bool:
    """Whether not everybody may read it."""
    return facts.state is not None and not facts.state.mode & _FOR_ALL


def is_closed(mode: int) -> bool:
    """Whether nobody but its owner may do anything with it."""
    return not mode & FOR_OTHERS


def is_system_log(path: bytes, area: Area) -> bool:
    """Whether it is a log that is written at every boot, whoever does what."""
    return area is Area.LOG and name_of(path) in _SYSTEM_LOGS


_MARKS = frozenset({b"CACHEDIR.TAG", b"pyvenv.cfg"})
_DEPENDENCIES = frozenset({b"site-packages", b"dist-packages", b"node_modules", b"__pycache__"})


def mark_of_copies(names: Collection[bytes]) -> bytes | None:
    """Tell which file marks its directory as one that can be made again."""
    return next((mark for mark in _MARKS if mark in names), None)


def holds_copies(name: bytes) -> bool:
    """Whether a directory is where a package manager puts what it fetched or compiled."""
    return name in _DEPENDENCIES


_SYSTEM_LOGS = frozenset(
    b"""
    journal wtmp btmp lastlog faillog tallylog syslog messages auth.log kern.log daemon.log user.log
    mail.log debug boot.log dmesg README private wtmp.db
    """.split()
)
