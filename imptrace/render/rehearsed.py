"""What was proven of an advice, in words."""

from datetime import UTC, datetime

from imptrace.judge.model import RehearsalShown
from imptrace.render.text import printable

_NS = 1_000_000_000
_WORDS = {
    "came-back": "came back",
    "misfit": "came back, but not everything fits",
    "lost": "state was lost",
}


def rehearsed_words(rehearsed: RehearsalShown) -> str:
    """Say in a line what the newest rehearsal has shown, and of which advice."""
    day = datetime.fromtimestamp(rehearsed.at_ns / _NS, UTC).astimezone().strftime("%Y-%m-%d")
    of_unit = f", a copy of {printable(rehearsed.unit)}" if rehearsed.unit else ""
    if not rehearsed.is_current:
        return f"rehearsed: not this advice, but a former one ({day}{of_unit})"
    return f"rehearsed: {_WORDS.get(rehearsed.verdict, 'unknown')} ({day}{of_unit})"
