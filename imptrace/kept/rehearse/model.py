"""What is rehearsed, and what came of it: plain records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from imptrace.facts.levels import Kind, Level


class How(StrEnum):
    """How the back end would put a kept path in its place."""

    BIND = "bind"
    SYMLINK = "symlink"
    COPY = "copy"
    """Copied in before a start and out after it: for a file that its program replaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """One path that is kept."""

    path: bytes
    kind: Kind
    how: How = How.BIND
    level: Level | None = None
    user: str | None = None
    group: str | None = None
    mode: int | None = None


class Launch(NamedTuple):
    """One start of the program, recorded by whoever gives the function."""

    command: tuple[str, ...]
    label: str
    database: str


Launcher = Callable[[Launch], int]
"""Starts and records a program where it is called; answers with its exit code, or dies as it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to rehearse."""

    first: tuple[str, ...]
    again: tuple[str, ...]
    keeps: tuple[Keep, ...]
    hidden: tuple[bytes, ...]
    """State that is there now, and would be gone on a fresh machine."""
    home: bytes
    storage: bytes = b"/persistent"
    seconds: float = 120
    interactive: bool = False
    existing: bool = False
    """Begin with what is there now, in the store as well, and not with a fresh machine."""


class Thing(NamedTuple):
    """A file, link or directory that a start left behind."""

    kind: str
    """file, directory or link."""
    uid: int
    gid: int
    mode: int
    mark: str
    """A digest of its contents, or where it leads to."""


class Start(NamedTuple):
    """How one start of the program ended."""

    label: str
    code: int
    """Its exit code; negative: the signal that killed it."""
    was_ended: bool
    """Whether it ran until its time was over."""
    stderr: str


@dataclass(slots=True, kw_only=True)
class Rehearsed:
    """All that is known after a rehearsal, but what the recordings say."""

    starts: list[Start]
    reference: Mapping[bytes, Thing] = field(default_factory=dict)
    """What two starts leave on a machine that is never wiped."""
    made: Mapping[bytes, Thing] = field(default_factory=dict)
    """What the first start left outside of what is kept: all of it is wiped."""
    kept: Mapping[bytes, Thing] = field(default_factory=dict)
    """What the store has after both starts."""

    def start(self, label: str) -> Start:
        """Find a start."""
        return next(each for each in self.starts if each.label == label)


class Trouble(StrEnum):
    """What can be wrong with what is kept."""

    LOST = "lost"
    """State that the second start looked for in vain, or made anew."""
    REPLACED = "replaced"
    """A file that its program replaces is a mount point or a link."""
    OWNER = "owner"
    LEVEL = "level"
    EXIT = "exit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that did not come back as it was, or fits badly."""

    trouble: Trouble
    path: bytes
    words: str
    level: Level | None = None
