"""How much care a path needs: from its place, name, mode and content."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from imptrace.facts.content import DATABASE_HINTS, SECRET_HINTS
from imptrace.facts.paths import name_of, parent_of
from imptrace.judge.codes import Code
from imptrace.judge.model import Level, Reason
from imptrace.judge.path_facts import PathFacts
from imptrace.judge.places import Area, Place
from imptrace.judge.words import (
    BACKUP,
    CACHE_DIRECTORY,
    LOG,
    PRIVATE,
    PUBLIC,
    REMEMBERS,
    SECRET,
    SECRET_IF_PRIVATE,
    USER_DATA,
    database_word,
    is_telling,
    words_of,
)
from imptrace.tracer.events import FileType

Judgement = tuple[Level, Reason]

CACHE_TAG = b"CACHEDIR.TAG"
"""https://bford.info/cachedir/: marks its directory as a cache."""

_DATABASE_AREAS = frozenset(
    {Area.DATA, Area.STATE, Area.DOT, Area.SYSTEM_STATE, Area.SPOOL, Area.SERVED, Area.OTHER}
)
_HOME_AREAS = frozenset({Area.CONFIG, Area.DATA, Area.STATE, Area.CACHE, Area.DOT})
_FOR_OTHERS = 0o077
_FOR_ALL = 0o007


class Sight(NamedTuple):
    """One path with what the rules of this module look at."""

    path: bytes
    facts: PathFacts
    place: Place
    is_private: bool
    """Nobody but the owner can read it: by its own mode, or that of a directory above it."""

    @property
    def inner_names(self) -> tuple[bytes, ...]:
        """The names of the path below its container, without its own."""
        return _names_between(self.place.container, parent_of(self.path))


@lru_cache(maxsize=4096)
def _names_between(container: bytes, directory: bytes) -> tuple[bytes, ...]:
    """The names of a directory below its container; none for the container itself."""
    below = directory[len(container) :].strip(b"/")
    return tuple(below.split(b"/")) if below else ()


def level_of(sight: Sight) -> tuple[Level, tuple[Reason, ...]]:
    """The level of one path by itself, with the reasons that count for it."""
    base, by_place = _by_place(sight.place.area, sight.place.container)
    judgements = _raising(sight)
    raised = max((level for level, _ in judgements), default=base)
    copied = backup_name(sight)
    if copied is not None and raised is not Level.SECRET:
        return copied[0], (copied[1],)
    if judgements and raised > base:
        return raised, tuple(reason for level, reason in judgements if level is raised)
    for rule in _LOWERING:
        lowered = rule(sight)
        if lowered is not None:
            return lowered[0], (lowered[1],)
    return base, by_place


@lru_cache(maxsize=4096)
def _by_place(area: Area, container: bytes) -> tuple[Level, tuple[Reason, ...]]:
    """The level that a container gives to all that is in it."""
    figures = {"area": area.value, "container": container}
    return area.level, (Reason(code=Code.PLACE, figures=figures),)


def _raising(sight: Sight) -> list[Judgement]:
    """What every rule that raises a level says."""
    if not _may_raise(sight):
        return []
    return [ruling for rule in _RAISING if (ruling := rule(sight)) is not None]


def _may_raise(sight: Sight) -> bool:
    """Whether there is anything that one of `_RAISING` looks at; most paths say nothing."""
    return (
        sight.facts.hint is not None
        or sight.place.area is Area.ETC
        or is_telling(name_of(sight.path))
        or any(map(is_telling, sight.inner_names))
    )


def secret_content(sight: Sight) -> Judgement | None:
    """The first bytes are those of a private key or of a keyring."""
    if sight.facts.hint not in SECRET_HINTS:
        return None
    return Level.SECRET, _reason(Code.CONTENT, sight, hint=str(sight.facts.hint))


def secret_name(sight: Sight) -> Judgement | None:
    """`credentials`, `private-keys`; `key`, `cookies` where nobody else may read the file."""
    inner = sight.inner_names if sight.place.area is not Area.DOCUMENT else ()
    own = name_of(sight.path)
    for name in (own, *inner):
        word = secret_word(name, is_private=sight.is_private)
        # A directory that people call private is a secret by its own mode alone.
        is_open = word == PRIVATE and name is not own
        if word is not None and not is_open and not words_of(own) & PUBLIC:
            return Level.SECRET, _reason(Code.SECRET_WORD, sight, word=word)
    return None


def secret_word(name: bytes, *, is_private: bool) -> str | None:
    """The word by which a name promises a secret."""
    words = words_of(name)
    if words & PUBLIC:
        return None
    if_private = words & SECRET_IF_PRIVATE
    is_told = is_private or (PRIVATE in words and len(if_private) > 1)
    return min(words & SECRET or (if_private if is_told else ()), default=None)


