"""Where paths lie: the directories in which, by convention, each program has its own entry.

FHS 3.0 for the system, the XDG base directories and dot files for homes. A *container* is such a
directory (`/var/lib`, `~/.config`); what stands right below it (`/var/lib/tor`) is an *anchor*:
the one file or directory that by convention holds all that one program has there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from imptrace.db.records import RunDetails
from imptrace.facts.paths import is_within, parent_of, parents_of
from imptrace.facts.people import Home
from imptrace.judge.model import Level, User


class Area(StrEnum):
    """What a container is for."""

    CONFIG = "config"
    DATA = "data"
    STATE = "state"
    CACHE = "cache"
    DOT = "dot"
    """A dot file or dot directory right in a home."""
    DOCUMENT = "document"
    SYSTEM_STATE = "system-state"
    SYSTEM_CACHE = "system-cache"
    LOG = "log"
    SPOOL = "spool"
    ETC = "etc"
    SERVED = "served"
    OTHER = "other"

    @property
    def is_cache(self) -> bool:
        """Whether what is there may be lost by convention."""
        return self in (Area.CACHE, Area.SYSTEM_CACHE)

    @property
    def is_of_home(self) -> bool:
        """Whether programs keep there what is theirs in a home."""
        return self in (Area.CONFIG, Area.DATA, Area.STATE, Area.DOT)

    @property
    def level(self) -> Level:
        """What a path is worth by its place alone."""
        if self.is_cache:
            return Level.TRANSIENT
        return Level.IMPORTANT if self in (Area.DOCUMENT, Area.SERVED) else Level.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one path lies."""

    area: Area
    container: bytes
    anchor: bytes
    """The path's own entry of the container; the path itself if it stands right there."""
    home: Home | None


_SYSTEM: Mapping[bytes, Area] = {
    b"/var/lib": Area.SYSTEM_STATE,
    b"/var/lib/private": Area.SYSTEM_STATE,
    b"/var/lib/misc": Area.SYSTEM_STATE,
    b"/var/lib/systemd": Area.SYSTEM_STATE,
    b"/var/db": Area.SYSTEM_STATE,
    b"/var/games": Area.SYSTEM_STATE,
    b"/var/opt": Area.SYSTEM_STATE,
    b"/var/cache": Area.SYSTEM_CACHE,
    b"/var/cache/private": Area.SYSTEM_CACHE,
    b"/var/log": Area.LOG,
    b"/var/log/private": Area.LOG,
    b"/var/spool": Area.SPOOL,
    b"/var/spool/mail": Area.SERVED,
    b"/var/mail": Area.SERVED,
    b"/var/www": Area.SERVED,
    b"/srv": Area.SERVED,
    b"/etc": Area.ETC,
    b"/var": Area.OTHER,
    b"/opt": Area.OTHER,
}

_XDG: Mapping[str, tuple[bytes, Area]] = {
    "XDG_CONFIG_HOME": (b".config", Area.CONFIG),
    "XDG_DATA_HOME": (b".local/share", Area.DATA),
    "XDG_STATE_HOME": (b".local/state", Area.STATE),
    "XDG_CACHE_HOME": (b".cache", Area.CACHE),
}

_IN_HOME: Mapping[bytes, Area] = {
    b".local": Area.DATA,
    b".local/bin": Area.DATA,
    b".local/lib": Area.DATA,
    b".local/share/applications": Area.DATA,
    b".local/share/icons": Area.DATA,
    b".local/share/mime": Area.DATA,
    b".config/autostart": Area.CONFIG,
    b".config/systemd": Area.CONFIG,
    b".config/systemd/user": Area.CONFIG,
    b".var/app": Area.DATA,
    # What xdg-user-dirs makes: the user's own directories, which no program owns.
    b"Desktop": Area.DOCUMENT,
    b"Documents": Area.DOCUMENT,
    b"Downloads": Area.DOCUMENT,
    b"Music": Area.DOCUMENT,
    b"Pictures": Area.DOCUMENT,
    b"Public": Area.DOCUMENT,
    b"Templates": Area.DOCUMENT,
    b"Videos": Area.DOCUMENT,
}

_SYSTEM_TOPS = (b"/var/lib", b"/var/cache", b"/var/spool", b"/var/run", b"/run", b"/usr", b"/proc")
_NO_HOMES = (b"", b"/", b"/nonexistent", b"/var/empty", b"/dev/null")


