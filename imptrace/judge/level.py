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
    COMPANIONS,
    JOBS,
    LOG,
    PRIVATE,
    PUBLIC,
    REMEMBERS,
    SECRET,
    SECRET_IF_PRIVATE,
    TYPED,
    USER_DATA,
    cache_word,
    database_word,
    is_by_the_way,
    is_of_others,
    is_telling,
    words_of,
)

Judgement = tuple[Level, Reason]

CACHE_TAG = b"CACHEDIR.TAG"
"""https://bford.info/cachedir/: marks its directory as a cache."""

_DATABASE_AREAS = frozenset(
    {Area.DATA, Area.STATE, Area.DOT, Area.SYSTEM_STATE, Area.SPOOL, Area.SERVED, Area.OTHER}
)
_HOME_AREAS = frozenset({Area.CONFIG, Area.DATA, Area.STATE, Area.CACHE, Area.DOT})
_FOR_OTHERS = 0o077


class Sighting(NamedTuple):
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


def level_of(sighting: Sighting) -> tuple[Level, tuple[Reason, ...]]:
    """The level of one path by itself, with the reasons that count for it."""
    base, by_place = _by_place(sighting.place.area, sighting.place.container)
    judgements = _raising(sighting)
    raised = max((level for level, _ in judgements), default=base)
    copied = backup_name(sighting)
    if copied is not None and raised is not Level.SECRET:
        return copied[0], (copied[1],)
    if judgements and raised > base:
        return raised, tuple(reason for level, reason in judgements if level is raised)
    for rule in _LOWERING:
        lowered = rule(sighting)
        if lowered is not None:
            return lowered[0], (lowered[1],)
    return base, by_place


@lru_cache(maxsize=4096)
def _by_place(area: Area, container: bytes) -> tuple[Level, tuple[Reason, ...]]:
    """The level that a container gives to all that is in it."""
    figures = {"area": area.value, "container": container}
    return area.level, (Reason(code=Code.PLACE, figures=figures),)


def _raising(sighting: Sighting) -> list[Judgement]:
    """What every rule that raises a level says.

    Other people's names and texts say nothing of what this program keeps.
    """
    if not _may_raise(sighting) or _is_of_others(sighting):
        return []
    return [exclusion for rule in _RAISING if (exclusion := rule(sighting)) is not None]


def _is_of_others(sighting: Sighting) -> bool:
    own = name_of(sighting.path)
    inner = sighting.inner_names if sighting.place.area is not Area.DOCUMENT else ()
    return is_of_others(own) or any(map(is_of_others, inner))


def _may_raise(sighting: Sighting) -> bool:
    """Whether there is anything that one of `_RAISING` looks at; most paths say nothing."""
    return (
        sighting.facts.hint is not None
        or is_telling(name_of(sighting.path))
        or any(map(is_telling, sighting.inner_names))
    )


def secret_content(sighting: Sighting) -> Judgement | None:
    """The first bytes are those of a private key or of a keyring."""
    if sighting.facts.hint not in SECRET_HINTS or _is_open_cache(sighting):
        return None
    return Level.SECRET, _reason(Code.CONTENT, sighting, hint=str(sighting.facts.hint))


def secret_name(sighting: Sighting) -> Judgement | None:
    """`credentials`, `private-keys`; `key`, `cookies` where nobody else may read the file."""
    if _is_open_cache(sighting):
        return None
    inner = sighting.inner_names if sighting.place.area is not Area.DOCUMENT else ()
    own = name_of(sighting.path)
    for name in (own, *inner):
        word = secret_word(name, is_private=sighting.is_private)
        # A directory that people call private is a secret by its own mode alone.
        is_open = word == PRIVATE and name is not own
        if word is not None and not is_open and not words_of(own) & PUBLIC:
            return Level.SECRET, _reason(Code.SECRET_WORD, sighting, word=word)
    return None


def _is_open_cache(sighting: Sighting) -> bool:
    """Whether a file is in a cache and not closed to others: copies of what is public."""
    state = sighting.facts.state
    return sighting.place.area.is_cache and (state is None or bool(state.mode & _FOR_OTHERS))


def secret_word(name: bytes, *, is_private: bool) -> str | None:
    """The word by which a name promises a secret."""
    words = words_of(name)
    if words & PUBLIC:
        return None
    if_private = words & SECRET_IF_PRIVATE
    is_told = is_private or (PRIVATE in words and len(if_private) > 1)
    return min(words & SECRET or (if_private if is_told else ()), default=None)


def database_content(sighting: Sighting) -> Judgement | None:
    """The first bytes are those of a database, in a place for data."""
    if sighting.facts.hint not in DATABASE_HINTS or sighting.place.area not in _DATABASE_AREAS:
        return None
    if _is_by_the_way(sighting):
        return None
    return Level.IMPORTANT, _reason(Code.CONTENT, sighting, hint=str(sighting.facts.hint))


