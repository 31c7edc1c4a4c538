"""Whether the imptrace that records a run still lives, told apart from a later user of its pid."""

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

_START_TIME_FIELD = 21 - 2  # proc_pid_stat(5): field 22, after pid and "(comm)"


class RecorderIdentity(NamedTuple):
    """A process, named so that no later one of the same machine is mistaken for it."""

    pid: int
    started: int
    """In clock ticks since the machine's boot."""
    boot_id: str


NOBODY = RecorderIdentity(0, 0, "")
"""The recorder of a run that was recorded elsewhere: it has ended, as far as this machine goes."""


def this_process() -> RecorderIdentity:
    """Identify the calling process."""
    return RecorderIdentity(os.getpid(), _start_time("self") or 0, _boot_id())


def is_gone(recorder: RecorderIdentity, *, same_host: bool) -> bool:
    """Whether a recorder is known to have ended; of one on another machine nothing is known."""
    if recorder == NOBODY:
        return True
    if recorder.boot_id != _boot_id():
        return same_host
    return _start_time(str(recorder.pid)) != recorder.started


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _start_time(pid: str) -> int | None:
    try:
        stat = Path("/proc", pid, "stat").read_bytes()
    except OSError:
        return None
    # The name in parentheses may itself hold spaces and parentheses.
    fields = stat.rpartition(b")")[2].split()
    # A zombie has ended; its parent only has not asked yet.
    return None if fields[0] in (b"Z", b"X") else int(fields[_START_TIME_FIELD])
