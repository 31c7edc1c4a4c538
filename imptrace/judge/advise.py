"""From facts to advice: every rule of this package, in order."""

from collections.abc import Iterable, Iterator, Sequence

from imptrace.facts.paths import parent_of, parents_of
from imptrace.judge.codes import Code
from imptrace.judge.confidence import confidence_of
from imptrace.judge.context import Facts
from imptrace.judge.declared import declared_recommendations
from imptrace.judge.dynamic_user import with_private_paths
from imptrace.judge.ground import ground_of
from imptrace.judge.holdings import Claimed, claimed_pieces
from imptrace.judge.judge import Judged, judge
from imptrace.judge.model import (
    Advice,
    Kind,
    Level,
    Reason,
    Recommendation,
    Scope,
    SetAside,
    Verdict,
    Why,
)
from imptrace.judge.owner import owner_of
from imptrace.judge.roots import State
from imptrace.judge.state import signs_of_state
from imptrace.judge.subject import subject_of
from imptrace.judge.warnings import warnings_of


def advise(facts: Facts, *, with_declared: bool = False, with_verdicts: bool = False) -> Advice:
    """Judge every path of the runs, and recommend the fewest that keep the subject's own state.

    `with_declared`: also what the catalogue and the unit declare and no run has shown; always so
    where there are no runs. `with_verdicts`: also what was found of every single path.
    """
    judged = judge(facts)
    ground = ground_of(judged)
    claimed = claimed_pieces(judged, ground)
    found = [_recommendation(each, judged) for each in claimed]
    if with_declared or not facts.runs:
        found += declared_recommendations(facts, found)
    kept = _without_nested(with_private_paths(found, facts))
    return Advice(
        subject=subject_of(facts, kept),
        runs=tuple(run.run.id for run in facts.runs),
        recommendations=tuple(sorted(kept, key=_order)),
        set_aside=tuple(sorted(_set_aside(judged, claimed), key=lambda each: each.path)),
        verdicts=tuple(_verdicts(claimed, judged)) if with_verdicts else (),
        warnings=warnings_of(facts, kept, judged.set_aside, with_declared=with_declared),
    )


def _order(recommendation: Recommendation) -> tuple[bool, bytes]:
    return recommendation.scope is Scope.SHARED, recommendation.path


def _recommendation(claimed: Claimed, judged: Judged) -> Recommendation:
    piece, claim = claimed.piece, claimed.claim
    members = [state.facts for state in piece.members]
    user, group, mode = owner_of(claimed, judged)
    signs = _strongest_signs(claimed)
    return Recommendation(
        path=piece.path,
        kind=piece.kind,
        scope=claim.scope,
        level=piece.level,
        user=user,
        group=group,
        mode=mode,
        confidence=confidence_of(
            claim.confidence, members, judged.runs, catalogued=claimed.known is not None
        ),
        observed=True,
        covers=len(piece.members),
        reasons=(claim.reason, *piece.reasons, *signs, *claimed.notes),
        method=piece.method,
        home=judged.places.home_of(piece.path),
        used_by=claim.used_by,
    )


def _strongest_signs(claimed: Claimed) -> tuple[Reason, ...]:
    """The sign of state that most members show, by its highest count."""
    by_code: dict[str, Reason] = {}
    # The signs are told by these figures alone, in which thousands of members agree.
    members = {
        (facts.read_first, facts.modified, facts.created): facts
        for facts in (state.facts for state in claimed.piece.members)
    }
    for facts in members.values():
        for sign in signs_of_state(facts):
            best = by_code.get(sign.code)
            if best is None or _runs(sign) > _runs(best):
                by_code[sign.code] = sign
    order = (Code.READ_BACK, Code.MODIFIED, Code.CREATED, Code.EXPECTED)
    return tuple(by_code[code] for code in order if code in by_code)


def _runs(reason: Reason) -> int:
    runs = reason.figures.get("runs", 0)
    return runs if isinstance(runs, int) else 0


def _without_nested(found: Iterable[Recommendation]) -> list[Recommendation]:
    """Leave out what a directory above it keeps already, with the same or more care."""
    by_path: dict[bytes, Recommendation] = {}
    for each in found:
        there = by_path.get(each.path)
        if there is None or each.level > there.level:
            by_path[each.path] = each
    return [each for each in by_path.values() if not _is_kept_above(each, by_path)]


def _is_kept_above(each: Recommendation, by_path: dict[bytes, Recommendation]) -> bool:
    above = next((by_path[path] for path in parents_of(each.path) if path in by_path), None)
    if above is None or above.kind is Kind.FILE or above.scope is not each.scope:
        return False
    return above.level == each.level or (
        each.level < above.level and each.level is not Level.TRANSIENT
    )


def _set_aside(judged: Judged, claimed: Sequence[Claimed]) -> Iterator[SetAside]:
    yield from judged.set_aside
    kept = {state.path for each in claimed for state in each.piece.members}
    nearest = {parent_of(path) for path in kept}
    above = {parent for each in nearest for parent in (each, *parents_of(each))}
    reason = Reason(code=Code.EMPTY_DIRECTORY)
    for state in judged.states:
        if state.path not in kept and state.path not in above:
            yield SetAside(path=state.path, why=Why.EMPTY, reasons=(reason,))


def _verdicts(claimed: Iterable[Claimed], judged: Judged) -> list[Verdict]:
    """One per path that is kept, sorted by path: each as its smallest piece has it."""
    found: dict[bytes, Verdict] = {}
    for each in sorted(claimed, key=lambda each: len(each.piece.path)):
        found |= {state.path: _verdict(state, each, judged) for state in each.piece.members}
    return sorted(found.values(), key=lambda verdict: verdict.path)


def _verdict(state: State, claimed: Claimed, judged: Judged) -> Verdict:
    claim = claimed.claim
    return Verdict(
        path=state.path,
        kind=Kind.FILE if state.is_file else Kind.DIRECTORY,
        scope=claim.scope,
        level=state.level,
        confidence=confidence_of(
            claim.confidence, [state.facts], judged.runs, catalogued=claimed.known is not None
        ),
        reasons=(
            *signs_of_state(state.facts),
            claim.reason,
            *state.reasons,
            *state.hazards,
        ),
    )
