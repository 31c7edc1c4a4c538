"""How much care a path needs: from its place, name, mode and content."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from imptrace.facts.content import DATABASE_HINTS, SECRET_HINTS
from imptrace.facts.paths import name_of
from imptrace.judge.codes import Code
from imptrace.judge.judged import State
from imptrace.judge.lowering import HOME_AREAS, LOWERING, Judgement, backup_name, reason_at
from imptrace.judge.model import Level, Reason
from imptrace.judge.places import Area
from imptrace.judge.words import (
    BY_THE_WAY,
    CACHE_DIRECTORY,
    COMPANIONS,
    DATED,
    JOBS,
    KEY_FILES,
    LOG,
    MADE_DIRECTORIES,
    PRIVATE,
    PUBLIC,
    REMEMBERS,
    SECRET,
    SECRET_IF_PRIVATE,
    SETTINGS,
    TALKED_WITH,
    TYPED,
    TYPED_BY_PEOPLE,
    TYPED_IN_HOME,
    USER_DATA,
    cache_word,
    copies_word,
    database_word,
    is_by_the_way,
    is_conversation,
    is_log_database,
    is_of_others,
    is_telling,
    tables_word,
    words_of,
)

_DATABASE_AREAS = frozenset(
    {Area.DATA, Area.STATE, Area.DOT, Area.SYSTEM_STATE, Area.SPOOL, Area.SERVED, Area.OTHER}
)
_DATED_AREAS = frozenset({Area.DATA, Area.DOT, Area.CONFIG})
_NO_DIARY = LOG | BY_THE_WAY | CACHE_DIRECTORY | REMEMBERS | {"backup", "backups", "reports"}
_FOR_OTHERS = 0o077


def level_of(state: State) -> tuple[Level, tuple[Reason, ...]]:
    """The level of one path by itself, with the reasons that count for it."""
    base, by_place = _by_place(state.place.area, state.place.container)
    judgements = _raising(state)
    raised = max((level for level, _ in judgements), default=base)
    copied = backup_name(state)
    if copied is not None and raised is not Level.SECRET:
        return copied[0], (copied[1],)
    if judgements and raised > base:
        return raised, tuple(reason for level, reason in judgements if level is raised)
    for rule in LOWERING:
        lowered = rule(state)
        if lowered is not None:
            return lowered[0], (lowered[1],)
    return base, by_place


@lru_cache(maxsize=4096)
def _by_place(area: Area, container: bytes) -> tuple[Level, tuple[Reason, ...]]:
    """The level that a container gives to all that is in it."""
    figures = {"area": area.value, "container": container}
    return area.level, (Reason(code=Code.PLACE, figures=figures),)


def _raising(state: State) -> list[Judgement]:
    """What every rule that raises a level says.

    Other people's names and texts say nothing of what this program keeps.
    """
    if not _may_raise(state) or _is_of_others(state):
        return []
    return [exclusion for rule in _RAISING if (exclusion := rule(state)) is not None]


def _is_of_others(state: State) -> bool:
    own = name_of(state.path)
    inner = state.inner_names if state.place.area is not Area.DOCUMENT else ()
    return is_of_others(own) or any(map(is_of_others, inner))


def _may_raise(state: State) -> bool:
    """Whether there is anything that one of `_RAISING` looks at; most paths say nothing."""
    return (
        state.facts.hint is not None
        or is_telling(name_of(state.path))
        or TALKED_WITH.search(state.path) is not None
        or any(map(is_telling, state.inner_names))
        or _ending_in_home(state) is not None
        or _copies_in_cache(state) is not None
        or _tables_word(state) is not None
        or DATED.fullmatch(name_of(state.path)) is not None
    )


def secret_content(state: State) -> Judgement | None:
    """The first bytes are those of a private key or of a keyring."""
    if state.facts.hint not in SECRET_HINTS or _is_open_cache(state):
        return None
    return Level.SECRET, reason_at(Code.CONTENT, state, hint=str(state.facts.hint))


def secret_name(state: State) -> Judgement | None:
    """`credentials`, `private-keys`; `key`, `cookies` where nobody else may read the file."""
    if _is_open_cache(state):
        return None
    inner = state.inner_names if state.place.area is not Area.DOCUMENT else ()
    own = name_of(state.path)
    for name in (own, *inner):
        word = secret_word(name, is_private=state.is_private)
        # A directory that people call private is a secret by its own mode alone.
        is_open = word == PRIVATE and name is not own
        if word is not None and not is_open and not words_of(own) & PUBLIC:
            return Level.SECRET, reason_at(Code.SECRET_WORD, state, word=word)
    return None


def _is_open_cache(state: State) -> bool:
    """Whether a file is in a cache and not closed to others: copies of what is public."""
    seen = state.facts.state
    return state.place.area.is_cache and (seen is None or bool(seen.mode & _FOR_OTHERS))


def secret_word(name: bytes, *, is_private: bool) -> str | None:
    """The word by which a name promises a secret."""
    words = words_of(name)
    if words & PUBLIC:
        return None
    if name.endswith(KEY_FILES) and not name.startswith(b"."):
        return "keys"
    if_private = words & SECRET_IF_PRIVATE
    is_told = is_private or (PRIVATE in words and len(if_private) > 1)
    return min(words & SECRET or (if_private if is_told else ()), default=None)


def database_content(state: State) -> Judgement | None:
    """The first bytes are those of a database, in a place for data."""
    if state.facts.hint not in DATABASE_HINTS or state.place.area not in _DATABASE_AREAS:
        return None
    if _is_by_the_way(state):
        return None
    return Level.IMPORTANT, reason_at(Code.CONTENT, state, hint=str(state.facts.hint))


def database_name(state: State) -> Judgement | None:
    """`dump.rdb`, `pg_wal/...`, `trustdb.gpg`, in a place for data."""
    if state.facts.is_directory or state.place.area not in _DATABASE_AREAS:
        return None
    if _is_by_the_way(state):
        return None
    for name in (name_of(state.path), *state.inner_names):
        word = database_word(name)
        if word is not None:
            return Level.IMPORTANT, reason_at(Code.DATABASE_WORD, state, word=word)
    return None


def _is_by_the_way(state: State) -> bool:
    """A history, an index, statistics: a database as others are a text file."""
    own = name_of(state.path)
    if state.place.area in HOME_AREAS and is_log_database(own):
        return any(map(is_by_the_way, state.inner_names))
    return any(map(is_by_the_way, (own, *state.inner_names)))


def user_data_name(state: State) -> Judgement | None:
    """`bookmarks`, `Saves`, `Maildir`: what people make."""
    if state.place.area.is_cache or state.place.area in (Area.LOG, Area.ETC):
        return None
    own = name_of(state.path)
    if own.endswith(COMPANIONS):
        return None
    words = USER_DATA | JOBS if state.place.area is Area.SPOOL else USER_DATA
    ending = words_of(own.rpartition(b".")[2]) if b"." in own[1:] else frozenset()
    # A log that is called like its program says nothing of what that program is for.
    own_word = None if ending & LOG else _first_word((own,), words)
    word = (
        min(ending & (TYPED_BY_PEOPLE if state.place.home is not None else TYPED), default=None)
        or own_word
        or _first_word(state.inner_names, words | MADE_DIRECTORIES)
    )
    if word is None:
        return None
    return Level.IMPORTANT, reason_at(Code.USER_DATA_WORD, state, word=word)


def typed_in_home(state: State) -> Judgement | None:
    """`~/.tasks.xml`: a hidden file by itself in a home, in a form that people's data have."""
    ending = _ending_in_home(state)
    if ending is None:
        return None
    return Level.IMPORTANT, reason_at(Code.USER_DATA_WORD, state, word=ending)


