"""What was proven of an advice by a rehearsal, as long as it is still the same advice."""

from dataclasses import replace

from sqlalchemy import Engine

from imptrace.db.rehearsals import rehearsals_of
from imptrace.judge.fingerprint import fingerprint_of
from imptrace.judge.model import Advice, RehearsalShown

CAME_BACK = "came-back"


def with_rehearsal(engine: Engine | None, advice: Advice) -> Advice:
    """Add to an advice what the newest rehearsal of it has shown; of a former one, that it was."""
    if engine is None or not advice.recommendations:
        return advice
    found = rehearsals_of(engine, advice.subject.name)
    own = fingerprint_of(advice.recommendations)
    newest = next((each for each in found if each.fingerprint == own), next(iter(found), None))
    if newest is None:
        return advice
    return replace(
        advice,
        rehearsed=RehearsalShown(
            verdict=newest.verdict,
            at_ns=newest.at_ns,
            unit=newest.unit,
            is_current=newest.fingerprint == own,
        ),
    )
