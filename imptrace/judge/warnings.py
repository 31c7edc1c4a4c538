"""What the user should know about an advice as a whole."""

from collections.abc import Iterable, Iterator

from imptrace.db.records import RunStatus
from imptrace.judge.codes import Code
from imptrace.judge.context import Facts
from imptrace.judge.model import Reason, Recommendation, SetAside, Why


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
        *(() if with_declared or not facts.runs else _declared_more(facts, recommendations)),
    )


def _incomplete(facts: Facts) -> Iterator[Reason]:
    runs = [run.run for run in facts.runs]
    lost, unseen = sum(run.lost for run in runs), sum(run.unseen for run in runs)
    if lost:
        yield Reason(code=Code.LOST, figures={"count": lost})
    if unseen:
        yield Reason(code=Code.UNSEEN, figures={"count": unseen})
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


def _declared_more(facts: Facts, recommendations: tuple[Recommendation, ...]) -> Iterator[Reason]:
    entry = facts.context.entry
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
