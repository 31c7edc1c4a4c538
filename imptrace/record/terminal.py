"""Standing in the terminal for the program: signals, stops, and dying the same death.

imptrace, the supervisor and the program share a process group, so whatever the terminal sends
reaches the program by itself, and so does what somebody sends to the group. What is sent to
imptrace alone is meant for the program. The supervisor tells the two apart: nobody knows it, so
that what it gets was sent to the group.
"""

import math
import os
import resource
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import get_ident
from typing import TYPE_CHECKING

from imptrace.tracer import proc

if TYPE_CHECKING:
    from imptrace.record.session import Session

FORWARDED = frozenset(
    {
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGTERM,
        signal.SIGUSR1,
        signal.SIGUSR2,
    }
)
_ATTENDED = FORWARDED | {signal.SIGCHLD}
_TURN_SECONDS = 3600.0
"""How long one wait for signals lasts."""
_LETTING_GO_SECONDS = 3.0
"""How long a tracer that waits for a file system may keep us; it ends when we do."""
_GROUP_SECONDS = 0.03
"""Who sends a signal to imptrace first and to the group then, as timeout(1) does, needs no longer
for that, unless the machine is busy."""
_BUSY_SECONDS = 0.5
"""How long such a sender, or the supervisor that is to count the signal, may be kept waiting."""


def hold_signals() -> list[int]:
    """Keep signals for `attend` to take; returns those that were blocked before.

    To be called before the program starts, which must not inherit the mask.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ATTENDED)
    return [int(number) for number in before]


def release_signals(blocked: list[int]) -> None:
    """Undo `hold_signals`."""
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def waker() -> Callable[[], None]:
    """Return a function that wakes `attend` from any thread. To be called by the main thread."""
    main = get_ident()
    return lambda: signal.pthread_kill(main, signal.SIGCHLD)


def attend(
    session: "Session", *, program: int, supervisor: int, counted: Callable[[int], int]
) -> None:
    """Stand by until everything is stored, passing signals and stops on to the program.

    `counted` tells how often the supervisor got a signal.
    """
    group = _ProcessGroup(supervisor, counted)
    while not session.finished.is_set():
        info = signal.sigwaitinfo(_ATTENDED)
        if info.si_signo != signal.SIGCHLD:
            _received(info, session, program, group)
        elif session.stopped:
            session.stopped = False
            _stop_with(program)
        elif _has_ended(supervisor):
            session.stop()


@dataclass(slots=True)
class Chore:
    """What is to be done every so often while something is recorded."""

    seconds: float
    do: Callable[[], None]
    due: float = field(init=False)

    def __post_init__(self) -> None:
        """Wait first."""
        self.due = time.monotonic() + self.seconds

    def do_if_due(self) -> None:
        """Do it, where it is time for that."""
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + self.seconds
            self.do()


def attend_attached(
    session: "Session",
    let_go: Callable[[], None],
    *,
    tracer: int,
    seconds: float | None,
    chores: Sequence[Chore] = (),
) -> None:
    """Stand by until all that is traced has ended; a signal, or the time, lets go of it before.

    `tracer` is the child of ours that traces; 0 where there is none.
    """
    end = math.inf if seconds is None else time.monotonic() + seconds
    letting_go = False
    while not session.finished.is_set():
        due = min((chore.due for chore in chores), default=math.inf)
        left = max(end - time.monotonic(), 0)
        turn = max(min(left, _TURN_SECONDS, due - time.monotonic()), 0)
        info = signal.sigtimedwait(_ATTENDED, turn)
        if info is None and end > time.monotonic():
            for chore in chores:
                chore.do_if_due()
            continue
        if info is not None and info.si_signo == signal.SIGCHLD:
            if tracer and _has_ended(tracer):
                session.stop()
        elif letting_go:
            session.stop()  # asked for twice, or it takes too long: what was read must do
            end = math.inf
        else:
            letting_go, end = True, time.monotonic() + _LETTING_GO_SECONDS
            let_go()


class _ProcessGroup:
    """The process group of imptrace, supervisor and, unless it chose another one, program."""

    def __init__(self, supervisor: int, counted: Callable[[int], int]) -> None:
        self._supervisor = supervisor
        self._counted = counted
        self._seen: dict[int, int] = {}

    def got(self, number: int, sender: int) -> bool:
        """Whether the signal that imptrace got just now was sent to all of the group."""
        since = time.monotonic()
        while True:
            # The supervisor counts first and takes then: one of the two always tells.
            pending = _is_pending(self._supervisor, number)
            if self._counted(number) != self._seen.get(number, 0):
                self._seen[number] = self._counted(number)
                break
            waited = time.monotonic() - since
            if pending and waited > _BUSY_SECONDS:
                self._seen[number] = self._counted(number) + 1  # when it gets to it
                break
            may_go_on = waited < _BUSY_SECONDS and proc.state(sender) == "R"
            if not pending and waited > _GROUP_SECONDS and not may_go_on:
                return False
            time.sleep(0.001)
        signal.sigtimedwait({number}, 0.001)  # it may have been sent to us alone as well
        return True


def _received(
    info: signal.struct_siginfo, session: "Session", program: int, group: _ProcessGroup
) -> None:
    if session.ended is not None:
        session.stop()  # only children are still waited for, and no longer
        return
    if not _is_in_our_group(program):
        if info.si_code > 0:
            _kill(-program, info.si_signo)  # from our terminal, which is not that of its session
        else:
            _kill(program, info.si_signo)
    elif not group.got(info.si_signo, info.si_pid) and not _is_for_foreground(info):
        _kill(program, info.si_signo)


def _is_for_foreground(info: signal.struct_siginfo) -> bool:
    """Whether the kernel sent it to the terminal's whole foreground group, as Ctrl-C.

    That its terminal is gone is told to the leader of a session alone, as which imptrace stands
    where the program would.
    """
    return info.si_code > 0 and info.si_signo != signal.SIGHUP


def _stop_with(program: int) -> None:
    """Stop as the program did, so that the shell sees its job stopped; go on with it."""
    # Stopped by the terminal, imptrace was stopped too, and is reading this after both went on.
    if proc.state(program) not in ("T", "t"):
        return
    os.kill(os.getpid(), signal.SIGSTOP)
    _kill(program, signal.SIGCONT)


def _is_in_our_group(pid: int) -> bool:
    try:
        return os.getpgid(pid) == os.getpgrp()
    except ProcessLookupError:
        return True  # nobody is left to get it


def _is_pending(pid: int, number: int) -> bool:
    """Whether a process has a signal that it has not taken yet."""
    fields = proc.status(pid)
    pending = int(fields.get("SigPnd", "0"), 16) | int(fields.get("ShdPnd", "0"), 16)
    return bool(pending >> (number - 1) & 1)


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # it ended meanwhile, or became another user


def _has_ended(supervisor: int) -> bool:
    try:
        pid, _ = os.waitpid(supervisor, os.WNOHANG)
    except ChildProcessError:
        return True
    return pid == supervisor


def die_by(number: int) -> None:
    """End by the signal that ended the program, as its parent would have seen; without a core."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
