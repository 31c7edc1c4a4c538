"""What a run that was recorded on another machine brought along besides its own records.

The classifier also judges by the users, groups and directories of the machine, and by what other
programs did there. An imported run has them with it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from imptrace.db.records import OtherPrograms, RunRecord
from imptrace.evidence.json_values import (
    Json,
    bytes_from_json,
    bytes_to_json,
    number_from_json,
    path_from_json,
    state_from_json,
    state_to_json,
    text_from_json,
)
from imptrace.judge.model import User
from imptrace.tracer.events import FileState


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The other machine, as far as it matters to the run."""

    system: str | None = None
    """Name and release of its distribution."""
    version: str | None = None
    """Version of the program."""
    users: tuple[User, ...] = ()
    groups: Mapping[int, str] = field(default_factory=dict)
    directories: Mapping[bytes, FileState] = field(default_factory=dict)
    other_uses: Mapping[bytes, OtherPrograms] = field(default_factory=dict)


def brought_along(run: RunRecord) -> Elsewhere | None:
    """Read what an imported run brought along; None for one that was recorded here."""
    return None if run.elsewhere is None else from_json(json.loads(run.elsewhere))


def joined(several: Iterable[Elsewhere]) -> Elsewhere:
    """Join what several runs brought along; of two users with one uid the later counts."""
    users: dict[int, User] = {}
    groups: dict[int, str] = {}
    directories: dict[bytes, FileState] = {}
    other_uses: dict[bytes, OtherPrograms] = {}
    for each in several:
        users.update({user.uid: user for user in each.users})
        groups.update(each.groups)
        directories.update(each.directories)
        other_uses.update(each.other_uses)
    return Elsewhere(
        users=tuple(users.values()), groups=groups, directories=directories, other_uses=other_uses
    )


def to_json(elsewhere: Elsewhere) -> Json:
    """Write it as docs/evidence.md describes `machine`."""
    return {
        "system": elsewhere.system,
        "version": elsewhere.version,
        "users": [
            {"name": each.name, "uid": each.uid, "gid": each.gid, "home": bytes_to_json(each.home)}
            for each in elsewhere.users
        ],
        "groups": [{"gid": gid, "name": name} for gid, name in elsewhere.groups.items()],
        "directories": [
            {"path": bytes_to_json(path), "state": state_to_json(state)}
            for path, state in elsewhere.directories.items()
        ],
        "other_programs": [
            {
                "path": bytes_to_json(path),
                "readers": [bytes_to_json(name) for name in uses.readers],
                "writers": [bytes_to_json(name) for name in uses.writers],
            }
            for path, uses in elsewhere.other_uses.items()
        ],
    }


def from_json(record: Json) -> Elsewhere:
    """Read it. Raises ValueError, KeyError or TypeError if it is of another form."""
    return Elsewhere(
        system=_optional_text(record["system"]),
        version=_optional_text(record["version"]),
        users=tuple(_user(each) for each in record["users"]),
        groups={
            number_from_json(each["gid"]): text_from_json(each["name"]) for each in record["groups"]
        },
        directories={
            path_from_json(each["path"]): state
            for each in record["directories"]
            if (state := state_from_json(each["state"])) is not None
        },
        other_uses={
            path_from_json(each["path"]): OtherPrograms(
                readers=tuple(bytes_from_json(name) for name in each["readers"]),
                writers=tuple(bytes_from_json(name) for name in each["writers"]),
            )
            for each in record["other_programs"]
        },
    )


def _user(record: Json) -> User:
    return User(
        name=text_from_json(record["name"]),
        uid=number_from_json(record["uid"]),
        gid=number_from_json(record["gid"]),
        home=path_from_json(record["home"]),
    )


def _optional_text(value: object) -> str | None:
    return None if value is None else text_from_json(value)
