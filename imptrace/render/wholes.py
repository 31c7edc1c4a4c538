"""What is pasted, and what of it is named besides: a recommendation, with its parts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from imptrace.facts.paths import parents_of
from imptrace.judge.model import Advice, Kind, Level, Recommendation, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A directory or file that is kept by itself, and what within it deserves another level."""

    kept: Recommendation
    parts: tuple[Recommendation, ...] = ()

    @property
    def level(self) -> Level:
        """The most care that any of it needs."""
        return max(each.level for each in (self.kept, *self.parts))


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
    return [Whole(kept=each, parts=tuple(parts.get(each.path, ()))) for each in outer]


def only(advice: Advice, level: Level | None, confidence: float) -> Advice:
    """Leave out what needs less care or is less sure; never a part of what only works whole."""
    chosen: Sequence[Whole] = [
        each
        for each in wholes(advice.recommendations)
        if (level is None or each.level >= level) and each.kept.confidence >= confidence
    ]
    return replace(
        advice,
        recommendations=tuple(one for each in chosen for one in (each.kept, *each.parts)),
    )
