"""How sure a recommendation is, as one number made of few parts."""

from collections.abc import Iterable, Sequence

from imptrace.db.records import RunDetails
from imptrace.judge.path_facts import PathFacts

DECLARED = 0.7
"""Only the catalogue or the unit says so."""
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
