"""When the record misses something, in a few lines."""

from collections.abc import Iterator, Sequence

from imptrace.kept.gaps import Gap, pauses
from imptrace.render.words import counted, local_time


def gaps_text(gaps: Sequence[Gap]) -> Iterator[str]:
    """Say when something was lost, and in a line how often nothing was recorded."""
    for gap in gaps:
        if gap.lost:
            since = local_time(gap.since_ns)
            yield f"the record misses {counted(gap.lost, 'event')} from {since} on"
    quiet = pauses(gaps)
    if quiet:
        last = quiet[-1]
        since, until = local_time(last.since_ns), local_time(last.until_ns or last.since_ns)
        others = f", and {counted(len(quiet) - 1, 'time')} before" if len(quiet) > 1 else ""
        yield f"nothing was recorded from {since} to {until}{others}"
