"""What the paths were found to be one by one, for the rules that look at several together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from imptrace.db.records import PathRecord
from imptrace.facts.paths import parent_of
from imptrace.judge.known import Known
from imptrace.judge.model import Facts, Level, Method, Reason, SetAside
from imptrace.judge.names import Names
from imptrace.judge.path_facts import PathFacts
from imptrace.judge.places import Place, Places
from imptrace.tracer.events import FileState


class State(NamedTuple):
    """One path that is state, with its level by itself."""

    path: bytes
    facts: PathFacts
    place: Place
    is_private: bool
    """Nobody but the owner can read it: by its own mode, or that of a directory above it."""
    is_file: bool
    """Whether it has content of its own: anything but a directory."""
    known: Known | None = None
    """What the catalogue says about it."""
    level: Level = Level.NORMAL
    reasons: tuple[Reason, ...] = ()
    """Why it has this level."""
    hazards: tuple[Reason, ...] = ()
    """What stands against keeping it by itself."""
    method: Method = Method.BIND
    """How an entry for it alone has to be made."""

    @property
    def inner_names(self) -> tuple[bytes, ...]:
        """The names of the path below its container, without its own."""
        return _names_between(self.place.container, parent_of(self.path))


@lru_cache(maxsize=4096)
def _names_between(container: bytes, directory: bytes) -> tuple[bytes, ...]:
    """The names of a directory below its container; none for the container itself."""
    below = directory[len(container) :].strip(b"/")
    return tuple(below.split(b"/")) if below else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """All paths of the runs, judged one by one, with what judging them needed."""

    facts: Facts
    changed: Mapping[bytes, PathFacts]
    """What somebody asked to change. Sorted by path."""
    looked_at: Mapping[bytes, PathRecord]
    """What nobody did."""
    places: Places
    names: Names
    states: tuple[State, ...]
    """Sorted by path."""
    set_aside: tuple[SetAside, ...]
    made: frozenset[bytes]
    """Directories that the subject made."""
    tagged: frozenset[bytes]
    """Directories with a CACHEDIR.TAG."""
    read_only_beside: frozenset[bytes]
    """Directories with a file that the subject read and never opened for a change."""
    is_private: Callable[[bytes], bool]
    """Whether only its owner may enter a directory, or one above it in its container."""

    def last_seen(self, path: bytes) -> FileState | None:
        """What a path was when it was seen last."""
        facts = self.changed.get(path)
        if facts is not None and facts.state is not None:
            return facts.state
        record = self.looked_at.get(path)
        if record is not None and record.after is not None:
            return record.after
        return self.facts.directories.get(path)

    def is_of_own_user(self, directory: bytes) -> bool:
        """Whether a directory belongs to a user, other than root, that the subject ran as."""
        seen = self.last_seen(directory)
        if seen is None or seen.uid == 0:
            return False
        return any(seen.uid == each.uid for run in self.facts.runs for each in run.processes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """An entry of a container, or a part of it, with what the runs did to it and below it."""

    path: bytes
    place: Place
    states: tuple[State, ...]
    """All that it is or holds."""
    judged: Judged

    @property
    def is_made(self) -> bool:
        """Whether the subject made it."""
        itself = self.judged.changed.get(self.path)
        return itself is not None and bool(itself.created)

    @property
    def changed_by(self) -> frozenset[bytes]:
        """The programs of the subject that changed something of it."""
        return frozenset[bytes]().union(*{state.facts.programs for state in self.states})
