"""What the catalogue adds to what was seen: levels, owners, paths never to keep, the declared."""

from pathlib import Path

import pytest

from imptrace.catalogue import Entry, EntryPlace, load
from imptrace.catalogue.reader import read_entry
from imptrace.judge.codes import Code
from imptrace.judge.model import Kind, Level, Method, Scope, Why
from imptrace.tracer.events import Op
from tests.judge.factory import (
    ALICE,
    access,
    advice,
    created,
    file,
    made,
    modified,
    recommended,
    run,
)

SERVICE = """
title = "Keeper"
option = "services.keeper"
units = ["keeper.service"]
programs = ["keeper"]

[[persist]]
path = "/var/lib/keep"
level = "important"
user = "keeper"
group = "keeper"
mode = "0750"
repos = 7
elsewhere = ["/var/lib/keep-[0-9]"]

[[persist]]
path = "/etc/keep/host_key"
kind = "file"
level = "secret"
written = "if-absent"

[[shared]]
path = "/var/lib/pool"
level = "normal"

[[never]]
path = "/var/lib/keep/*.boot"
why = "temporary"
note = "written at every start"
""".replace('elsewhere = ["/var/lib/keep-[0-9]"]', 'elsewhere = ["/var/lib/keep-*"]')

HOME = """
title = "Keeper"
option = "programs.keeper"
programs = ["keeper"]

[[persist]]
path = ".config/keep"
level = "normal"

[[persist]]
path = ".config/keep/*/passwords"
kind = "file"
level = "secret"
"""


@pytest.fixture
def service(tmp_path: Path) -> Entry:
    """Read the service from a catalogue of one file."""
    return entry(tmp_path, "services", SERVICE)


@pytest.fixture
def home(tmp_path: Path) -> Entry:
    """Read the home program from a catalogue of one file."""
    return entry(tmp_path, "home", HOME)


def entry(directory: Path, place: str, text: str) -> Entry:
    (directory / place).mkdir()
    (directory / place / "keeper.toml").write_text(text)
    return next(iter(load(directory)))


def test_level_owner_and_count_come_from_the_catalogue(service: Entry) -> None:
    """And the reasons say so."""
    seen = run(modified(b"/var/lib/keep/deep/x"))
    found = recommended(seen, entry=service, entries=(service,))[b"/var/lib/keep"]
    assert (found.level, found.user, found.mode) == (Level.IMPORTANT, "keeper", 0o750)
    assert found.reasons[0].code == Code.CATALOGUED
    assert {"repos": 7, "of": 138} in [dict(reason.figures) for reason in found.reasons]


def test_another_distributions_place_keeps_its_own_owner(service: Entry) -> None:
    """The level is known; the owner is the one that was seen."""
    seen = run(made(b"/var/lib/keep-9"), modified(b"/var/lib/keep-9/x"))
    found = recommended(seen, entry=service, entries=(service,))[b"/var/lib/keep-9"]
    assert (found.level, found.user) == (Level.IMPORTANT, "alice")


def test_what_must_never_be_kept_is_set_aside(service: Entry) -> None:
    """With the catalogue's reason."""
    seen = run(created(b"/var/lib/keep/a.boot"))
    found = advice(seen, entry=service, entries=(service,))
    assert [each.why for each in found.set_aside] == [Why.NEVER]
    assert found.recommendations == ()


def test_a_file_that_is_made_only_when_absent_becomes_a_link(service: Entry) -> None:
    """The catalogue knows that the rename is not repeated."""
    path = b"/etc/keep/host_key"
    seen = run(created(path, access(Op.RENAME, origin=path + b".1")))
    found = recommended(seen, entry=service, entries=(service,))[path]
    assert (found.kind, found.method, found.level) == (Kind.FILE, Method.SYMLINK, Level.SECRET)


def test_shared_paths_are_only_suggested(service: Entry) -> None:
    """Even where the catalogue lists them."""
    seen = run(modified(b"/var/lib/pool/x"))
    found = recommended(seen, entry=service, entries=(service,))[b"/var/lib/pool"]
    assert found.scope is Scope.SHARED


def test_without_runs_all_that_is_declared_is_answered(service: Entry) -> None:
    """Marked as not observed; the unit's own directories are added."""
    unit = {"StateDirectory": "keep extra", "CacheDirectory": "keep"}
    found = advice(entry=service, entries=(service,), unit_properties=unit)
    assert {each.path: each.level for each in found.recommendations} == {
        b"/etc/keep/host_key": Level.SECRET,
        b"/var/cache/keep": Level.TRANSIENT,
        b"/var/lib/extra": Level.NORMAL,
        b"/var/lib/keep": Level.IMPORTANT,
        b"/var/lib/pool": Level.NORMAL,
    }
    assert not any(each.observed for each in found.recommendations)
    assert [warning.code for warning in found.warnings] == [Code.NOTHING_RECORDED]


def test_what_was_not_seen_is_only_counted(service: Entry) -> None:
    """A recording answers from evidence, and says what more is known."""
    seen = run(modified(b"/var/lib/keep/x"))
    found = advice(seen, entry=service, entries=(service,))
    assert [each.path for each in found.recommendations] == [b"/var/lib/keep"]
    assert [dict(warning.figures) for warning in found.warnings] == [
        {"count": 1, "entry": "keeper"}
    ]


def test_a_homes_paths_are_found_in_every_home_and_where_xdg_moved_them(home: Entry) -> None:
    """The catalogue writes the default places."""
    environ = {"HOME": ALICE.home, "XDG_CONFIG_HOME": b"/home/alice/etc"}
    secret = created(b"/home/alice/etc/keep/p1/passwords", after=file())
    found = recommended(
        run(modified(b"/home/alice/etc/keep/x"), secret, environ=environ),
        entry=home,
        entries=(home,),
    )
    assert {path: each.level for path, each in found.items()} == {
        b"/home/alice/etc/keep": Level.NORMAL,
        b"/home/alice/etc/keep/p1/passwords": Level.SECRET,
    }


def others(text: str) -> tuple[Entry, ...]:
    """Entries of programs that did not run."""
    return (read_entry("nix/home/other.toml", text, "other", EntryPlace.HOME),)


OTHER = (
    'title = "Other"\nprograms = ["other"]\n\n[[persist]]\npath = ".other"\nlevel = "transient"\n'
)


def test_a_place_of_a_program_that_did_not_run_is_that_ones() -> None:
    """At its level, and only suggested: it is not the subject's to keep."""
    place = ALICE.home + b"/.other"
    found = recommended(
        run(created(place + b"/index.sqlite", hint="sqlite")), other_entries=others(OTHER)
    )
    assert {path: (each.level, each.scope) for path, each in found.items()} == {
        place: (Level.TRANSIENT, Scope.SHARED)
    }


def test_unless_it_is_named_for_the_subject() -> None:
    """Then the entry only lacks the name of the program."""
    place = ALICE.home + b"/.other"
    seen = run(created(place + b"/a"), exe=b"/usr/bin/other-gtk")
    assert recommended(seen, other_entries=others(OTHER))[place].scope is Scope.OWNED
