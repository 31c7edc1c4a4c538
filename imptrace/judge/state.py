"""What is state: what a program left behind, and what it expected to find again."""

from functools import cache

from imptrace.judge.codes import Code
from imptrace.judge.model import Reason
from imptrace.judge.path_facts import PathFacts


def signs_of_state(facts: PathFacts) -> tuple[Reason, ...]:
    """Every sign that a path, which nothing set aside, is state; the strongest first."""
    found = (rule(facts) for rule in (read_back, left_modified, left_created, expected))
    return tuple(reason for reason in found if reason is not None)


def read_back(facts: PathFacts) -> Reason | None:
    """It was read before it was changed: state of an earlier run that was expected."""
    if not facts.read_first or not facts.was_changed:
        return None
    return _sign(Code.READ_BACK, facts.read_first)


def left_modified(facts: PathFacts) -> Reason | None:
    """A run left it otherwise than it found it."""
    if not facts.modified:
        return None
    return _sign(Code.MODIFIED, facts.modified)


def left_created(facts: PathFacts) -> Reason | None:
    """A run left it where nothing had been."""
    if not facts.created:
        return None
    return _sign(Code.CREATED, facts.created)


def expected(facts: PathFacts) -> Reason | None:
    """It was read and opened for a change that did not come."""
    if facts.was_changed or not facts.read_first:
        return None
    return _sign(Code.EXPECTED, facts.read_first)


@cache
def _sign(code: Code, runs: int) -> Reason:
    """One for all paths: it says nothing of the path itself."""
    return Reason(code=code, figures={"runs": runs})
