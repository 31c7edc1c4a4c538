"""From facts to advice: every rule of this package, in order."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from imptrace.catalogue import EntryPlace
from imptrace.db.records import RunDetails, RunRecord, RunStatus
from imptrace.facts.paths import STORE, is_within, name_of, parent_of, parents_of
from imptrace.facts.patterns import INSTANCE_NAME, matching_top
from imptrace.judge.attribution import attributed_pieces
from imptrace.judge.codes import Code
from imptrace.judge.declared import (
    declared_method,
    declared_recommendations,
    unseen_secrets,
    with_private_paths,
)
from imptrace.judge.judge import judge, signs_of_state
from imptrace.judge.judged import Judged, State
from imptrace.judge.model import (
    Advice,
    Facts,
    Figure,
    Kind,
    Level,
    NixosPlace,
    Reason,
    Recommendation,
    Scope,
    SetAside,
    Subject,
    Verdict,
    Why,
)
from imptrace.judge.names import names_of_process
from imptrace.judge.path_facts import PathFacts
from imptrace.judge.piece import Piece
from imptrace.judge.read_secrets import read_secrets
from imptrace.judge.side_files import without_lone_databases
from imptrace.tracer.events import FileType


def advise(facts: Facts, *, with_declared: bool = False, with_verdicts: bool = False) -> Advice:
    """Judge every path of the runs, and recommend the fewest that keep the subject's own state.

    `with_declared`: also what the catalogue and the unit declare and no run has shown; always so
    where there are no runs. `with_verdicts`: also what was found of every single path.
    """
    judged = judge(facts)
    pieces = attributed_pieces(judged)
    pieces += read_secrets(judged, pieces)
    found = [_recommendation(each, judged) for each in pieces]
    if with_declared or not facts.runs:
        found += declared_recommendations(facts, found)
    found += unseen_secrets(facts, found)
    whole = _without_nested(with_private_paths(found, facts))
    kept = list(without_lone_databases(whole, judged.changed, judged.places))
    return Advice(
        subject=subject_of(facts, kept),
        runs=tuple(run.run.id for run in facts.runs),
        recommendations=tuple(sorted(kept, key=_order)),
        set_aside=tuple(sorted(_set_aside(judged, pieces), key=lambda each: each.path)),
        verdicts=tuple(_verdicts(pieces, judged)) if with_verdicts else (),
        warnings=warnings_of(facts, kept, judged.set_aside, with_declared=with_declared),
    )


def _order(recommendation: Recommendation) -> tuple[bool, bytes]:
    return recommendation.scope is Scope.SHARED, recommendation.path


def _recommendation(piece: Piece, judged: Judged) -> Recommendation:
    ownership = piece.ownership
    members = [state.facts for state in piece.members]
    user, group, mode = owner_of(piece, judged)
    place = nixos_place(piece, judged)
    elsewhere = [_elsewhere(place)] if place is not None else []
    signs = _strongest_signs(piece)
    return Recommendation(
        path=piece.path,
        kind=piece.kind,
        scope=ownership.scope,
        level=piece.level,
        user=user,
        group=group,
        mode=mode,
        confidence=confidence_of(
            ownership.confidence, members, judged.facts.runs, catalogued=piece.known is not None
        ),
        observed=True,
        covers=len(piece.members),
        reasons=(ownership.reason, *piece.reasons, *signs, *piece.notes, *elsewhere),
        method=piece.method,
        home=judged.places.home_of(piece.path),
        used_by=ownership.used_by,
        on_nixos=place,
    )


def _elsewhere(place: NixosPlace) -> Reason:
    return Reason(code=Code.ELSEWHERE, figures={"path": place.path})


def nixos_place(piece: Piece, judged: Judged) -> NixosPlace | None:
    """Where NixOS keeps what another distribution has in the place that was seen.

    None where the place is NixOS' own: what ran from the Nix store is what NixOS runs.
    """
    known = piece.known
    if known is None or known.kept is None or not known.is_elsewhere or _is_from_store(judged):
        return None
    kept, path = known.kept, piece.path
    home = judged.places.home_of(path) if known.entry.place is EntryPlace.HOME else None
    base = home.path + b"/" if home is not None else b""
    is_whole = path == known.path
    return NixosPlace(
        path=base + kept.path + path[len(known.path) :],
        is_pattern=kept.is_pattern,
        kind=kept.kind if is_whole else piece.kind,
        user=kept.user if is_whole else None,
        group=kept.group if is_whole else None,
        mode=kept.mode if is_whole else None,
        method=declared_method(kept) if is_whole else piece.method,
    )


def _is_from_store(judged: Judged) -> bool:
    processes = (process for run in judged.facts.runs for process in run.processes)
    return any(is_within(process.exe, STORE) for process in processes)


def _strongest_signs(piece: Piece) -> tuple[Reason, ...]:
    """The sign of state that most members show, by its highest count."""
    by_code: dict[str, Reason] = {}
    # The signs are told by these figures alone, in which thousands of members agree.
    members = {
        (facts.read_first, facts.modified, facts.created): facts
        for facts in (state.facts for state in piece.members)
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


def _set_aside(judged: Judged, pieces: Sequence[Piece]) -> Iterator[SetAside]:
    yield from judged.set_aside
    kept = {state.path for each in pieces for state in each.members}
    nearest = {parent_of(path) for path in kept}
    above = {parent for each in nearest for parent in (each, *parents_of(each))}
    reason = Reason(code=Code.EMPTY_DIRECTORY)
    for state in judged.states:
        if state.path in kept or state.path in above:
            continue
        if state.is_file:
            copied = Reason(code=Code.BACKUP_NAME, figures={"name": name_of(state.path)})
            yield SetAside(path=state.path, why=Why.TEMPORARY, reasons=(copied,))
        else:
            yield SetAside(path=state.path, why=Why.EMPTY, reasons=(reason,))


def _verdicts(pieces: Iterable[Piece], judged: Judged) -> list[Verdict]:
    """One per path that is kept, sorted by path: each as its smallest piece has it."""
    found: dict[bytes, Verdict] = {}
    for each in sorted(pieces, key=lambda each: len(each.path)):
        found |= {state.path: _verdict(state, each, judged) for state in each.members}
    return sorted(found.values(), key=lambda verdict: verdict.path)


def _verdict(state: State, piece: Piece, judged: Judged) -> Verdict:
    ownership = piece.ownership
    return Verdict(
        path=state.path,
        kind=Kind.FILE if state.is_file else Kind.DIRECTORY,
        scope=ownership.scope,
        level=_level_in(piece, state),
        confidence=confidence_of(
            ownership.confidence,
            [state.facts],
            judged.facts.runs,
            catalogued=piece.known is not None,
        ),
        reasons=(
            *signs_of_state(state.facts),
            ownership.reason,
            *state.reasons,
            *state.hazards,
        ),
    )


def _level_in(piece: Piece, state: State) -> Level:
    """The level of one path: less than its own where the catalogue says so of what it is in."""
    return min(state.level, piece.level) if piece.known is not None else state.level


Owner = tuple[str | None, str | None, int | None]


def owner_of(piece: Piece, judged: Judged) -> Owner:
    """User, group and mode: as the catalogue says, else as seen; None where nobody knows."""
    user, group, mode = _seen(piece.path, judged)
    known = piece.known
    if known is None or known.kept is None or known.is_elsewhere:
        return user, group, mode
    kept = known.kept
    if known.path != piece.path:
        return user, group, mode
    return (
        _literal(kept.user) or user,
        _literal(kept.group) or group,
        mode if kept.mode is None else kept.mode,
    )


def _literal(name: str | None) -> str | None:
    """A name, unless it has the place for an instance's in it."""
    return None if name is None or INSTANCE_NAME.decode() in name else name


