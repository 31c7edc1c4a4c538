"""One directory or file to keep, made from what was seen of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imptrace.facts.paths import is_within, name_of
from imptrace.judge.codes import Code
from imptrace.judge.judged import Root, State
from imptrace.judge.known import Known
from imptrace.judge.level import user_data_word
from imptrace.judge.model import Figure, Kind, Level, Method, Reason
from imptrace.judge.ownership import Ownership

MOST_REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One directory or file to keep."""

    path: bytes
    kind: Kind
    level: Level
    reasons: tuple[Reason, ...]
    """Why it has this level, and what was seen of how it is written."""
    members: tuple[State, ...]
    """All states that it is or holds."""
    ownership: Ownership
    """Whose it is."""
    method: Method = Method.BIND
    known: Known | None = None
    """What the catalogue says about it."""
    notes: tuple[Reason, ...] = ()
    """What else the catalogue says."""


def directory_piece(
    path: bytes, root: Root, ownership: Ownership, level: Level, reasons: tuple[Reason, ...]
) -> Piece:
    """Keep a root, or a directory in it, with all that was seen of it."""
    is_all = path == root.path
    members = tuple(s for s in root.states if is_all or is_within(s.path, path))
    itself = next((state for state in members if state.path == path), None)
    own_hazards = itself.hazards if itself is not None else ()
    return Piece(
        path=path,
        kind=Kind.DIRECTORY,
        level=level,
        reasons=(*reasons, *own_hazards, *_file_hazard(members)),
        members=members,
        ownership=ownership,
        method=itself.method if itself is not None else Method.BIND,
    )


def _file_hazard(members: Iterable[State]) -> Iterator[Reason]:
    """Why the files of a directory could not be kept one by one: one of them as an example."""
    for state in members:
        if state.is_file and state.method is Method.NONE:
            yield state.hazards[0]
            return


def file_piece(state: State, ownership: Ownership, fixed: Level | None = None) -> Piece:
    """Keep a file; `fixed` is the level that the catalogue gives it."""
    return Piece(
        path=state.path,
        kind=Kind.FILE,
        level=fixed or state.level,
        reasons=(*(state.reasons if fixed is None else ()), *state.hazards),
        members=(state,),
        ownership=ownership,
        method=state.method,
    )


def empty_piece(root: Root, ownership: Ownership) -> Piece:
    """What to keep of a directory without any content: itself."""
    level, reason = _level_by_name(root)
    return Piece(
        path=root.path,
        kind=Kind.DIRECTORY,
        level=level,
        reasons=(reason,),
        members=root.states,
        ownership=ownership,
    )


def _level_by_name(root: Root) -> tuple[Level, Reason]:
    """The level of a directory of which nothing but its name and place is known."""
    area = root.place.area
    word = None if area.is_cache else user_data_word(name_of(root.path), area)
    if word is not None:
        named: dict[str, Figure] = {"word": word, "path": root.path}
        return Level.IMPORTANT, Reason(code=Code.USER_DATA_WORD, figures=named)
    figures = {"area": area.value, "container": root.place.container}
    return area.level, Reason(code=Code.PLACE, figures=figures)


def level_reasons(states: Iterable[State], level: Level) -> tuple[Reason, ...]:
    """The reasons of the states that gave a directory its level, each kind of reason once."""
    by_code: dict[str, Reason] = {}
    for state in states:
        if state.level is level:
            for reason in state.reasons:
                by_code.setdefault(reason.code, reason)
    return tuple(by_code.values())[:MOST_REASONS]
