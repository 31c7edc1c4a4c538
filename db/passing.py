"""Names that came and went: what a run of the whole machine need not keep of them all.

A desktop makes and removes a hundred thousand temporary files a day. What they tell (that files of
such names come and go here) a few of each directory tell as well.
"""

KEPT = 8
"""Names that came and went, of each directory; the first ones, so that one that comes again and
again (a journal, a lock) is among them."""


class Passing:
    """Chooses the names that are to be forgotten."""

    def __init__(self, kept: int = KEPT) -> None:
        """`kept`: of each directory."""
        self._most = kept
        self._new: set[bytes] = set()
        self._kept: dict[bytes, set[bytes]] = {}
        self.dropped: dict[bytes, None] = {}
        """What is to be forgotten, whether it was stored or not."""

    def made(self, path: bytes) -> None:
        """Note that nothing was there before what is there, or comes, now."""
        self._new.add(path)

    def gone(self, path: bytes) -> list[bytes]:
        """Note that nothing is there any longer; returns what is to be forgotten for that."""
        if path not in self._new:
            return []
        kept = self._kept.setdefault(path.rpartition(b"/")[0], set())
        if path in kept:
            return []
        if len(kept) < self._most:
            kept.add(path)
            return []
        dropped = []
        waiting = [path]
        while waiting:
            each = waiting.pop()
            dropped.append(each)
            self._new.discard(each)
            waiting += self._kept.pop(each, ())
        self.dropped.update(dict.fromkeys(dropped))
        return dropped
