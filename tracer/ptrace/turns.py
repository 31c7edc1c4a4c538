"""Whose turn it is: while names change their meaning, one call is made at a time.

Between the look at a call and its end another thread may rename a directory on the way. What the
path meant then, and which of the two came first in the record, nobody could tell. So whoever
renames a directory or a symbolic link waits until the calls that were looked at are over, and
whoever comes meanwhile waits for it; none of them for long, as a call may wait for another one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imptrace.tracer._native import Staged

PATIENCE_SECONDS = 0.1
"""How long one call is kept waiting for another one."""


@dataclass(slots=True)
class Thread:
    """A thread that is traced."""

    inside: bool = False
    """Stopped at a call's entry, to be stopped at its exit next."""
    staged: "Staged | None" = None
    """The call it is in, if its result matters."""
    is_slow: bool = False
    """That call was waited for in vain."""


@dataclass(slots=True)
class Turn:
    """A thread that is about to rename what names lead through."""

    mover: int
    end: float = field(default_factory=lambda: time.monotonic() + PATIENCE_SECONDS)
    begun: bool = False
    """Its call is being made."""
    waiting: list[int] = field(default_factory=list)
    """Threads at the entry of a call that was not looked at yet."""

    def is_late(self) -> bool:
        """Whether nobody may be kept waiting any longer."""
        return time.monotonic() > self.end

    def may_begin(self, threads: dict[int, Thread]) -> bool:
        """Whether nobody else is in a call that was looked at, or only who is slow."""
        others = [
            thread
            for tid, thread in threads.items()
            if thread.staged is not None and tid != self.mover and not thread.is_slow
        ]
        if others and not self.is_late():
            return False
        for other in others:
            other.is_slow = True
            _count(other, threads[self.mover].staged)
        return True

    def begin(self) -> None:
        """Its call is made from here on."""
        self.begun = True
        self.end = time.monotonic() + PATIENCE_SECONDS

    def is_over(self, threads: dict[int, Thread]) -> bool:
        """Whether its call has been made, or takes so long that the others go on."""
        mover = threads.get(self.mover)
        if mover is None or mover.staged is None:
            return True
        mover.is_slow = self.is_late()
        return mover.is_slow

    def let_in(self, threads: dict[int, Thread], enter: Callable[[int, Thread], None]) -> None:
        """Look at the calls of those that waited."""
        mover = threads.get(self.mover)
        for tid in self.waiting:
            thread = threads.get(tid)
            if thread is not None:
                enter(tid, thread)
                _count(thread, mover.staged if mover else None)


def _count(other: Thread, move: "Staged | None") -> None:
    if move is not None and other.staged is not None:
        other.staged.moved_by(move)
