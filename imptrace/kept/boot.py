"""When this boot began and when it had finished: what it made by itself, the next makes too."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass

from imptrace.facts.systemctl import answer_if_any, properties_in

_NANOSECONDS = 1_000_000_000
_MICROSECOND = 1000
_BEGAN, _ENDED = "UserspaceTimestampMonotonic", "FinishTimestampMonotonic"
_AFTER_AT_LEAST, AFTER_AT_MOST = 2 * _NANOSECONDS, 30 * _NANOSECONDS
"""Services write a little when they are up, for about as long as it took to start them all."""
_STARTED = 19
"""Field 22 of /proc/1/stat, counted behind the name."""


@dataclass(frozen=True, slots=True)
class Boot:
    """Wall clock, nanoseconds since the epoch."""

    started_ns: int
    finished_ns: int
    up_ns: int | None = None
    """When systemd said that all was up; None while it is at it, or where nobody says so."""


def this_boot() -> Boot:
    """Ask the kernel when process 1 started, and systemd when all was up.

    Without systemd nothing is known of what a boot makes: it then ends where it began. While
    systemd is still at it, it lasts until now.
    """
    started, (up, finished) = _started(), _finished()
    return Boot(started, max(started, finished or started), up)


def _started() -> int:
    now = time.time_ns()
    boottime = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    with suppress(OSError, ValueError, IndexError):
        with open("/proc/1/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[_STARTED])
        return now - boottime + ticks * _NANOSECONDS // os.sysconf("SC_CLK_TCK")
    return now - boottime


def _finished() -> tuple[int | None, int | None]:
    """Ask systemd when all was up, and add what services still write when they are."""
    with suppress(ValueError, KeyError):
        said = properties_in(answer_if_any("show", f"--property={_BEGAN},{_ENDED}"))
        began, ended = (int(said[key]) * _MICROSECOND for key in (_BEGAN, _ENDED))
        now = time.time_ns()
        if ended == 0:
            return None, now
        up = wall_clock(ended)
        return up, min(now, up + min(max(ended - began, _AFTER_AT_LEAST), AFTER_AT_MOST))
    return None, None


def wall_clock(monotonic_ns: int) -> int:
    """Tell what systemd counts since the kernel started as a time of day."""
    return time.time_ns() - time.monotonic_ns() + monotonic_ns
