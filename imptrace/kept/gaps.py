"""When the record of a machine misses something: what it says of that time proves nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from imptrace.db.changers import losses


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time in which a recording missed something, or (none lost) there was no recording."""

    since_ns: int
    until_ns: int | None
    lost: int


def gaps(engine: Engine | None, since_ns: int = 0) -> tuple[Gap, ...]:
    """List them, oldest first; of what was over at some moment nothing."""
    if engine is None:
        return ()
    found = (
        Gap(since_ns=since, until_ns=until, lost=lost)
        for since, until, lost in losses(engine)
        if until is None or until > since_ns
    )
    return tuple(sorted(found, key=lambda gap: gap.since_ns))


def pauses(found: Sequence[Gap]) -> tuple[Gap, ...]:
    """Choose those in which there was no recording."""
    return tuple(gap for gap in found if not gap.lost and gap.until_ns is not None)
