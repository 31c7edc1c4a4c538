"""An advice in JSON; docs/json.md promises the shape."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypedDict

from imptrace.judge.model import (
    Advice,
    Figure,
    Reason,
    Recommendation,
    RehearsalShown,
    SetAside,
    Subject,
)
from imptrace.render.reasons import in_words
from imptrace.render.run_json import PathNameJson, path_name, plain_text, time_of


class SubjectJson(TypedDict):
    """Whom the advice is for."""

    program: str | None
    service: str | None
    option: str | None
    home: str | None


class RecommendationJson(PathNameJson):
    """One directory or file to keep."""

    kind: str
    scope: str
    level: str
    user: str | None
    group: str | None
    mode: str | None
    confidence: float
    observed: bool
    covers: int
    method: str
    home: str | None
    used_by: list[str]
    reasons: list[dict[str, Any]]


class SetAsideJson(PathNameJson):
    """One path that need not or must not be kept."""

    why: str
    text: str


class RehearsedJson(TypedDict):
    """What the newest rehearsal has shown."""

    verdict: str
    at: str
    unit: str | None
    current: bool


class RecommendationAnswer(TypedDict):
    """`imptrace recommend --format json`."""

    schema: Literal["imptrace.recommendation/1"]
    subject: SubjectJson
    runs: list[int]
    recommendations: list[RecommendationJson]
    set_aside: list[SetAsideJson]
    warnings: list[dict[str, Any]]
    rehearsed: RehearsedJson | None


class RecommendationsAnswer(TypedDict):
    """`imptrace.recommendations/1`: the answer about several subjects."""

    schema: Literal["imptrace.recommendations/1"]
    recommendations: list[RecommendationAnswer]


def recommendation(advice: Advice) -> RecommendationAnswer:
    """Answer with an advice."""
    return {
        "schema": "imptrace.recommendation/1",
        "subject": _subject(advice.subject),
        "runs": list(advice.runs),
        "recommendations": [_recommendation(each) for each in advice.recommendations],
        "set_aside": list(_set_aside(advice.set_aside)),
        "warnings": [_reason(each) for each in advice.warnings],
        "rehearsed": _rehearsed(advice.rehearsed),
    }


def recommendations(advices: Sequence[Advice]) -> RecommendationAnswer | RecommendationsAnswer:
    """Answer with one advice, or with several."""
    if len(advices) == 1:
        return recommendation(advices[0])
    return {
        "schema": "imptrace.recommendations/1",
        "recommendations": [recommendation(each) for each in advices],
    }


def _rehearsed(found: RehearsalShown | None) -> RehearsedJson | None:
    if found is None:
        return None
    return {
        "verdict": found.verdict,
        "at": time_of(found.at_ns),
        "unit": found.unit,
        "current": found.is_current,
    }


def _subject(subject: Subject) -> SubjectJson:
    return {
        "program": _optional(subject.program),
        "service": subject.service,
        "option": subject.option,
        "home": _optional(subject.home.path if subject.home else None),
    }


def _recommendation(each: Recommendation) -> RecommendationJson:
    return {
        **path_name(each.path),
        "kind": each.kind.value,
        "scope": each.scope.value,
        "level": each.level.value,
        "user": each.user,
        "group": each.group,
        "mode": None if each.mode is None else f"{each.mode:04o}",
        "confidence": each.confidence,
        "observed": each.observed,
        "covers": each.covers,
        "method": each.method.value,
        "home": _optional(each.home.path if each.home else None),
        "used_by": [plain_text(program) for program in each.used_by],
        "reasons": [_reason(reason) for reason in each.reasons],
    }


def _set_aside(paths: Iterable[SetAside]) -> Iterator[SetAsideJson]:
    # Thousands of paths are set aside for one and the same reason.
    texts: dict[object, str] = {}
    for path, why, reasons in paths:
        key = tuple([(reason.code, *reason.figures.items()) for reason in reasons])
        if key not in texts:
            texts[key] = "; ".join(map(in_words, reasons))
        yield {**path_name(path), "why": why.value, "text": texts[key]}


def _reason(reason: Reason) -> dict[str, Any]:
    return {"code": str(reason.code), "text": in_words(reason), **_figures(reason.figures)}


def _figures(figures: Mapping[str, Figure]) -> dict[str, Any]:
    # A figure may not take the place of the sentence.
    return {
        f"{key}_" if key in ("code", "text") else key: _figure(value)
        for key, value in figures.items()
    }


def _figure(value: Figure) -> object:
    if isinstance(value, bytes):
        return plain_text(value)
    if isinstance(value, tuple):
        return [_figure(each) for each in value]
    return value


def _optional(value: bytes | None) -> str | None:
    return None if value is None else plain_text(value)
