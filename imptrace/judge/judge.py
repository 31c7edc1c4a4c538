"""Every path by itself: set aside, or state with a level.

Of the tens of thousands of paths that a run may leave, most differ from others in their directory
in nothing but a name that says nothing: one of those is judged, and the others like it.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from imptrace.facts.paths import name_of, parent_of
from imptrace.judge.closed import Privacy
from imptrace.judge.codes import Code
from imptrace.judge.judged import Judged, State
from imptrace.judge.known import Knowledge, Known
from imptrace.judge.level import level_of
from imptrace.judge.lowering import tagged_caches
from imptrace.judge.model import Facts, Figure, Reason, SetAside, Why
from imptrace.judge.names import names_of
from imptrace.judge.path_facts import PathFacts, merge, under_links
from imptrace.judge.places import Places, places_of
from imptrace.judge.safety import hazards_of, method_for
from imptrace.judge.set_aside import Exclusion, Mounts, PlaceExclusions, by_facts
from imptrace.judge.words import DATED, is_of_others, is_ordinary

_READ_ONLY: Exclusion = (Why.READ_ONLY, Reason(code=Code.READ_ONLY))


def judge(facts: Facts) -> Judged:
    """Judge every path of the runs by itself."""
    changed, looked_at = merge(facts.runs)
    changed = under_links(changed, facts.links)
    places = places_of(facts.runs, facts.users)
    by_place = PlaceExclusions(places, Mounts(facts.runs[-1].mounts if facts.runs else ()))
    privacy = Privacy(changed, looked_at, places, facts.directories)
    knowledge = Knowledge(facts.entries, places, facts.other_entries)
    classifier = _Classifier(places, knowledge, by_place, privacy)
    states: list[State] = []
    set_aside: list[SetAside] = []
    for path, each in changed.items():
        judged = classifier.judge(path, each)
        if isinstance(judged, State):
            states.append(judged)
        else:
            set_aside.append(SetAside(path, judged[0], (judged[1],)))
    return Judged(
        facts=facts,
        changed=changed,
        looked_at=looked_at,
        places=places,
        names=names_of(facts),
        states=tuple([state for state in states if not places.is_container(state.path)]),
        set_aside=(*set_aside, *_looked_at(looked_at, by_place)),
        made=frozenset(
            path for path, each in changed.items() if each.is_directory and each.created
        ),
        tagged=tagged_caches((*changed, *looked_at)),
        read_only_beside=frozenset(
            parent_of(path) for path, record in looked_at.items() if record.accesses.read_content
        ),
        is_private=privacy.of,
    )


def _looked_at(paths: Iterable[bytes], by_place: PlaceExclusions) -> Iterator[SetAside]:
    """Paths that were never opened for a change."""
    for path in paths:
        why, reason = by_place.of(path) or _READ_ONLY
        yield SetAside(path, why, (reason,))


class _Classifier:
    """Judges one path after the other, and of paths that are alike the first only."""

    def __init__(
        self, places: Places, knowledge: Knowledge, by_place: PlaceExclusions, privacy: Privacy
    ) -> None:
        self._places = places
        self._knowledge = knowledge
        self._by_place = by_place
        self._privacy = privacy
        self._judged: dict[tuple[bytes, PathFacts, bool], State | Exclusion] = {}
        self._namesakes: set[tuple[bytes, PathFacts, bool]] = set()
        """Of those, the ones of which some reason names the path."""

    def judge(self, path: bytes, facts: PathFacts) -> State | Exclusion:
        """Answer with what the path is: state, or why it is set aside."""
        directory = parent_of(path)
        if self._stands_out(path, directory, facts):
            return self._afresh(path, facts)
        # Paths of which the same is known have their facts in common.
        key = directory, facts, is_of_others(name_of(path))
        like = self._judged.get(key)
        if like is None:
            judged = self._judged[key] = self._afresh(path, facts)
            if _names(judged, path):
                self._namesakes.add(key)
            return judged
        if not isinstance(like, State):
            return like
        return _like(like, path, is_named=key in self._namesakes)

    def _stands_out(self, path: bytes, directory: bytes, facts: PathFacts) -> bool:
        """Whether a path may be judged otherwise than one beside it of which the same is known."""
        return (
            facts.state is None
            or not is_ordinary(name_of(path))
            or DATED.fullmatch(name_of(path)) is not None
            or self._places.is_container(directory)
            or self._places.is_container(path)
            or self._by_place.begins_at(path)
            or self._knowledge.stands_out(path)
        )

    def _afresh(self, path: bytes, facts: PathFacts) -> State | Exclusion:
        exclusion = self._by_place.of(path) or by_facts(path, facts)
        if exclusion is not None:
            return exclusion
        known = self._knowledge.about(path)
        return _never(known) or self._state(path, facts, known)

    def _state(self, path: bytes, facts: PathFacts, known: Known | None) -> State:
        hazards = hazards_of(path, facts)
        state = State(
            path,
            facts,
            self._places.place_of(path),
            self._privacy.of(path),
            not facts.is_directory,
            known,
            hazards=hazards,
            method=method_for(hazards),
        )
        level, reasons = level_of(state)
        return state._replace(level=level, reasons=reasons)


def _never(known: Known | None) -> Exclusion | None:
    """The catalogue says that the path must not be kept."""
    if known is None or known.never is None:
        return None
    figures: dict[str, Figure] = {"entry": known.entry.title, "why": known.never.why.value}
    if known.never.note:
        figures["note"] = known.never.note
    return Why.NEVER, Reason(code=Code.NEVER, figures=figures)


def _names(judged: State | Exclusion, path: bytes) -> bool:
    """Whether the reasons of a state name the path that they are about."""
    return isinstance(judged, State) and any(
        path in reason.figures.values() for reason in (*judged.reasons, *judged.hazards)
    )


def _like(other: State, path: bytes, *, is_named: bool) -> State:
    state = State._make((path, *other[1:]))
    if not is_named:
        return state
    return state._replace(
        reasons=_naming(path, other.path, other.reasons),
        hazards=_naming(path, other.path, other.hazards),
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


def signs_of_state(facts: PathFacts) -> tuple[Reason, ...]:
    """Every sign that a path, which nothing set aside, is state; the strongest first."""
    found = (rule(facts) for rule in (read_back, left_modified, left_created, expected))
    return tuple(reason for reason in found if reason is not None)


def read_back(facts: PathFacts) -> Reason | None:
    """It was read before it was changed: state of an earlier run that was expected."""
    if not facts.read_first or not facts.was_changed:
        return None
    return _sign(Code.READ_BACK, facts.read_first)


def left_modified(facts: PathFacts) -> Reason | None:
    """A run left it otherwise than it found it."""
    if not facts.modified:
        return None
    return _sign(Code.MODIFIED, facts.modified)


def left_created(facts: PathFacts) -> Reason | None:
    """A run left it where nothing had been."""
    if not facts.created:
        return None
    return _sign(Code.CREATED, facts.created)


def expected(facts: PathFacts) -> Reason | None:
    """It was read and opened for a change that did not come."""
    if facts.was_changed or not facts.read_first:
        return None
    return _sign(Code.EXPECTED, facts.read_first)


@cache
def _sign(code: Code, runs: int) -> Reason:
    """One for all paths: it says nothing of the path itself."""
    return Reason(code=code, figures={"runs": runs})
