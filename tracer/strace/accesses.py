"""How a call in a log ended, and the accesses that come of it."""

from errno import errorcode
from functools import cache
from typing import Final, NamedTuple

from imptrace.tracer.events import ABSENT, CHANGES, MAKING_OPS, Access, FileState, Op, Outcome
from imptrace.tracer.strace.lines import Call
from imptrace.tracer.strace.places import LogPlace
from imptrace.tracer.strace.state import (
    LogKnowledge,
    PendingAccess,
    PendingEvents,
    Task,
    access_flags,
)
from imptrace.tracer.syscalls import Syscall, outcome_of


class CallResult(NamedTuple):
    """How a call ended; `ok` only where it surely did what it was asked for."""

    outcome: Outcome
    errno: int
    ok: bool


SUCCESS: Final = CallResult(Outcome.OK, 0, ok=True)
_UNKNOWN: Final = CallResult(Outcome.UNKNOWN, 0, ok=False)
_FAILED: Final = CallResult(Outcome.FAILED, 0, ok=False)
_ERRNO: Final = {name.encode("ascii"): number for number, name in errorcode.items()}


@cache
def _failure(number: int) -> CallResult:
    return CallResult(outcome_of(number), number, ok=False)


def result_of(result: bytes, error: bytes | None) -> CallResult | None:
    """Tell how a call ended; None where it will be made again, and is logged again then.

    `result` and the name of the `error` are as written.
    """
    if error is not None:
        if error.startswith(b"ERESTART"):
            return None
        number = _ERRNO.get(error)
        return _failure(number) if number else _FAILED
    if result == b"?":
        return _UNKNOWN
    return _FAILED if result[:1] == b"-" else SUCCESS


class Invocation(NamedTuple):
    """One call of one of the recorded syscalls."""

    task: Task
    syscall: Syscall
    call: Call
    result: CallResult
    at: int

    def argument(self, position: int | None) -> bytes | None:
        """Return an argument as written; None where there is none."""
        return None if position is None else self.call.arguments[position]


class LoggedAccesses:
    """Adds accesses; knows what the log told of the files before."""

    def __init__(self, entries: PendingEvents) -> None:
        self.known = LogKnowledge()
        self.entries = entries

    def add(
        self, process: int, op: Op, place: LogPlace, result: CallResult, at: int, *, flags: int = 0
    ) -> PendingAccess:
        """Add one access, or count it with an equal one."""
        outcome, errno, ok = result
        combined = flags | place.flags
        before = self.before(place, surely_new=ok and op in MAKING_OPS) if op in CHANGES else None
        if before is None:
            entry = self.entries.repeat((process, op, place.path, outcome, errno, combined), at)
            if entry is not None:
                return entry
        return self.entries.add(
            Access(
                process, op, place.path, None, outcome, at, errno, access_flags(combined), before
            )
        )

    def before(self, place: LogPlace, *, surely_new: bool) -> FileState | None:
        """Tell that nothing was there before the first change of a place, if that is certain."""
        first = self.known.first_change(place.path)
        return ABSENT if first and (surely_new or self.known.is_absent(place.seen)) else None
