"""Declarations are read from entries of the catalogue and from configurations as JSON."""

import json

import pytest

from imptrace.catalogue.model import Entry, EntryPlace, KeptPath
from imptrace.errors import UsageError
from imptrace.facts.levels import Kind, Level
from imptrace.facts.people import Home
from imptrace.kept.compare import Declared, Observed
from imptrace.kept.declared import declared_by_configuration, declared_by_entry

NORMAL = Level.NORMAL


def kept(path: bytes, level: Level = NORMAL, **more: object) -> KeptPath:
    """Make a path of an entry."""
    return KeptPath(path=path, kind=Kind.DIRECTORY, level=level, **more)


def entry(place: EntryPlace, *persist: KeptPath, instances: tuple[KeptPath, ...] = ()) -> Entry:
    """Make an entry."""
    return Entry(id="x", place=place, title="X", persist=persist, instances=instances)


def seen(*paths: bytes) -> list[Observed]:
    """Observe directories."""
    return [Observed(path=path, kind=Kind.DIRECTORY, level=NORMAL) for path in paths]


def paths(declared: list[Declared]) -> list[bytes]:
    """List the paths of declarations."""
    return [each.path for each in declared]


def test_an_entry_declares_its_paths() -> None:
    """As they stand, whether or not they were observed."""
    found = declared_by_entry(
        entry(EntryPlace.SERVICE, kept(b"/var/lib/x", Level.SECRET)), None, []
    )
    assert found == [Declared(path=b"/var/lib/x", kind=Kind.DIRECTORY, level=Level.SECRET)]


def test_home_paths_are_below_the_home() -> None:
    """Of the user whom the advice is about."""
    found = declared_by_entry(
        entry(EntryPlace.HOME, kept(b".x")), Home(user="u", path=b"/home/u"), seen()
    )
    assert paths(found) == [b"/home/u/.x"]


def test_patterns_stand_for_what_was_observed() -> None:
    """A profile's directory, an instance, the place on another distribution."""
    home = Home(user="u", path=b"/home/u")
    profile = entry(EntryPlace.HOME, kept(b".x/*/key"))
    found = declared_by_entry(profile, home, seen(b"/home/u/.x/ab/key", b"/home/u/.x"))
    assert paths(found) == [b"/home/u/.x/ab/key"]
    instance = kept(b"/var/lib/redis-<name>", each="services.redis.servers")
    found = declared_by_entry(
        entry(EntryPlace.SERVICE, instances=(instance,)), None, seen(b"/var/lib/redis-a/dump.rdb")
    )
    assert paths(found) == [b"/var/lib/redis-a"]
    elsewhere = entry(EntryPlace.SERVICE, kept(b"/var/lib/x", elsewhere=(b"/srv/x",)))
    assert paths(declared_by_entry(elsewhere, None, seen(b"/srv/x/y"))) == [
        b"/var/lib/x",
        b"/srv/x",
    ]


CONFIGURATION = {
    "/persistent": {
        "enable": True,
        "hideMounts": True,
        "directories": [
            "/var/log",
            {"directory": "/var/lib/x", "dirPath": "/var/lib/x", "mode": "0700"},
        ],
        "files": [{"file": "/etc/machine-id", "filePath": "/etc/machine-id"}],
        "users": {
            "u": {
                "home": "/home/u",
                "directories": [{"directory": ".x", "dirPath": "/home/u/.x"}, "Music"],
                "files": [".y"],
            },
            "v": {"directories": [".z"]},
        },
    },
    "/off": {"enable": False, "directories": ["/srv"]},
}


def test_a_configuration_declares_without_levels() -> None:
    """Strings and attribute sets, as written or as evaluated, of the system and of users."""
    found = declared_by_configuration(json.dumps(CONFIGURATION), "c.json")
    assert {each.level for each in found} == {None}
    assert paths(found) == [
        b"/var/log", b"/var/lib/x", b"/etc/machine-id",
        b"/home/u/.x", b"/home/u/Music", b"/home/u/.y", b"/home/v/.z",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not what `nix eval"),
        ('{"a": 1}', "is not what `nix eval"),
        ('{"a": {"directories": 1}}', "directories must be a list"),
        ('{"a": {"files": [1]}}', "names no path: 1"),
        ('{"a": {"users": []}}', "users must be an attribute set"),
    ],
)
def test_another_form_is_refused(text: str, message: str) -> None:
    """By the name of the file."""
    with pytest.raises(UsageError, match=f"c.json.*{message}"):
        declared_by_configuration(text, "c.json")
