"""Times of a log, in nanoseconds since its first line."""

from typing import Final

_NANOSECONDS: Final = 1_000_000_000
_UNITS: Final[tuple[int, ...]] = tuple(10 ** (9 - digits) for digits in range(10))
"""Nanoseconds in the last of so many digits behind the point."""
_DAY: Final = 24 * 3600 * _NANOSECONDS


class Clock:
    """Reads the times of lines, in order. Without any, it counts lines."""

    def __init__(self) -> None:
        self.start: int | None = None
        """Time of the first line: nanoseconds since 1970 (-ttt) or since midnight (-t, -tt)."""
        self.is_absolute = False
        """Whether `start` counts from 1970."""
        self._now = 0
        self._read = -1
        """The time that was read last, as it was written."""
        self._days = 0
        self._last_of_day = 0
        self._second = (b"", 0)
        """The whole seconds read last, and what they are in nanoseconds: lines come close."""

    @property
    def now(self) -> int:
        """Time of the line read last."""
        return self._now

    def tick(self) -> int:
        """Return the time of a line that bears none."""
        if self.start is None:
            self._now += 1
        return self._now

    def step(self, seconds: bytes) -> None:
        """Go on by the time since the line before (-r)."""
        self._now += to_ns(seconds)
        if self.start is None:
            self.start = 0

    def read(self, written: bytes) -> int:
        """Return the time of a line that bears one (-t, -tt, -ttt)."""
        whole, _, fraction = written.partition(b".")
        if whole != self._second[0]:
            self.is_absolute = b":" not in whole
            self._second = whole, to_ns(whole) if self.is_absolute else self._of_day(whole)
        at = self._second[1] + (_fraction_ns(fraction) if fraction else 0)
        if self.start is None:
            self.start = at
        since = max(at - self.start, 0)
        # What a log tells of one moment (-t has but whole seconds) follows in its order.
        self._now = self._now + 1 if since == self._read else since
        self._read = since
        return self._now

    def _of_day(self, written: bytes) -> int:
        at = to_ns(written)
        # Lines of several processes may be out of order by a little; half a day is midnight.
        if at + _DAY // 2 < self._last_of_day:
            self._days += 1
        self._last_of_day = at
        return at + self._days * _DAY


def to_ns(written: bytes) -> int:
    """Turn `12.5`, `1700000000.123456` or `23:59:59.5` into nanoseconds."""
    whole, _, fraction = written.partition(b".")
    seconds = 0
    for part in whole.split(b":"):
        seconds = seconds * 60 + int(part)
    return seconds * _NANOSECONDS + (_fraction_ns(fraction) if fraction else 0)


def _fraction_ns(digits: bytes) -> int:
    digits = digits[:9]
    return int(digits) * _UNITS[len(digits)]
