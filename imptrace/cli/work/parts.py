"""What `--unit`, `--program` and `--user` ask for of a run."""

import os
import pwd

from imptrace.catalogue import shipped
from imptrace.db.records import Part
from imptrace.errors import UsageError


def part_of(unit: str | None, program: str | None, user: str | None) -> Part:
    """Read the options. Raises UsageError for a user that is not there."""
    known = (each for entry in shipped().matching(unit) for each in entry.units) if unit else ()
    return Part(
        units=(unit, *known) if unit else (),
        program=os.fsencode(program) if program else None,
        uid=None if user is None else _uid(user),
    )


def _uid(user: str) -> int:
    if user.isascii() and user.isdigit():
        return int(user)
    try:
        return pwd.getpwnam(user).pw_uid
    except (KeyError, ValueError) as error:
        raise UsageError(f"there is no user {user!r} here; a number is taken as a uid") from error
