"""The directories within a root: between it and what was seen in it."""

from collections.abc import Iterable, Mapping, Sequence

from imptrace.facts.paths import is_within, parent_of, parents_of
from imptrace.judge.judged import State


def inner_directories(root: bytes, states: Iterable[State]) -> list[bytes]:
    """All directories between a root and its states, topmost first."""
    nearest = {parent_of(state.path) if state.is_file else state.path for state in states}
    found = {parent for each in nearest for parent in (each, *parents_of(each))}
    return sorted(each for each in found if each != root and is_within(each, root))


def outside(states: Sequence[State], directories: Mapping[bytes, object]) -> Sequence[State]:
    """Leave out what is or lies in one of `directories`."""
    if not directories:
        return states
    return [state for state in states if holder(state.path, directories) is None]


def holder(path: bytes, directories: Mapping[bytes, object]) -> bytes | None:
    """The one of `directories` that `path` is or lies in."""
    if not directories:
        return None
    return next((each for each in (path, *parents_of(path)) if each in directories), None)
