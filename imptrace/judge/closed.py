"""Which directories only their owner may enter."""

from collections.abc import Mapping

from imptrace.db.records import PathRecord
from imptrace.facts.paths import parent_of
from imptrace.judge.path_facts import Changed
from imptrace.judge.places import Places
from imptrace.tracer.events import FileState

_FOR_OTHERS = 0o077


class Privacy:
    """Tells what nobody but its owner can read."""

    def __init__(
        self,
        changed: Changed,
        looked_at: Mapping[bytes, PathRecord],
        places: Places,
        directories: Mapping[bytes, FileState],
    ) -> None:
        self._changed = changed
        self._looked_at = looked_at
        self._places = places
        self._as_they_are = directories
        self._directories = {b"/": False}

    def of(self, path: bytes) -> bool:
        """Whether a path, or a directory above it in its container, is closed to others."""
        facts = self._changed.get(path)
        if facts is not None and not facts.is_directory:
            return self._above(path) or _is_closed(self._state(path))
        return self._of_directory(path)

    def _above(self, path: bytes) -> bool:
        return not self._places.is_container(path) and self._of_directory(parent_of(path))

    def _of_directory(self, directory: bytes) -> bool:
        waiting = []
        while directory not in self._directories:
            waiting.append(directory)
            directory = parent_of(directory)
        found = self._directories[directory]
        for each in reversed(waiting):
            above = found and not self._places.is_container(each)
            found = self._directories[each] = above or _is_closed(self._state(each))
        return found

    def _state(self, path: bytes) -> FileState | None:
        facts = self._changed.get(path)
        if facts is not None and facts.state is not None:
            return facts.state
        record = self._looked_at.get(path)
        if record is not None and (record.after or record.before):
            return record.after or record.before
        return self._as_they_are.get(path)


def _is_closed(state: FileState | None) -> bool:
    return state is not None and state.mode != 0 and not state.mode & _FOR_OTHERS
