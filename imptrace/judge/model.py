"""What the classifier answers with: immutable records that carry their reasons as data.

One `Verdict` or `SetAside` per path that was seen, and a short list of `Recommendation`s, the
fewest directories and files that keep all of the subject's own state. `Advice` holds them all.
Paths are bytes, absolute, without a trailing slash. `imptrace.render.reasons` has the words.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from imptrace.catalogue import Entry
from imptrace.db.records import OtherPrograms, RunDetails
from imptrace.facts.levels import Kind, Level
from imptrace.facts.people import Home, is_person
from imptrace.tracer.events import FileState

__all__ = [
    "Advice",
    "Figure",
    "Kind",
    "Level",
    "Method",
    "Reason",
    "Recommendation",
    "RehearsalShown",
    "Scope",
    "SetAside",
    "Subject",
    "Verdict",
    "Why",
]

Figure = int | float | str | bytes | tuple[bytes, ...] | tuple[str, ...]


class Scope(StrEnum):
    """Whose a path is."""

    OWNED = "owned"
    """The subject's own: granted by default."""
    SHARED = "shared"
    """Others use it too: only ever suggested."""


class Method(StrEnum):
    """How a recommended path can be kept without breaking its program."""

    BIND = "bind"
    """As a bind mount: always right for a directory, right for a file changed in place."""
    SYMLINK = "symlink"
    """As a symbolic link: the program must be able to see that the file is absent."""
    NONE = "none"
    """No entry of its own works: its program replaces it, and its directory is not the
    subject's to keep. The reasons name the remedy."""


class Why(StrEnum):
    """Why a path was set aside."""

    VIRTUAL = "virtual"
    """On a file system that the kernel makes up (proc, sysfs, devices)."""
    STORE = "store"
    """In the Nix store, or a link into it."""
    DECLARATIVE = "declarative"
    """Managed by the system's own configuration."""
    RUNTIME = "runtime"
    TEMPORARY = "temporary"
    """In a temporary directory, or a temporary name that was replaced or removed."""
    PERSISTENT = "persistent"
    """On a mount that survives already."""
    LOCK = "lock"
    """A lock or pid file: harmful when it outlives its process."""
    SOCKET = "socket"
    """A socket or fifo."""
    DEVICE = "device"
    READ_ONLY = "read-only"
    """Read or looked at, never changed."""
    UNCHANGED = "unchanged"
    """Opened for a change that did not happen."""
    VANISHED = "vanished"
    """Gone when the run ended."""
    EMPTY = "empty"
    """A directory with nothing in it that is state."""
    PACKAGE = "package"
    """Part of the installed system: programs, libraries, package data."""
    NEVER = "never"
    """The catalogue says that it must not be kept."""
    PRIVATE_MOUNT = "private-mount"
    """On a mount that only the program could see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One step of the chain that led to a verdict."""

    code: str
    """Stable; a member of `imptrace.judge.codes.Code`."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """What the words are filled with: counts, paths, names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom the advice is for."""

    program: bytes | None
    """Base name of the program that was run; None when nothing was recorded."""
    service: str | None = None
    """Id of its catalogue entry, or of the service as the user named it."""
    option: str | None = None
    """Its NixOS or home-manager option path."""
    home: Home | None = None
    """The home directory that most of it is about; None for a system service."""

    @property
    def name(self) -> str:
        """What it is called: a service, a program, or the option of neither."""
        program = os.fsdecode(self.program) if self.program else None
        return self.service or program or self.option or "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one path of the recordings is: state of the subject, or shared with others."""

    path: bytes
    kind: Kind
    scope: Scope
    level: Level
    confidence: float
    """0 to 1."""
    reasons: tuple[Reason, ...]


class SetAside(NamedTuple):
    """A path that need not or must not persist."""

    path: bytes
    why: Why
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NixosPlace:
    """Where NixOS keeps what was seen in another distribution's place."""

    path: bytes
    is_pattern: bool
    """The path stands for many, whose names the configuration gives: none can be written."""
    kind: Kind
    user: str | None
    group: str | None
    mode: int | None
    method: Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One directory or file to keep."""

    path: bytes
    kind: Kind
    scope: Scope
    level: Level
    user: str | None
    """Owner of the path itself; None where nobody knows."""
    group: str | None
    mode: int | None
    """Permission bits, 0o7777."""
    confidence: float
    """0 to 1."""
    observed: bool
    """False: only declared, by the catalogue or by the unit."""
    covers: int
    """How many recorded paths it keeps, itself included."""
    reasons: tuple[Reason, ...]
    """The main one first."""
    method: Method = Method.BIND
    home: Home | None = None
    """The home directory that it lies in."""
    used_by: tuple[bytes, ...] = ()
    """Other programs that use it, sorted; for shared paths."""
    on_nixos: NixosPlace | None = None
    """Set where the path is another distribution's: this is what NixOS has to keep."""


class RehearsalShown(NamedTuple):
    """What the newest rehearsal has shown."""

    verdict: str
    """came-back, misfit or lost."""
    at_ns: int
    unit: str | None
    is_current: bool
    """Whether it was of this very advice; else of a former one, and proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The whole answer about one subject."""

    subject: Subject
    runs: tuple[int, ...]
    """Ids of the runs that it rests on; empty when nothing was recorded."""
    recommendations: tuple[Recommendation, ...]
    """Attributed ones first, each group sorted by path."""
    set_aside: tuple[SetAside, ...]
    """Sorted by path."""
    verdicts: tuple[Verdict, ...] = ()
    """Sorted by path: what --explain answers from."""
    warnings: tuple[Reason, ...] = ()
    """What the user should know about the whole: events lost, nothing observed, ..."""
    rehearsed: RehearsalShown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A line of passwd."""

    name: str
    uid: int
    gid: int
    home: bytes

    @property
    def is_person(self) -> bool:
        """Whether somebody logs in as this user; nobody (65534) is nobody."""
        return self.uid == 0 or is_person(self.uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that a judgement rests on: the runs, and all that is known besides them."""

    runs: tuple[RunDetails, ...] = ()
    """Oldest first."""
    users: tuple[User, ...] = ()
    groups: Mapping[int, str] = field(default_factory=dict)
    entry: Entry | None = None
    """The subject's own catalogue entry."""
    included: tuple[Entry, ...] = ()
    """Entries that belong to the subject's own."""
    entries: tuple[Entry, ...] = ()
    """Every entry that a program of the recordings has, the subject's own included."""
    other_entries: tuple[Entry, ...] = ()
    """Entries of programs that did not run, in whose places something was changed all the same."""
    other_uses: Mapping[bytes, OtherPrograms] = field(default_factory=dict)
    """By path: only paths that some other program of the database used."""
    directories: Mapping[bytes, FileState] = field(default_factory=dict)
    """Directories above what was changed, as they are now."""
    home: Home | None = None
    """The home directory that a home entry is about when nothing was recorded."""
    unit_properties: Mapping[str, str] = field(default_factory=dict)
    """What the running unit declares, where systemd was asked."""
    links: Mapping[bytes, bytes] = field(default_factory=dict)
    """Symbolic links that stood before the runs and still do, by the changed file they lead to."""
