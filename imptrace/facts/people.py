"""What must not leave the machine: names of people and hosts. Pure, and shared by all that leaves.

A name counts where it stands as a word: `alice` in `/home/alice` and `alice.conf`, not in `malice`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

ROOT = "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home directory that paths are named relative to."""

    user: str
    path: bytes

    @property
    def is_of_system(self) -> bool:
        """Whether it is root's, whose files are the system's: modules name them by whole paths."""
        return self.user == ROOT


# Names that a host has by default: they say nothing, and stand in the names of common paths.
PUBLIC_HOSTS = frozenset(
    [
        "localhost",
        "localdomain",
        "nixos",
        "debian",
        "ubuntu",
        "fedora",
        "arch",
        "archlinux",
        "linux",
        "host",
    ]
)
PUBLIC_USERS = frozenset({"root", "nobody", "user", "users"})
FIRST_PERSON_UID, NOBODY, NO_UID = 1000, 65_534, 2**32 - 1


@dataclass(frozen=True)
class PrivateNames:
    """The names of one machine's people, their home directories, and of the machine."""

    users: tuple[str, ...] = ()
    homes: tuple[bytes, ...] = ()
    hosts: tuple[str, ...] = ()

    def stand_in(self, text: str | bytes) -> bool:
        """Whether any of the names stands in a text."""
        if isinstance(text, str):
            text = text.encode(errors="surrogateescape")
        return self._pattern.search(text) is not None

    def replaced(self, text: bytes) -> bytes:
        """Give the text with each name replaced, always by the same stand-in."""
        return self._pattern.sub(lambda match: self._stand_ins[match[0].lower()], text)

    @cached_property
    def _stand_ins(self) -> dict[bytes, bytes]:
        """What stands for what. A home's own directory name is mostly its user's."""
        found: dict[bytes, bytes] = {}
        for number, user in enumerate(self.users, start=1):
            found[user.encode(errors="surrogateescape").lower()] = b"user%d" % number
        for number, home in enumerate(self.homes, start=1):
            found.setdefault(home.rsplit(b"/", 1)[-1].lower(), b"home%d" % number)
        for number, host in enumerate(self.hosts, start=1):
            found.setdefault(host.encode(errors="surrogateescape").lower(), b"host%d" % number)
        return {name: stand_in for name, stand_in in found.items() if name}

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        names = sorted(self._stand_ins, key=len, reverse=True)
        if not names:
            return re.compile(rb"(?!)")
        either = b"|".join(map(re.escape, names))
        return re.compile(rb"(?<![0-9A-Za-z])(?:" + either + rb")(?![0-9A-Za-z])", re.IGNORECASE)


def is_person(uid: int) -> bool:
    """Whether a uid may be somebody's.

    Not only those of login.defs: systemd-homed and directories such as LDAP give higher ones.
    """
    return FIRST_PERSON_UID <= uid < NO_UID and uid != NOBODY


def private_names(people: Iterable[tuple[str, bytes]], hosts: Iterable[str]) -> PrivateNames:
    """Collect the names: of people (user and home directory), and of hosts with their domains."""
    known = list(dict.fromkeys(people))
    users = [user for user, _ in known if user and user not in PUBLIC_USERS]
    homes = [home for _, home in known if home.count(b"/") > 1]
    labels = (label for host in hosts for label in _labels(host))
    return PrivateNames(
        users=tuple(dict.fromkeys(users)),
        homes=tuple(dict.fromkeys(homes)),
        hosts=tuple(dict.fromkeys(labels)),
    )


def _labels(host: str) -> Iterator[str]:
    """Yield a host's whole name, then its first label."""
    for name in (host, host.split(".", 1)[0]):
        if name and name.lower() not in PUBLIC_HOSTS:
            yield name
