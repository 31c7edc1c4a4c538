"""Which subjects a question is about: what was asked for in one line, each apart.

Two programs are two subjects, and each is kept under its own option.
"""

import os
from collections.abc import Iterable, Sequence

from sqlalchemy import Engine

from imptrace.catalogue import Catalogue
from imptrace.db import queries
from imptrace.db.records import WHOLE, Part, RunRecord
from imptrace.errors import UsageError
from imptrace.evidence.asked_runs import MOST_RUNS, Question, runs_named


def questions(
    engine: Engine,
    names: Sequence[str],
    services: Sequence[str],
    catalogue: Catalogue | None,
    *,
    part: Part = WHOLE,
    everything: bool = False,
) -> list[Question]:
    """Split what was asked for by subject. Raises UsageError for a name that nothing has."""
    if services:
        return [Question(service=each, part=part) for each in services]
    records = queries.runs(engine)
    if everything:
        return _of_runs(records)
    if not names:
        return [Question(part=part)]
    found: dict[str, set[int]] = {}
    declared: list[Question] = []
    by_id = {record.id: record for record in records}
    for name in names:
        try:
            wanted = runs_named(engine, name, records)
        except UsageError:
            if catalogue is None or not catalogue.matching(name):
                raise
            # Never recorded, and known: the same answer as to --service.
            declared.append(Question(service=name))
            continue
        if any(of for _, of in wanted):
            # What a program did in runs of the machine is nobody else's subject.
            declared.append(Question(names=(name,), part=part))
            continue
        ids = [number for number, _ in wanted]
        is_program = len(ids) > 1 or os.fsencode(name) == by_id[ids[0]].program
        subject = name if is_program else _subject(by_id[ids[0]])
        found.setdefault(subject, set()).update(ids)
    of_runs = (tuple(map(str, sorted(ids))) for ids in found.values())
    return [*(Question(names=names, part=part) for names in of_runs), *declared]


def of_catalogue(
    names: Sequence[str], services: Sequence[str], catalogue: Catalogue | None
) -> list[Question]:
    """Ask about what was never recorded. Nothing where the catalogue does not know all of it."""
    if catalogue is None or not all(map(catalogue.matching, names)):
        return []
    return [Question(service=each) for each in (*services, *names)]


def _of_runs(records: Iterable[RunRecord]) -> list[Question]:
    """Ask about every subject of the database, by its newest runs."""
    found: dict[str, list[int]] = {}
    for record in records:
        found.setdefault(_subject(record), []).append(record.id)
    return [Question(names=tuple(map(str, ids[-MOST_RUNS:]))) for ids in found.values()]


def _subject(record: RunRecord) -> str:
    return record.service or os.fsdecode(record.program)
