"""How long something has kept silent, without the time in which it was only not let run."""

import os
import time
from pathlib import Path

_NS = 1e9


class Silence:
    """The silence of what a thread waits for, measured while the machine may be busy.

    A thread that works, or that waits for a processor, waits for nobody else.
    """

    def __init__(self, thread: int) -> None:
        """Measure that of the thread with this number of the kernel's."""
        self._place = Path(f"/proc/self/task/{thread}")
        self._heard = -1.0
        self._busy = 0.0

    def seconds(self, heard: float) -> float:
        """Tell for how long it lasts; `heard`: when there was a sign of life, by monotonic time."""
        busy = self._busy_seconds()
        if heard != self._heard:
            self._heard, self._busy = heard, busy
        if self._is_runnable():
            return 0.0
        return time.monotonic() - heard - (busy - self._busy)

    def _busy_seconds(self) -> float:
        """How long the thread has had a processor, or waited for one."""
        try:
            worked, waited, _ = (self._place / "schedstat").read_text().split()
        except (OSError, ValueError):
            return 0.0  # a kernel without it
        return (int(worked) + int(waited)) / _NS

    def _is_runnable(self) -> bool:
        """Whether it would go on at once, if it was let: that wait is counted only at its end."""
        try:
            stat = os.fsdecode((self._place / "stat").read_bytes())
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] == "R"