def private_configuration(sight: Sight) -> Judgement | None:
    """A file below /etc that not everybody may read: it holds what must not be known."""
    state = sight.facts.state
    if sight.place.area is not Area.ETC or state is None or sight.facts.is_directory:
        return None
    if state.type is not FileType.FILE or state.mode & _FOR_ALL:
        return None
    return Level.SECRET, _reason(Code.PRIVATE_CONFIGURATION, sight, mode=f"{state.mode:04o}")


def database_content(sight: Sight) -> Judgement | None:
    """The first bytes are those of a database, in a place for data."""
    if sight.facts.hint not in DATABASE_HINTS or sight.place.area not in _DATABASE_AREAS:
        return None
    return Level.IMPORTANT, _reason(Code.CONTENT, sight, hint=str(sight.facts.hint))


def database_name(sight: Sight) -> Judgement | None:
    """`dump.rdb`, `pg_wal/...`, `trustdb.gpg`, in a place for data."""
    if sight.facts.is_directory or sight.place.area not in _DATABASE_AREAS:
        return None
    for name in (name_of(sight.path), *sight.inner_names):
        word = database_word(name)
        if word is not None:
            return Level.IMPORTANT, _reason(Code.DATABASE_WORD, sight, word=word)
    return None


def user_data_name(sight: Sight) -> Judgement | None:
    """`bookmarks`, `Saves`, `Maildir`: what people make."""
    if sight.place.area.is_cache or sight.place.area in (Area.LOG, Area.ETC):
        return None
    for name in (name_of(sight.path), *sight.inner_names):
        word = min(words_of(name) & USER_DATA, default=None)
        if word is not None:
            return Level.IMPORTANT, _reason(Code.USER_DATA_WORD, sight, word=word)
    return None


def remembering_cache(sight: Sight) -> Judgement | None:
    """Sync state, sessions and queues cannot be regenerated, even in a cache directory."""
    if not sight.place.area.is_cache or sight.facts.is_directory:
        return None
    word = min(words_of(name_of(sight.path)) & REMEMBERS, default=None)
    if word is None:
        return None
    return Level.NORMAL, _reason(Code.REMEMBERS, sight, word=word)


def backup_name(sight: Sight) -> Judgement | None:
    """`notes.txt~`: an older copy of the file beside it."""
    name = name_of(sight.path)
    if not name.endswith(BACKUP):
        return None
    return Level.TRANSIENT, Reason(code=Code.BACKUP_NAME, figures={"name": name})


def log_of_home(sight: Sight) -> Judgement | None:
    """`*.log` in a home, written and never read."""
    is_log = bool(words_of(name_of(sight.path).rpartition(b".")[2]) & LOG)
    if not is_log or sight.place.area not in _HOME_AREAS or sight.facts.read_first:
        return None
    return Level.TRANSIENT, Reason(code=Code.CACHE_WORD, figures={"word": "log"})


def never_read_back(sight: Sight) -> Judgement | None:
    """Several runs wrote it anew and none ever read it; documents and logs are for people."""
    facts, area = sight.facts, sight.place.area
    if area in (Area.DOCUMENT, Area.SERVED, Area.LOG) or facts.is_directory:
        return None
    if facts.rewritten < 2 or facts.read_first:  # noqa: PLR2004 - once may be chance
        return None
    figures = {"runs": facts.rewritten}
    return Level.TRANSIENT, Reason(code=Code.NEVER_READ_BACK, figures=figures)


def cache_directory(path: bytes, area: Area, tagged: frozenset[bytes]) -> Reason | None:
    """Why the directory `path`, which lies in some program's own directory, is a cache."""
    if path in tagged:
        return Reason(code=Code.CACHE_TAG, figures={"path": path + b"/" + CACHE_TAG})
    if area in (Area.DOCUMENT, Area.SERVED, Area.ETC, Area.LOG):
        return None
    caches = CACHE_DIRECTORY | LOG if area in _HOME_AREAS else CACHE_DIRECTORY
    word = min(words_of(name_of(path)) & caches, default=None)
    return Reason(code=Code.CACHE_WORD, figures={"word": word}) if word is not None else None


def tagged_caches(paths: Iterable[bytes]) -> frozenset[bytes]:
    """The directories that hold a CACHEDIR.TAG."""
    return frozenset(parent_of(path) for path in paths if path.endswith(b"/" + CACHE_TAG))


def _reason(code: Code, sight: Sight, **figures: str) -> Reason:
    return Reason(code=code, figures={**figures, "path": sight.path})


_RAISING: tuple[Callable[[Sight], Judgement | None], ...] = (
    secret_content,
    secret_name,
    private_configuration,
    database_content,
    database_name,
    user_data_name,
    remembering_cache,
)

_LOWERING: tuple[Callable[[Sight], Judgement | None], ...] = (
    log_of_home,
    never_read_back,
)