def _seen(path: bytes, judged: Judged) -> Owner:
    state = judged.last_seen(path)
    if state is None or state.type in (FileType.ABSENT, FileType.SYMLINK):
        return None, None, None
    facts = judged.facts
    return _user_name(state.uid, facts), facts.groups.get(state.gid), state.mode


def _user_name(uid: int, facts: Facts) -> str | None:
    return next((user.name for user in facts.users if user.uid == uid), None)


_CATALOGUED = 0.92
_READ_BACK = 0.08
_SEVERAL_RUNS = 0.04
_INCOMPLETE = 0.1
_HIGHEST = 0.99


def confidence_of(
    ownership: float, members: Iterable[PathFacts], runs: Sequence[RunDetails], *, catalogued: bool
) -> float:
    """0 to 1: whose it is counts most; being read back and several runs add, lost events take."""
    members = tuple(members)
    confidence = max(ownership, _CATALOGUED) if catalogued else ownership
    if any(member.read_first for member in members):
        confidence += _READ_BACK
    if any(member.created + member.modified > 1 for member in members):
        confidence += _SEVERAL_RUNS
    if any(run.run.lost for run in runs):
        confidence -= _INCOMPLETE
    return round(min(confidence, _HIGHEST), 2)


def subject_of(facts: Facts, recommendations: Iterable[Recommendation]) -> Subject:
    """Name the program, its service or home program, and the home that most of it is about."""
    entry = facts.entry
    newest = facts.runs[-1].run if facts.runs else None
    is_service = entry is not None and entry.place is EntryPlace.SERVICE
    homes = Counter(each.home for each in recommendations)
    most_common = homes.most_common(1)[0][0] if homes else None
    return Subject(
        program=_program(facts),
        service=entry.id if entry is not None and is_service else _recorded_service(newest),
        option=entry.option if entry is not None else None,
        home=None if is_service else most_common,
    )


