"""Every path by itself: set aside, or state with a level.

Of the tens of thousands of paths that a run may leave, most differ from others in their directory
in nothing but a name that says nothing: one of those is judged, and the others like it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from imptrace.db.records import RunDetails
from imptrace.facts.paths import name_of, parent_of
from imptrace.judge.closed import Privacy
from imptrace.judge.codes import Code
from imptrace.judge.context import Context, Facts
from imptrace.judge.known import Knowledge, Known
from imptrace.judge.level import Sight, level_of
from imptrace.judge.model import Figure, Reason, SetAside, Why
from imptrace.judge.names import Names, names_of
from imptrace.judge.path_facts import PathFacts, Seen, merge
from imptrace.judge.places import Places, places_of
from imptrace.judge.roots import State
from imptrace.judge.safety import hazards_of, method_for
from imptrace.judge.set_aside import Mounts, PlaceRulings, Ruling, Surroundings, by_facts
from imptrace.judge.words import is_ordinary

_READ_ONLY: Ruling = (Why.READ_ONLY, Reason(code=Code.READ_ONLY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """All paths of the runs, judged one by one, with what judging them needed."""

    runs: tuple[RunDetails, ...]
    context: Context
    seen: Seen
    places: Places
    names: Names
    states: tuple[State, ...]
    """Sorted by path."""
    set_aside: tuple[SetAside, ...]
    is_private: Callable[[bytes], bool]
    """Whether only its owner may enter a directory, or one above it in its container."""


def judge(facts: Facts) -> Judged:
    """Judge every path of the runs by itself."""
    seen = merge(facts.runs)
    places = places_of(facts.runs, facts.context.users)
    mounts = Mounts(facts.runs[-1].mounts if facts.runs else ())
    by_place = PlaceRulings(Surroundings(places=places, mounts=mounts))
    privacy = Privacy(seen, places, facts.context)
    court = _Court(places, Knowledge(facts.context.entries, places), by_place, privacy)
    states: list[State] = []
    set_aside: list[SetAside] = []
    for path, each in seen.changed.items():
        judged = court.judge(path, each)
        if isinstance(judged, State):
            states.append(judged)
        else:
            set_aside.append(SetAside(path, judged[0], (judged[1],)))
    return Judged(
        runs=facts.runs,
        context=facts.context,
        seen=seen,
        places=places,
        names=names_of(facts.runs, facts.context),
        states=tuple([state for state in states if not places.is_container(state.path)]),
        set_aside=(*set_aside, *_looked_at(seen, by_place)),
        is_private=privacy.of,
    )


def _looked_at(seen: Seen, by_place: PlaceRulings) -> Iterator[SetAside]:
    """Paths that were never opened for a change."""
    for path in seen.looked_at:
        why, reason = by_place.of(path) or _READ_ONLY
        yield SetAside(path, why, (reason,))


class _Precedent(NamedTuple):
    """What was found of a path, for all that are like it."""

    path: bytes
    judged: State | Ruling
    is_named: bool
    """Some reason names the path."""


class _Court:
    """Judges one path after the other, and of paths that are alike the first only."""

    def __init__(
        self, places: Places, knowledge: Knowledge, by_place: PlaceRulings, privacy: Privacy
    ) -> None:
        self._places = places
        self._knowledge = knowledge
        self._by_place = by_place
        self._privacy = privacy
        self._precedents: dict[tuple[bytes, int], _Precedent] = {}

    def judge(self, path: bytes, facts: PathFacts) -> State | Ruling:
        """Answer with what the path is: state, or why it is set aside."""
        directory = parent_of(path)
        if self._stands_out(path, directory, facts):
            return self._afresh(path, facts)
        # Paths of which the same is known have their facts in common.
        key = directory, id(facts)
        precedent = self._precedents.get(key)
        if precedent is None:
            judged = self._afresh(path, facts)
            self._precedents[key] = _Precedent(path, judged, _names(judged, path))
            return judged
        return _following(precedent, path)

    def _stands_out(self, path: bytes, directory: bytes, facts: PathFacts) -> bool:
        """Whether a path may be judged otherwise than one beside it of which the same is known."""
        return (
            facts.state is None
            or not is_ordinary(name_of(path))
            or self._places.is_container(directory)
            or self._places.is_container(path)
            or self._by_place.begins_at(path)
            or self._knowledge.stands_out(path)
        )

    def _afresh(self, path: bytes, facts: PathFacts) -> State | Ruling:
        ruling = self._by_place.of(path) or by_facts(path, facts)
        if ruling is not None:
            return ruling
        known = self._knowledge.about(path)
        return _never(known) or self._state(path, facts, known)

    def _state(self, path: bytes, facts: PathFacts, known: Known | None) -> State:
        place = self._places.place_of(path)
        level, reasons = level_of(Sight(path, facts, place, self._privacy.of(path)))
        hazards = hazards_of(path, facts)
        return State(
            path=path,
            facts=facts,
            place=place,
            known=known,
            level=level,
            reasons=reasons,
            hazards=hazards,
            method=method_for(hazards),
            is_file=not facts.is_directory,
        )


def _never(known: Known | None) -> Ruling | None:
    """The catalogue says that the path must not be kept."""
    if known is None or known.never is None:
        return None
    figures: dict[str, Figure] = {"entry": known.entry.title, "why": known.never.why.value}
    if known.never.note:
        figures["note"] = known.never.note
    return Why.NEVER, Reason(code=Code.NEVER, figures=figures)


def _names(judged: State | Ruling, path: bytes) -> bool:
    """Whether the reasons of a state name the path that they are about."""
    return isinstance(judged, State) and any(
        path in reason.figures.values() for reason in (*judged.reasons, *judged.hazards)
    )


def _following(precedent: _Precedent, path: bytes) -> State | Ruling:
    judged = precedent.judged
    if not isinstance(judged, State):
        return judged
    state = State._make((path, *judged[1:]))
    if not precedent.is_named:
        return state
    return state._replace(
        reasons=_naming(path, precedent.path, judged.reasons),
        hazards=_naming(path, precedent.path, judged.hazards),
    )


def _naming(path: bytes, other: bytes, reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    return tuple(
        Reason(
            code=reason.code,
            figures={
                key: path if figure == other else figure for key, figure in reason.figures.items()
            },
        )
        for reason in reasons
    )
