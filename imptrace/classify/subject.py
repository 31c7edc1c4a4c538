"""Whom an advice is for."""

from collections import Counter
from collections.abc import Iterable

from imptrace.catalogue import Place
from imptrace.classify.context import Facts
from imptrace.classify.verdicts import Recommendation, Subject
from imptrace.db.records import RunRecord


def subject_of(facts: Facts, recommendations: Iterable[Recommendation]) -> Subject:
    """Name the program, its service or home program, and the home that most of it is about."""
    entry = facts.context.entry
    newest = facts.runs[-1].run if facts.runs else None
    is_service = entry is not None and entry.place is Place.SERVICE
    homes = Counter(each.home for each in recommendations)
    most_common = homes.most_common(1)[0][0] if homes else None
    return Subject(
        program=newest.program if newest is not None else None,
        service=entry.id if entry is not None and is_service else _recorded_service(newest),
        option=entry.option if entry is not None else None,
        home=None if is_service else most_common,
    )


def _recorded_service(run: RunRecord | None) -> str | None:
    return run.service if run is not None else None