class Places:
    """The containers of a system and of the homes that were seen."""

    def __init__(
        self,
        homes: Iterable[Home] = (),
        moved: Mapping[bytes, tuple[Area, Home]] | None = None,
        runtime: Iterable[bytes] = (),
    ) -> None:
        """`moved`: containers that XDG variables name, with the home that they belong to.

        `runtime`: values of XDG_RUNTIME_DIR.
        """
        self.homes = tuple(homes)
        self.runtime = tuple(runtime)
        self._containers: dict[bytes, tuple[Area, Home | None]] = {
            path: (area, None) for path, area in _SYSTEM.items()
        }
        for home in self.homes:
            self._containers[home.path] = (Area.DOT, home)
            for name, area in (*_XDG.values(), *_IN_HOME.items()):
                self._containers[home.path + b"/" + name] = (area, home)
        self._moved = dict(moved or {})
        self._of_directory: dict[bytes, Place] = {}
        self._containers.update(self._moved)

    def is_container(self, path: bytes) -> bool:
        """Whether many programs have their entries right below `path`: so in anybody's home."""
        return path == b"/" or parent_of(path) == b"/home" or path in self._containers

    def home_of(self, path: bytes) -> Home | None:
        """The home directory that a path lies in."""
        return next((home for home in self.homes if is_within(path, home.path)), None)

    def in_home(self, home: Home, path: bytes) -> Iterator[bytes]:
        """Where `path`, written with the default XDG places, is in a home; mapped ones as well."""
        yield home.path + b"/" + path
        for prefix, area in _XDG.values():
            if path.startswith(prefix + b"/"):
                for container, owner in self._moved.items():
                    if owner == (area, home) and container != home.path + b"/" + prefix:
                        yield container + path[len(prefix) :]

    def place_of(self, path: bytes) -> Place:
        """The nearest container above `path`, and its entry there."""
        directory = parent_of(path)
        if self.is_container(directory):
            # Every entry of a container is an anchor of its own.
            return self._place_of(path)
        if directory not in self._of_directory:
            self._of_directory[directory] = self._place_of(path)
        return self._of_directory[directory]

    def _place_of(self, path: bytes) -> Place:
        below = path
        for parent in parents_of(path):
            found = self._containers.get(parent)
            if found is not None:
                area, home = found
                if area is Area.DOT and not below[len(parent) + 1 :].startswith(b"."):
                    area = Area.DOCUMENT
                return Place(area=area, container=parent, anchor=below, home=home)
            below = parent
        return Place(area=Area.OTHER, container=b"/", anchor=below, home=None)


def places_of(runs: Iterable[RunDetails], users: Iterable[User]) -> Places:
    """The places of the users that the recorded processes ran as, and of all people in passwd."""
    runs = tuple(runs)
    by_uid = {user.uid: user for user in users}
    homes = {
        user.home: Home(user=user.name, path=user.home)
        for user in by_uid.values()
        if user.is_person and user.home not in _NO_HOMES
    }
    moved: dict[bytes, tuple[Area, Home]] = {}
    runtime: set[bytes] = set()
    for process in (process for run in runs for process in run.processes):
        user = by_uid.get(process.uid)
        home_path = _clean(process.environ.get("HOME", b""))
        if user is not None and _is_home(home_path, user):
            homes.setdefault(home_path, Home(user=user.name, path=home_path))
        home = homes.get(home_path)
        if home is not None:
            moved.update(_moved(process.environ, home))
        runtime.add(_clean(process.environ.get("XDG_RUNTIME_DIR", b"")))
    innermost_first = sorted(homes.values(), key=lambda home: -len(home.path))
    return Places(innermost_first, moved, (path for path in runtime if path.startswith(b"/")))


def _moved(environ: Mapping[str, bytes], home: Home) -> dict[bytes, tuple[Area, Home]]:
    """The containers that the XDG variables of one process name."""
    return {
        _clean(environ[variable]): (area, home)
        for variable, (_, area) in _XDG.items()
        # The specification: relative paths are to be ignored.
        if _clean(environ.get(variable, b"")).startswith(b"/")
    }


def _is_home(path: bytes, user: User) -> bool:
    """Whether $HOME says where a person's files are, rather than a service its directory."""
    return (
        path.startswith(b"/")
        and path not in _NO_HOMES
        and user.is_person
        and not any(is_within(path, top) for top in _SYSTEM_TOPS)
    )


def _clean(path: bytes) -> bytes:
    return path.rstrip(b"/") if len(path) > 1 else path
