"""Which access a repeat is of: by number, as long as its process lives.

A machine starts processes for ever, and a process may use paths without end: what is remembered
follows the processes that run, not all that ever ran, and goes no further back than recorders do.
"""

from array import array
from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")

GRACE_NS: Final = 2_000_000_000
"""Repeats of what a process did come this long after its end: eight times as late as they do."""
WINDOW: Final = 1 << 18
"""No recorder repeats anything before so many others: REPEATED_MAX in records.h."""
_BITS: Final = 8
_SIZE: Final = 1 << _BITS
_LAST: Final = _SIZE - 1
_SPARSE: Final = _SIZE // 8


class NumberedFacts(Generic[T]):
    """Facts by number; numbers count from 1. They lie in blocks, which go when all in them did."""

    def __init__(self) -> None:
        """Know nothing."""
        self.last = 0
        """The newest number."""
        self._block: list[T | None] = [None] * _SIZE
        self._blocks: dict[int, list[T | None] | dict[int, T]] = {0: self._block}
        self._live: dict[int, int] = {0: _LAST}
        self._of: dict[int, array[int]] = {}
        self._ended: deque[tuple[int, int]] = deque()

    def __len__(self) -> int:
        """Count what is known."""
        return sum(map(len, self._of.values()))

    def add(self, process: int, fact: T) -> int:
        """Remember a fact of a process under the next number."""
        number = self.last = self.last + 1
        if not number & _LAST:
            self._begin_block(number >> _BITS, process)
        self._block[number & _LAST] = fact
        try:
            self._of[process].append(number)
        except KeyError:
            self._of[process] = array("Q", (number,))
        return number

    def get(self, number: int) -> T | None:
        """Find a fact; None if its process was forgotten."""
        block = self._blocks.get(number >> _BITS)
        if isinstance(block, list):
            return block[number & _LAST]
        return None if block is None else block.get(number & _LAST)

    def ended(self, process: int, at: int) -> None:
        """Forget what a process did, some time after its end; and those that ended before."""
        self._ended.append((at, process))
        while self._ended[0][0] + GRACE_NS < at:
            self._forget(self._ended.popleft()[1])

    def _begin_block(self, index: int, process: int) -> None:
        self._tidy(index - 1)
        self._drop(index - (WINDOW >> _BITS))
        numbers = self._of.get(process)
        if numbers is not None and len(numbers) > 2 * WINDOW:
            del numbers[:-WINDOW]
        self._block = [None] * _SIZE
        self._blocks[index] = self._block
        self._live[index] = _SIZE

    def _forget(self, process: int) -> None:
        current = self.last >> _BITS
        for number in self._of.pop(process, ()):
            index = number >> _BITS
            block = self._blocks.get(index)
            if block is None:
                continue
            if isinstance(block, list):
                block[number & _LAST] = None
            else:
                block.pop(number & _LAST, None)
            self._live[index] -= 1
            if index != current and self._live[index] <= _SPARSE:
                self._tidy(index)

    def _drop(self, index: int) -> None:
        self._blocks.pop(index, None)
        self._live.pop(index, None)

    def _tidy(self, index: int) -> None:
        """Make a full block as small as what is left of it."""
        block, live = self._blocks[index], self._live[index]
        if not live:
            del self._blocks[index], self._live[index]
        elif live <= _SPARSE and isinstance(block, list):
            left = {place: fact for place, fact in enumerate(block) if fact is not None}
            self._blocks[index] = left
