"""Where the paths that a run changed lie now, so that a directory's rename finds what it carries.

A rename of a directory moves everything below it without a call of its own. Looking for that among
all changed paths at each rename would be quadratic for programs that rename much, so each directory
knows its children. Only paths that were changed and the directories above them are here.
"""

from collections.abc import Iterator

Carried = list[tuple[bytes, bytes]]
"""(old name, new name) of each changed path below a renamed directory."""


class ChangedTree:
    """The changed paths that are believed to exist, by directory."""

    def __init__(self) -> None:
        self._paths: set[bytes] = set()
        self._children: dict[bytes, set[bytes]] = {}
        # Where the contents of a directory went by the newest rename that took them.
        self._moved_to: dict[bytes, bytes] = {}

    def __contains__(self, path: bytes) -> bool:
        return path in self._paths

    def add(self, path: bytes) -> None:
        """Note that a path was changed and may exist."""
        self._paths.add(path)
        while True:
            parent = path.rpartition(b"/")[0]
            siblings = self._children.get(parent)
            if siblings is None:
                self._children[parent] = {path}
            elif path in siblings:
                return
            else:
                siblings.add(path)
                return
            if not parent:
                return
            path = parent

    def discard(self, path: bytes) -> None:
        """Note that a path is gone."""
        self._paths.discard(path)
        if path not in self._children:
            self._unlink(path)

    def rename(self, old: bytes, new: bytes) -> Carried:
        """Move `old` and what is below it to `new`; returns what came along.

        A recorder may not know whether a rename succeeded. A second rename of a directory that
        nobody made anew says that the first one failed: its contents are taken from where that put
        them.
        """
        source = old
        if old not in self._paths and old not in self._children:
            source = self._moved_to.get(old, old)
        below = self._take(source)
        if below:
            self._moved_to[old] = new
        self._take(new)
        self._paths.discard(source)
        self._unlink(source)
        return self._put(old, new, source, below)

    def exchange(self, one: bytes, other: bytes) -> Carried:
        """Swap `one` and `other` and what is below them; returns what came along, both ways."""
        below_one, below_other = self._take(one), self._take(other)
        return self._put(one, other, one, below_one) + self._put(other, one, other, below_other)

    def _put(self, old: bytes, new: bytes, source: bytes, below: list[bytes]) -> Carried:
        self.add(new)
        carried = [(old + path[len(source) :], new + path[len(source) :]) for path in below]
        for _, path in carried:
            self.add(path)
        return carried

    def _take(self, directory: bytes) -> list[bytes]:
        """Remove what is below a directory; returns its changed paths."""
        taken = [path for path in self._below(directory) if path in self._paths]
        self._paths.difference_update(taken)
        return taken

    def _below(self, directory: bytes) -> Iterator[bytes]:
        waiting = [directory]
        while waiting:
            children = self._children.pop(waiting.pop(), ())
            waiting.extend(children)
            yield from children

    def _unlink(self, path: bytes) -> None:
        parent = path.rpartition(b"/")[0]
        siblings = self._children.get(parent)
        if siblings is not None:
            siblings.discard(path)
            if not siblings:
                del self._children[parent]
