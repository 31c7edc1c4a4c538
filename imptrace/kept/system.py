"""The users and their places of a system, be it this one or a tree of files."""

import os
import pwd
from collections.abc import Iterator

from imptrace.facts.people import Home
from imptrace.judge.model import User
from imptrace.judge.places import Places
from imptrace.kept.walk import Tree

_FIELDS = 7
_NO_HOMES = (b"", b"/", b"/nonexistent", b"/var/empty", b"/dev/null")


def users_of(tree: Tree) -> tuple[User, ...]:
    """List who has an account: of this system as it says, of a tree as its passwd does."""
    if not tree.base:
        return tuple(
            User(name=each.pw_name, uid=each.pw_uid, gid=each.pw_gid, home=os.fsencode(each.pw_dir))
            for each in pwd.getpwall()
        )
    return tuple(_accounts(tree))


def places_of_users(users: tuple[User, ...]) -> Places:
    """Where the homes of people are, the innermost first."""
    homes = {
        user.home: Home(user=user.name, path=user.home)
        for user in users
        if user.is_person and user.home not in _NO_HOMES
    }
    return Places(sorted(homes.values(), key=lambda home: -len(home.path)))


def _accounts(tree: Tree) -> Iterator[User]:
    for line in tree.read_text("/etc/passwd").splitlines():
        fields = line.split(":")
        if len(fields) >= _FIELDS and fields[2].isdigit() and fields[3].isdigit():
            name, home = fields[0], os.fsencode(fields[5])
            yield User(name=name, uid=int(fields[2]), gid=int(fields[3]), home=home)
