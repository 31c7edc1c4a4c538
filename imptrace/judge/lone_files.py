"""Files of a root that need more care than what is around them."""

from collections.abc import Sequence

from imptrace.facts.paths import name_of
from imptrace.judge.codes import Code
from imptrace.judge.judged import State
from imptrace.judge.model import Level, Method
from imptrace.judge.places import Area
from imptrace.judge.words import COMPANIONS, ON_THE_WAY, words_of

_MOST_PARTS = 8
"""More lone files than this, and the whole directory gets their level instead: where they are all
important, or secret and most of what is in it. Some secrets among much else stay apart."""
_MOSTLY = 2
"""Where one file in so many is a secret, most are."""


def lone_files(states: Sequence[State], area: Area) -> list[State]:
    """Files of a higher level than the directory around them: secrets, and what people mark.

    Told apart also where they cannot be kept by themselves, as in a directory that the catalogue
    knows: what is around them needs no more care for it. A database raises what is around it, and
    so does what people write, which is what the program is for.
    """
    return _few_enough([state for state in states if _is_lone(state, area)], states)


def _is_lone(state: State, area: Area) -> bool:
    if not state.is_file or name_of(state.path).endswith(COMPANIONS):
        return False
    if state.level is Level.SECRET:
        return area is not Area.ETC or state.method is not Method.NONE
    if state.level <= area.level:
        return False
    if area is Area.CONFIG and state.method is not Method.NONE:
        return True
    return area.is_of_home and _is_on_the_way(state)


def _is_on_the_way(state: State) -> bool:
    is_important = state.level is Level.IMPORTANT
    return is_important and bool(words_of(name_of(state.path)) & ON_THE_WAY)


def _few_enough(lone: list[State], states: Sequence[State]) -> list[State]:
    """Of too many lone files the secrets, if they are the fewer; else none: they are the whole."""
    if len(lone) <= _MOST_PARTS:
        return lone
    secrets = [state for state in lone if state.level is Level.SECRET]
    files = sum(1 for state in states if state.is_file)
    return secrets if len(secrets) * _MOSTLY < files else []


def dearer_files(states: Sequence[State], fixed: Level) -> list[State]:
    """Secrets, and what people make, in a directory that the catalogue gives a lower level.

    Told also where they cannot be kept by themselves: the level around them is no answer. Of
    databases the catalogue knows already; what it calls transient is nobody's work.
    """
    return _few_enough([state for state in states if is_dearer(state, fixed)], states)


def is_dearer(state: State, fixed: Level) -> bool:
    if not state.is_file or state.level <= fixed or name_of(state.path).endswith(COMPANIONS):
        return False
    return state.level is Level.SECRET or (fixed is Level.NORMAL and _is_by_people(state))


def _is_by_people(state: State) -> bool:
    return any(reason.code == Code.USER_DATA_WORD for reason in state.reasons)