def _ending_in_home(state: State) -> str | None:
    if state.place.area is not Area.DOT or state.inner_names or state.facts.is_directory:
        return None
    name = name_of(state.path)
    if words_of(name) & (SETTINGS | LOG | REMEMBERS) or cache_word(name) is not None:
        return None
    ending = name[1:].rpartition(b".")[2] if b"." in name[1:] else b""
    return min(words_of(ending) & TYPED_IN_HOME, default=None)


def table_of_person(state: State) -> Judgement | None:
    """`/var/spool/incron/alice`: what somebody wants to be run, and when."""
    word = _tables_word(state)
    if word is None:
        return None
    return Level.IMPORTANT, reason_at(Code.USER_DATA_WORD, state, word=word)


def _tables_word(state: State) -> str | None:
    """The word of the directory of a table; jobs of the system (`cron.daily`) have dots."""
    is_table = not state.facts.is_directory and b"." not in name_of(state.path)
    if state.place.area is not Area.SPOOL or not state.inner_names or not is_table:
        return None
    return tables_word(state.inner_names[-1])


def dated(state: State) -> Judgement | None:
    """`~/.keeper/data/2026-11.txt`: what was written of that month; logs and reports say so."""
    name = name_of(state.path)
    if state.place.area not in _DATED_AREAS or not DATED.fullmatch(name):
        return None
    if any(words_of(each) & _NO_DIARY for each in state.inner_names):
        return None
    return Level.IMPORTANT, reason_at(Code.USER_DATA_WORD, state, word=name.decode())


def user_data_word(name: bytes, area: Area) -> str | None:
    """The word by which a directory promises what people make."""
    words = USER_DATA | MADE_DIRECTORIES | (JOBS if area is Area.SPOOL else frozenset())
    return None if is_of_others(name) else _first_word((name,), words)


def conversation(state: State) -> Judgement | None:
    """What people said to each other: a program's log by its place, and nobody can say it again."""
    area = state.place.area
    if area not in HOME_AREAS or area.is_cache:
        return None
    if not is_conversation(name_of(state.path), state.inner_names):
        return None
    return Level.IMPORTANT, reason_at(Code.USER_DATA_WORD, state, word="log")


def _first_word(names: Iterable[bytes], words: frozenset[str]) -> str | None:
    found = (min(words_of(name) & words, default=None) for name in names)
    return next((word for word in found if word is not None), None)


def remembering_cache(state: State) -> Judgement | None:
    """Sync state, sessions and queues cannot be regenerated, even in a cache directory."""
    if not state.place.area.is_cache or state.facts.is_directory:
        return None
    if len(state.inner_names) > 1:
        return None  # inside of a directory of the cache, where its parts have such names too
    word = min(words_of(name_of(state.path)) & REMEMBERS, default=None)
    if word is None:
        return None
    return Level.NORMAL, reason_at(Code.REMEMBERS, state, word=word)


def copies_in_cache(state: State) -> Judgement | None:
    """`/var/cache/rsnapshot`: what was saved from elsewhere, wherever its program put it."""
    word = _copies_in_cache(state)
    if word is None:
        return None
    return Level.IMPORTANT, reason_at(Code.REMEMBERS, state, word=word)


def _copies_in_cache(state: State) -> str | None:
    place = state.place
    return copies_word(name_of(place.anchor)) if place.area.is_cache else None


_RAISING: tuple[Callable[[State], Judgement | None], ...] = (
    secret_content,
    secret_name,
    database_content,
    database_name,
    user_data_name,
    typed_in_home,
    table_of_person,
    dated,
    conversation,
    remembering_cache,
    copies_in_cache,
)
