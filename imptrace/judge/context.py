"""What the classifier knows besides the recordings: users, the catalogue, other programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from imptrace.catalogue import Entry
from imptrace.db.records import OtherPrograms, RunDetails
from imptrace.facts.people import Home, is_person
from imptrace.tracer.events import FileState


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
class Context:
    """All that is known besides the recordings themselves."""

    users: tuple[User, ...] = ()
    groups: Mapping[int, str] = field(default_factory=dict)
    entry: Entry | None = None
    """The subject's own catalogue entry."""
    included: tuple[Entry, ...] = ()
    """Entries that belong to the subject's own."""
    entries: tuple[Entry, ...] = ()
    """Every entry that a program of the recordings has, the subject's own included."""
    other_uses: Mapping[bytes, OtherPrograms] = field(default_factory=dict)
    """By path: only paths that some other program of the database used."""
    directories: Mapping[bytes, FileState] = field(default_factory=dict)
    """Directories above what was changed, as they are now."""
    home: Home | None = None
    """The home directory that a home entry is about when nothing was recorded."""
    unit_properties: Mapping[str, str] = field(default_factory=dict)
    """What the running unit declares, where systemd was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that a judgement rests on: the runs, oldest first, and the context."""

    runs: tuple[RunDetails, ...]
    context: Context
