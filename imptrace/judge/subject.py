"""Whom an advice is for."""

import os
from collections import Counter
from collections.abc import Iterable

from imptrace.catalogue import Place
from imptrace.db.records import RunRecord
from imptrace.judge.context import Facts
from imptrace.judge.model import Recommendation, Subject
from imptrace.judge.names import names_of_process


def subject_of(facts: Facts, recommendations: Iterable[Recommendation]) -> Subject:
    """Name the program, its service or home program, and the home that most of it is about."""
    entry = facts.context.entry
    newest = facts.runs[-1].run if facts.runs else None
    is_service = entry is not None and entry.place is Place.SERVICE
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
    entry = facts.context.entry
    known = {os.fsencode(name) for name in entry.programs} if entry is not None else set()
    executed = [name for process in newest.processes for name in names_of_process(process)]
    if not known or newest.run.program in known:
        return newest.run.program
    return next((name for name in executed if name in known), newest.run.program)