def database_name(sighting: Sighting) -> Judgement | None:
    """`dump.rdb`, `pg_wal/...`, `trustdb.gpg`, in a place for data."""
    if sighting.facts.is_directory or sighting.place.area not in _DATABASE_AREAS:
        return None
    if _is_by_the_way(sighting):
        return None
    for name in (name_of(sighting.path), *sighting.inner_names):
        word = database_word(name)
        if word is not None:
            return Level.IMPORTANT, _reason(Code.DATABASE_WORD, sighting, word=word)
    return None


def _is_by_the_way(sighting: Sighting) -> bool:
    """A history, an index, statistics: a database as others are a text file."""
    return any(map(is_by_the_way, (name_of(sighting.path), *sighting.inner_names)))


def user_data_name(sighting: Sighting) -> Judgement | None:
    """`bookmarks`, `Saves`, `Maildir`: what people make."""
    if sighting.place.area.is_cache or sighting.place.area in (Area.LOG, Area.ETC):
        return None
    own = name_of(sighting.path)
    if own.endswith(COMPANIONS):
        return None
    words = USER_DATA | JOBS if sighting.place.area is Area.SPOOL else USER_DATA
    typed = words_of(own.rpartition(b".")[2]) & TYPED if b"." in own[1:] else frozenset()
    names = (own, *sighting.inner_names)
    word = min(typed, default=None) or _first_word(names, words)
    if word is None:
        return None
    return Level.IMPORTANT, _reason(Code.USER_DATA_WORD, sighting, word=word)


def user_data_word(name: bytes, area: Area) -> str | None:
    """The word by which a directory promises what people make."""
    words = USER_DATA | JOBS if area is Area.SPOOL else USER_DATA
    return None if is_of_others(name) else _first_word((name,), words)


def _first_word(names: Iterable[bytes], words: frozenset[str]) -> str | None:
    found = (min(words_of(name) & words, default=None) for name in names)
    return next((word for word in found if word is not None), None)


def remembering_cache(sighting: Sighting) -> Judgement | None:
    """Sync state, sessions and queues cannot be regenerated, even in a cache directory."""
    if not sighting.place.area.is_cache or sighting.facts.is_directory:
        return None
    if len(sighting.inner_names) > 1:
        return None  # inside of a directory of the cache, where its parts have such names too
    word = min(words_of(name_of(sighting.path)) & REMEMBERS, default=None)
    if word is None:
        return None
    return Level.NORMAL, _reason(Code.REMEMBERS, sighting, word=word)


def backup_name(sighting: Sighting) -> Judgement | None:
    """`notes.txt~`: an older copy of the file beside it."""
    name = name_of(sighting.path)
    if not name.endswith(BACKUP):
        return None
    return Level.TRANSIENT, Reason(code=Code.BACKUP_NAME, figures={"name": name})


def cache_in_home(sighting: Sighting) -> Judgement | None:
    """`~/.keeper_cache`, `~/.zcompdump`: a file by itself in a home, named for what it was made of.

    Only there: in a program's directory it could lower what was not seen beside it.
    """
    if sighting.place.area is not Area.DOT or sighting.inner_names or sighting.facts.is_directory:
        return None
    word = cache_word(name_of(sighting.path))
    return None if word is None else (Level.TRANSIENT, _cache_word(word))


def _cache_word(word: str) -> Reason:
    return Reason(code=Code.CACHE_WORD, figures={"word": word})


def log_of_home(sighting: Sighting) -> Judgement | None:
    """`*.log` in a home, written and never read."""
    is_log = bool(words_of(name_of(sighting.path).rpartition(b".")[2]) & LOG)
    if not is_log or sighting.place.area not in _HOME_AREAS or sighting.facts.read_first:
        return None
    return Level.TRANSIENT, _cache_word("log")


def never_read_back(sighting: Sighting) -> Judgement | None:
    """Several runs wrote it anew and none ever read it; documents and logs are for people."""
    facts, area = sighting.facts, sighting.place.area
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
    words = words_of(name_of(path))
    ending = {word for word in words if word.endswith("cache")}
    word = min(words & caches or ending, default=None)
    return _cache_word(word) if word is not None else None


def tagged_caches(paths: Iterable[bytes]) -> frozenset[bytes]:
    """The directories that hold a CACHEDIR.TAG."""
    return frozenset(parent_of(path) for path in paths if path.endswith(b"/" + CACHE_TAG))


def _reason(code: Code, sighting: Sighting, **figures: str) -> Reason:
    return Reason(code=code, figures={**figures, "path": sighting.path})


_RAISING: tuple[Callable[[Sighting], Judgement | None], ...] = (
    secret_content,
    secret_name,
    database_content,
    database_name,
    user_data_name,
    remembering_cache,
)

_LOWERING: tuple[Callable[[Sighting], Judgement | None], ...] = (
    cache_in_home,
    log_of_home,
    never_read_back,
)
