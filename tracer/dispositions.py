"""Signals that Python ignores for itself, of which a program is to find what its starter wanted.

Nobody tells what they were before Python began. A shell, or the service manager, that ignores one
hands that on to whatever it starts, so that it is the one to ask; other programs may ignore a
signal and set it back for their children.
"""

import os
import signal
from types import FrameType

from imptrace.tracer import proc

TAKEN = (signal.SIGPIPE, signal.SIGXFSZ)
_HANDING_ON = frozenset(
    {"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox", "systemd", "init"}
)


def hand_on() -> None:
    """Let the next program that is executed find them as they were. In the main thread only."""
    ignored = _ignored_by(os.getppid())
    for number in TAKEN:
        # A handler does not outlast an exec. Whoever writes to a closed pipe is told all the same.
        signal.signal(number, signal.SIG_IGN if number in ignored else _nothing)


def expect_children() -> None:
    """Be told how children end, even if nobody wanted that. The program finds it as it was."""
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _nothing(number: int, frame: FrameType | None) -> None:
    del number, frame


def _ignored_by(pid: int) -> set[int]:
    fields = proc.status(pid)
    if fields.get("Name") not in _HANDING_ON:
        return set()
    bits = int(fields.get("SigIgn", "0"), 16)
    return {number for number in TAKEN if bits >> (number - 1) & 1}
