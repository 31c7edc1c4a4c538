"""Whether the imptrace that records a run still lives, told apart from a later user of its pid."""

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

from imptrace.tracer import proc


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
    return RecorderIdentity(os.getpid(), proc.started(os.getpid()) or 0, _boot_id())


def is_gone(recorder: RecorderIdentity, *, same_host: bool) -> bool:
    """Whether a recorder is known to have ended; of one on another machine nothing is known."""
    if recorder == NOBODY:
        return True
    if recorder.boot_id != _boot_id():
        return same_host
    return proc.started(recorder.pid) != recorder.started


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
