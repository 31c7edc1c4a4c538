"""What lowers the care that a path needs: copies, logs, caches, and what is never read back."""

from collections.abc import Callable, Iterable

from imptrace.facts.paths import name_of, parent_of
from imptrace.judge.codes import Code
from imptrace.judge.judged import State
from imptrace.judge.model import Level, Reason
from imptrace.judge.places import Area
from imptrace.judge.words import (
    BACKUP,
    CACHE_DIRECTORY,
    LOG,
    build_word,
    cache_word,
    is_history,
    words_of,
)

Judgement = tuple[Level, Reason]

CACHE_TAG = b"CACHEDIR.TAG"
"""https://bford.info/cachedir/: marks its directory as a cache."""

HOME_AREAS = frozenset({Area.CONFIG, Area.DATA, Area.STATE, Area.CACHE, Area.DOT})


def backup_name(state: State) -> Judgement | None:
    """`notes.txt~`: an older copy of the file beside it."""
    name = name_of(state.path)
    if not name.endswith(BACKUP):
        return None
    return Level.TRANSIENT, Reason(code=Code.BACKUP_NAME, figures={"name": name})


def cache_in_home(state: State) -> Judgement | None:
    """`~/.keeper_cache`, `~/.zcompdump`: a file by itself in a home, named for what it was made of.

    Only there: in a program's directory it could lower what was not seen beside it.
    """
    if state.place.area is not Area.DOT or state.inner_names or state.facts.is_directory:
        return None
    word = cache_word(name_of(state.path))
    return None if word is None else (Level.TRANSIENT, _cache_word(word))


def _cache_word(word: str) -> Reason:
    return Reason(code=Code.CACHE_WORD, figures={"word": word})


def log_of_home(state: State) -> Judgement | None:
    """`*.log` in a home, written and never read."""
    is_log = bool(words_of(name_of(state.path).rpartition(b".")[2]) & LOG)
    if not is_log or state.place.area not in HOME_AREAS or state.facts.read_first:
        return None
    return Level.TRANSIENT, _cache_word("log")


def history_beside_documents(state: State) -> Judgement | None:
    """`~/project/.gdb_history`: what was typed into a program, where it was started."""
    if state.place.area is not Area.DOCUMENT or not is_history(name_of(state.path)):
        return None
    return Level.NORMAL, reason_at(Code.HISTORY_WORD, state)


def build_among_documents(state: State) -> Judgement | None:
    """`~/project/.sconsign.dblite`, `.ninja_deps`: what a build noted of the files beside it."""
    if state.place.area is not Area.DOCUMENT or state.facts.is_directory:
        return None
    word = build_word(name_of(state.path))
    return None if word is None else (Level.TRANSIENT, _cache_word(word))


def never_read_back(state: State) -> Judgement | None:
    """Several runs wrote it anew and none ever read it; documents and logs are for people."""
    facts, area = state.facts, state.place.area
    if area in (Area.DOCUMENT, Area.SERVED, Area.LOG) or facts.is_directory:
        return None
    if facts.rewritten < 2 or facts.read_first:  # noqa: PLR2004 (once may be chance)
        return None
    figures = {"runs": facts.rewritten}
    return Level.TRANSIENT, Reason(code=Code.NEVER_READ_BACK, figures=figures)


def cache_directory(path: bytes, area: Area, tagged: frozenset[bytes]) -> Reason | None:
    """Why the directory `path`, which lies in some program's own directory, is a cache."""
    if path in tagged:
        return Reason(code=Code.CACHE_TAG, figures={"path": path + b"/" + CACHE_TAG})
    if area in (Area.DOCUMENT, Area.SERVED, Area.ETC, Area.LOG):
        return None
    caches = CACHE_DIRECTORY | LOG if area in HOME_AREAS else CACHE_DIRECTORY
    words = words_of(name_of(path))
    ending = {word for word in words if word.endswith("cache")}
    word = min(words & caches or ending, default=None)
    return _cache_word(word) if word is not None else None


def tagged_caches(paths: Iterable[bytes]) -> frozenset[bytes]:
    """The directories that hold a CACHEDIR.TAG."""
    return frozenset(parent_of(path) for path in paths if path.endswith(b"/" + CACHE_TAG))


def reason_at(code: Code, state: State, **figures: str) -> Reason:
    """A reason that names the path."""
    return Reason(code=code, figures={**figures, "path": state.path})


LOWERING: tuple[Callable[[State], Judgement | None], ...] = (
    cache_in_home,
    log_of_home,
    history_beside_documents,
    build_among_documents,
    never_read_back,
)