def _recorded_service(run: RunRecord | None) -> str | None:
    return run.service if run is not None else None


def _program(facts: Facts) -> bytes | None:
    """The program that was run; a wrapper's (`sudo`, a shell) gives way to the entry's own."""
    if not facts.runs:
        return None
    newest = facts.runs[-1]
    entry = facts.entry
    known = {os.fsencode(name) for name in entry.programs} if entry is not None else set()
    executed = [name for process in newest.processes for name in names_of_process(process)]
    if not known or newest.run.program in known:
        return newest.run.program
    return next((name for name in executed if name in known), newest.run.program)


def warnings_of(
    facts: Facts,
    recommendations: Iterable[Recommendation],
    set_aside: Iterable[SetAside],
    *,
    with_declared: bool,
) -> tuple[Reason, ...]:
    """Everything that makes the advice less than certain or complete."""
    recommendations = tuple(recommendations)
    return (
        *_incomplete(facts),
        *_nothing(facts, recommendations, set_aside),
        *_unseen_instances(facts, recommendations),
        *(() if with_declared or not facts.runs else _declared_more(facts, recommendations)),
    )


def _incomplete(facts: Facts) -> Iterator[Reason]:
    runs = [run.run for run in facts.runs]
    lost, unseen = sum(run.lost for run in runs), sum(run.unseen for run in runs)
    if lost:
        yield Reason(code=Code.LOST, figures={"count": lost})
    if unseen:
        yield Reason(code=Code.UNSEEN, figures={"count": unseen})
    # Codes alone: evidence from elsewhere has no texts, and is to be judged alike.
    for warning in sorted({code for run in runs for code, _ in run.warnings}):
        yield Reason(code=Code.WARNED, figures={"warning": warning})
    unfinished = tuple(str(run.id) for run in runs if run.status is not RunStatus.COMPLETE)
    if unfinished:
        yield Reason(code=Code.UNFINISHED, figures={"runs": unfinished})


def _nothing(
    facts: Facts, recommendations: tuple[Recommendation, ...], set_aside: Iterable[SetAside]
) -> Iterator[Reason]:
    if not facts.runs:
        yield Reason(code=Code.NOTHING_RECORDED)
    elif not recommendations:
        persistent = sum(each.why is Why.PERSISTENT for each in set_aside)
        code = Code.ALL_PERSISTENT if persistent else Code.NOTHING_KEPT
        yield Reason(code=code, figures={"count": persistent})


def _unseen_instances(
    facts: Facts, recommendations: tuple[Recommendation, ...]
) -> Iterator[Reason]:
    """Name what each instance of a service keeps: no entry can be written without its name."""
    kept = [each.path for each in recommendations]
    for entry in (facts.entry, *facts.included):
        for instance in entry.instances if entry is not None else ():
            patterns = (instance.path, *instance.elsewhere)
            if not any(matching_top(path, each) for path in kept for each in patterns):
                figures: dict[str, Figure] = {"path": instance.path, "each": str(instance.each)}
                yield Reason(code=Code.INSTANCE_UNSEEN, figures=figures)


def _declared_more(facts: Facts, recommendations: tuple[Recommendation, ...]) -> Iterator[Reason]:
    entry = facts.entry
    if entry is None:
        return
    seen = {
        reason.figures.get("path")
        for each in recommendations
        for reason in each.reasons
        if reason.code == Code.CATALOGUED
    }
    suffixes = tuple(path for path in seen if isinstance(path, bytes))
    more = [
        kept
        for kept in entry.persist
        if not kept.is_pattern and not any(path.endswith(kept.path) for path in suffixes)
    ]
    if more:
        yield Reason(code=Code.DECLARED_MORE, figures={"count": len(more), "entry": entry.id})
