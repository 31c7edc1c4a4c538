"""Every path by itself: set aside, or state with a level."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from imptrace.classify.codes import Code
from imptrace.classify.context import Context, Facts
from imptrace.classify.known import Knowledge, Known
from imptrace.classify.level import Sight, level_of
from imptrace.classify.names import Names, names_of
from imptrace.classify.path_facts import PathFacts, Seen, merge
from imptrace.classify.paths import parent_of, parents_of
from imptrace.classify.places import Places, places_of
from imptrace.classify.safety import hazards_of, method_for
from imptrace.classify.set_aside import Mounts, PlaceRulings, Ruling, Surroundings, by_facts
from imptrace.classify.shape import State
from imptrace.classify.verdicts import Figure, Reason, SetAside, Why
from imptrace.db.records import RunDetails
from imptrace.tracer.events import FileState

_FOR_OTHERS = 0o077
_READ_ONLY: Ruling = (Why.READ_ONLY, Reason(code=Code.READ_ONLY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """All paths of the runs, judged one by one, with what judging them needed."""

    runs: tuple[RunDetails, ...]
    context: Context
    seen: Seen
    places: Places
    names: Names
    knowledge: Knowledge
    states: tuple[State, ...]
    """Sorted by path."""
    set_aside: tuple[SetAside, ...]
    private: Mapping[bytes, bool]
    """By directory: whether only its owner may enter it, or one above it in its container."""


def judge(facts: Facts) -> Judged:
    """Judge every path of the runs by itself."""
    seen = merge(facts.runs)
    places = places_of(facts.runs, facts.context.users)
    mounts = Mounts(facts.runs[-1].mounts if facts.runs else ())
    knowledge = Knowledge(facts.context.entries, places)
    by_place = PlaceRulings(Surroundings(places=places, mounts=mounts))
    rulings = {path: _ruling(each, by_place, knowledge) for path, each in seen.changed.items()}
    states = [path for path, ruling in rulings.items() if ruling is None]
    private = _private_directories(states, seen, places, facts.context)
    return Judged(
        runs=facts.runs,
        context=facts.context,
        seen=seen,
        places=places,
        names=names_of(facts.runs, facts.context),
        knowledge=knowledge,
        states=tuple(
            _state(seen.changed[path], places, private)
            for path in states
            if not places.is_container(path)
        ),
        set_aside=(
            *(
                SetAside(path=path, why=ruling[0], reasons=(ruling[1],))
                for path, ruling in rulings.items()
                if ruling is not None
            ),
            *_looked_at(seen, by_place),
        ),
        private=private,
    )


def _ruling(facts: PathFacts, by_place: PlaceRulings, knowledge: Knowledge) -> Ruling | None:
    ruling = by_place.of(facts.path) or by_facts(facts)
    if ruling is not None:
        return ruling
    return _never(knowledge.about(facts.path))


def _never(known: Known | None) -> Ruling | None:
    """The catalogue says that the path must not be kept."""
    if known is None or known.never is None:
        return None
    figures: dict[str, Figure] = {"entry": known.entry.title, "why": known.never.why.value}
    if known.never.note:
        figures["note"] = known.never.note
    return Why.NEVER, Reason(code=Code.NEVER, figures=figures)


def _looked_at(seen: Seen, by_place: PlaceRulings) -> Iterator[SetAside]:
    """Paths that were never opened for a change."""
    for path in seen.looked_at:
        why, reason = by_place.of(path) or _READ_ONLY
        yield SetAside(path=path, why=why, reasons=(reason,))


def _private_directories(
    paths: list[bytes], seen: Seen, places: Places, context: Context
) -> dict[bytes, bool]:
    nearest = {parent_of(path) for path in paths}
    directories = {parent for each in nearest for parent in parents_of(each)} | nearest | {*paths}
    private: dict[bytes, bool] = {}
    for directory in sorted(directories):
        above = not places.is_container(directory) and private.get(parent_of(directory), False)
        private[directory] = above or _is_closed(_state_of(directory, seen, context))
    return private


def _state_of(path: bytes, seen: Seen, context: Context) -> FileState | None:
    facts = seen.changed.get(path)
    if facts is not None and facts.state is not None:
        return facts.state
    record = seen.looked_at.get(path)
    if record is not None and (record.after or record.before):
        return record.after or record.before
    return context.directories.get(path)


def _is_closed(state: FileState | None) -> bool:
    return state is not None and state.mode != 0 and not state.mode & _FOR_OTHERS


def _state(facts: PathFacts, places: Places, private: Mapping[bytes, bool]) -> State:
    sight = Sight(
        facts=facts,
        place=places.place_of(facts.path),
        is_private=private.get(facts.path, False),
    )
    level, reasons = level_of(sight)
    hazards = hazards_of(facts)
    return State(
        sight=sight, level=level, reasons=reasons, hazards=hazards, method=method_for(hazards)
    )
