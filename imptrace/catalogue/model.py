"""The records that catalogue files are read into; docs/catalogue.md explains every key."""

from dataclasses import dataclass
from enum import StrEnum

from imptrace.errors import UsageError
from imptrace.facts.levels import Kind, Level
from imptrace.facts.patterns import INSTANCE_NAME


class CatalogueError(UsageError):
    """A catalogue file is wrong; the message names file and line."""

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}:{line}: {problem}")
        self.file = file
        self.line = line
        self.problem = problem


class EntryPlace(StrEnum):
    """Where the paths of an entry are: below / or below a home directory."""

    SERVICE = "service"
    HOME = "home"


class Written(StrEnum):
    """How its program writes a file."""

    IN_PLACE = "in-place"
    RENAME = "rename"
    """A new file is renamed over it: neither a bind mount nor a symbolic link survives that."""
    LINK = "link"
    """Replaced where a symbolic link leads to, while the link stands: a bind mount would fail."""
    IF_ABSENT = "if-absent"
    """Made only when it is not there: an empty file that was put there first breaks that."""


class NeverWhy(StrEnum):
    """Why a path must not be kept."""

    RUNTIME = "runtime"
    TEMPORARY = "temporary"
    LOCK = "lock"
    SOCKET = "socket"
    DECLARATIVE = "declarative"
    REGENERATED = "regenerated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """An option whose value, put between `prefix` and `suffix`, takes the place of a path."""

    option: str
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPath:
    """One path that is worth keeping, or that others know as the same data."""

    path: bytes
    """Absolute; relative to the home directory in home entries. Holds `*` only in a home
    entry's deeper paths, and `<name>` only in `Entry.instances`."""
    kind: Kind
    level: Level
    user: str | None = None
    """Owner of the path itself, where known; then group and permission bits (0o7777)."""
    group: str | None = None
    mode: int | None = None
    follows: Follows | None = None
    before_follows: bytes | None = None
    """Where it is with releases that lack the option `follows`."""
    written: Written = Written.IN_PLACE
    early_boot: bool = False
    since_state_version: str | None = None
    before_state_version: str | None = None
    elsewhere: tuple[bytes, ...] = ()
    """The same data with other distributions or versions; may hold `*` and `?`."""
    repos: int | None = None
    """How many of the 138 counted public configurations keep it."""
    note: str | None = None
    dump: str | None = None
    """The shell command that dumps the database in it while that runs: to standard output, or to
    what stands as `FILE` or `DIRECTORY` in it. In `Entry.instances`: of the nameless one."""
    each: str | None = None
    """Attribute set whose names the instances have; only in `Entry.instances`."""

    @property
    def is_pattern(self) -> bool:
        """Whether `path` stands for many paths, so that Nix cannot mount it."""
        return b"*" in self.path or INSTANCE_NAME in self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverPath:
    """A path, and all below it, that looks like state and must not be kept.

    Where a deeper kept path matches as well, the deeper one wins.
    """

    path: bytes
    """As in `KeptPath`; may hold `*` and `?`, which stand for characters of one name."""
    why: NeverWhy
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One service, or one program of a home directory."""

    id: str
    place: EntryPlace
    title: str
    option: str | None = None
    enable: tuple[str, ...] = ()
    """Options, any of which switches it on; empty: always on."""
    requires: tuple[str, ...] = ()
    """Options that must be on besides, where they exist."""
    aliases: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    """Unit names; `*` stands for an instance's name."""
    programs: tuple[str, ...] = ()
    user: str | None = None
    group: str | None = None
    dynamic_user: bool = False
    note: str | None = None
    known: str | None = None
    """How it is known: `recorded: PROGRAM VERSION`, or `document: WHICH`."""
    includes: tuple[str, ...] = ()
    """Ids of entries of the same place that belong to this one."""
    persist: tuple[KeptPath, ...] = ()
    instances: tuple[KeptPath, ...] = ()
    """One path per named instance: never to be written out as it stands."""
    shared: tuple[KeptPath, ...] = ()
    """Used by others as well: only ever suggested."""
    never: tuple[NeverPath, ...] = ()

    @property
    def file(self) -> str:
        """Where it is written, relative to the repository."""
        return f"nix/{FOLDERS[self.place]}/{self.id}.toml"


FOLDERS = {EntryPlace.SERVICE: "services", EntryPlace.HOME: "home"}
