"""What is pasted, and what of it is named besides: a recommendation, with its parts."""

from collections.abc import Iterable
from dataclasses import replace

from imptrace.facts.paths import parents_of
from imptrace.judge.model import Advice, Kind, Level, Recommendation, Scope

Whole = tuple[Recommendation, ...]
"""A directory or file that is kept by itself; behind it, what within it deserves another level."""


def wholes(recommendations: Iterable[Recommendation]) -> list[Whole]:
    """Put everything that lies in a recommended directory to the outermost one, in order."""
    every = list(recommendations)
    directories = {
        each.path: each
        for each in every
        if each.kind is Kind.DIRECTORY and each.scope is Scope.OWNED
    }
    parts: dict[bytes, list[Recommendation]] = {}
    outer: list[Recommendation] = []
    for each in every:
        above = [path for path in parents_of(each.path) if path in directories]
        if above:
            parts.setdefault(min(above, key=len), []).append(each)
        else:
            outer.append(each)
    return [(each, *parts.get(each.path, ())) for each in outer]


def only(advice: Advice, level: Level | None, confidence: float) -> Advice:
    """Leave out what needs less care or is less sure; never a part of what only works whole."""
    chosen = [
        whole
        for whole in wholes(advice.recommendations)
        if (level is None or max(each.level for each in whole) >= level)
        and whole[0].confidence >= confidence
    ]
    return replace(advice, recommendations=tuple(each for whole in chosen for each in whole))
