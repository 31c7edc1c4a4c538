"""Directories of a root that need less care than it, or more: caches, and what people make."""

from collections.abc import Iterable, Sequence

from imptrace.facts.paths import is_within, name_of
from imptrace.judge.codes import Code
from imptrace.judge.inner import holder, inner_directories, outside
from imptrace.judge.judged import Root, State
from imptrace.judge.level import user_data_word
from imptrace.judge.lowering import cache_directory
from imptrace.judge.model import Figure, Level, Reason
from imptrace.judge.places import Area
from imptrace.judge.versions import GIT, word_of_bare
from imptrace.judge.words import LOG, words_of

_MOST_VALUED = 2
"""More directories of what people make, and the whole is important."""


def cache_directories(root: Root) -> dict[bytes, Reason]:
    """The topmost directories below a root that are caches."""
    if root.place.area.is_cache:
        return {}
    found: dict[bytes, Reason] = {}
    for directory in inner_directories(root.path, root.states):
        reason = cache_directory(directory, root.place.area, root.judged.tagged)
        if reason is None or _holds_conversations(directory, root, reason):
            continue
        if holder(directory, found) is None:
            found[directory] = reason
    return found


def _holds_conversations(directory: bytes, root: Root, reason: Reason) -> bool:
    """Whether a directory of logs holds what people said, which nobody can make again."""
    is_log = reason.figures.get("word") in LOG
    return is_log and any(_is_valued_in(directory, state) for state in root.states)


def valued_directories(
    root: Root, states: Sequence[State], fixed: Level | None
) -> dict[bytes, Reason]:
    """Directories named for what people make (`saves`), where there is less beside them.

    Too many of them, and they say no more than the whole, unless the catalogue knows that one.
    """
    if (
        fixed not in (None, Level.NORMAL)
        or (fixed is None and root.place.area.level >= Level.IMPORTANT)
        or root.place.area.is_cache
        or root.place.area is Area.ETC
    ):
        return {}
    found: dict[bytes, Reason] = {}
    paths = [state.path for state in states]
    for directory in inner_directories(root.path, states):
        word = (
            user_data_word(name_of(directory), root.place.area)
            or _log_word(directory, states)
            or word_of_bare(directory, paths)
        )
        if word is not None and holder(directory, found) is None:
            figures: dict[str, Figure] = {"word": word, "path": directory}
            found[directory] = Reason(code=Code.USER_DATA_WORD, figures=figures)
    if fixed is not None:
        return found
    beside = [state for state in outside(states, found) if state.is_file]
    if not beside:
        return {path: reason for path, reason in found.items() if reason.figures["word"] == GIT}
    is_less = all(state.level is not Level.IMPORTANT for state in beside)
    return found if is_less and len(found) <= _MOST_VALUED else {}


def _log_word(directory: bytes, states: Iterable[State]) -> str | None:
    """The word of a directory of logs in which there are conversations."""
    word = min(words_of(name_of(directory)) & LOG, default=None)
    if word is None or not any(_is_valued_in(directory, state) for state in states):
        return None
    return word


def _is_valued_in(directory: bytes, state: State) -> bool:
    return state.level is Level.IMPORTANT and is_within(state.path, directory)
