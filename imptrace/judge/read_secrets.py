"""Secrets that no run changed, in directories that are kept with less care.

A key that was made by an installation, or by a login long ago, is only read from then on; its
directory is kept for what is written there, and the key goes with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from imptrace.facts.paths import name_of, parent_of, parents_of
from imptrace.judge.judged import Judged, State
from imptrace.judge.level import level_of
from imptrace.judge.model import Kind, Level, Method, Scope
from imptrace.judge.path_facts import FactMaker, PathFacts
from imptrace.judge.piece import Piece
from imptrace.judge.places import Area
from imptrace.judge.secret_parts import FEW_FILES
from imptrace.judge.words import is_telling
from imptrace.tracer.events import FileType

_NOT_THERE = (Area.ETC, Area.DOCUMENT, Area.SERVED, Area.LOG, Area.OTHER)


def read_secrets(judged: Judged, pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Tell of each secret that was read in a directory of `pieces` which gives it less care."""
    directories = {
        piece.path: piece
        for piece in pieces
        if piece.kind is Kind.DIRECTORY and piece.ownership.scope is Scope.OWNED
    }
    if not directories:
        return
    facts = FactMaker(judged.facts.runs)
    for path, record in judged.looked_at.items():
        if not is_telling(name_of(path)) or not record.accesses.read_content:
            continue
        above = next((each for each in parents_of(path) if each in directories), None)
        if above is None or directories[above].level is Level.SECRET:
            continue
        state = _state(path, facts.of([record]), judged)
        if state is not None and state.level is Level.SECRET:
            piece = directories[above]
            yield (_closed if _is_closed(state, piece, judged) else _piece)(state, piece)


def _is_closed(state: State, above: Piece, judged: Judged) -> bool:
    """Whether a secret is one of the few files of a system's directory that nobody may enter."""
    is_few = sum(each.is_file for each in above.members) < FEW_FILES
    is_there = parent_of(state.path) == above.path and state.place.area is Area.SYSTEM_STATE
    return is_there and is_few and judged.is_private(above.path)


def _closed(state: State, above: Piece) -> Piece:
    return replace(above, level=Level.SECRET, reasons=(*state.reasons, *above.reasons))


def _state(path: bytes, facts: PathFacts, judged: Judged) -> State | None:
    place = judged.places.place_of(path)
    # Nobody looked at what is only read, as a rule: it is taken for a file then.
    if place.area in _NOT_THERE or place.area.is_cache or facts.type not in (FileType.FILE, None):
        return None
    state = State(path, facts, place, judged.is_private(path), is_file=True)
    level, reasons = level_of(state)
    return state._replace(level=level, reasons=reasons)


def _piece(state: State, above: Piece) -> Piece:
    return Piece(
        path=state.path,
        kind=Kind.FILE,
        level=state.level,
        reasons=state.reasons,
        members=(state,),
        ownership=above.ownership,
        method=Method.BIND,
    )
