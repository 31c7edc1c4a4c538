"""Whose a path is: names, users, who made it, and who else was seen to use it."""

import pytest

from imptrace.db.records import OtherPrograms, PathRecord
from imptrace.judge.codes import Code
from imptrace.judge.model import Recommendation, Scope
from tests.judge.factory import created, directory, file, made, modified, recommended, run


def only(*paths: PathRecord, **more: object) -> Recommendation:
    """Answer with the only recommendation for a run."""
    of_run = {key: more.pop(key) for key in ("exe", "uid") if key in more}
    found = recommended(run(*paths, **of_run), **more)
    assert len(found) == 1
    return next(iter(found.values()))


@pytest.mark.parametrize(
    ("exe", "path"),
    [
        (b"/usr/bin/keeper", b"/var/lib/keeper"),
        (b"/usr/bin/keeper", b"/var/lib/Keeper"),
        (b"/usr/bin/keeper", b"/home/alice/.keeper_history"),
        (b"/usr/bin/keeper", b"/home/alice/.keeperinfo"),
        (b"/usr/bin/keeper", b"/home/alice/.config/keeper-2"),
        (b"/usr/sbin/keeperd", b"/var/lib/keeper"),
        (b"/usr/bin/keeper-server", b"/var/lib/keeper"),
        (b"/usr/bin/keeper3.11", b"/home/alice/.keeper_history"),
        (b"/usr/lib/keeper/15/bin/engine", b"/var/lib/keeper"),
        (b"/nix/store/" + b"a" * 32 + b"-keeper-1.2/bin/.engine-wrapped", b"/var/lib/keeper"),
        (b"/nix/store/" + b"a" * 32 + b"-x-1.2/bin/.keeper-wrapped", b"/var/lib/keeper"),
    ],
)
def test_what_is_named_for_the_program_is_its_own(exe: bytes, path: bytes) -> None:
    """By executable, flavour, version, package, and through Nix's wrappers."""
    found = only(modified(path), exe=exe)
    assert found.scope is Scope.OWNED
    assert found.reasons[0].code == Code.NAMED


def test_a_name_needs_a_border() -> None:
    """`cat` has no claim to `catalogue`: only what a program made itself may begin so."""
    found = only(modified(b"/var/lib/keepers-of-the-flame"), exe=b"/usr/bin/ke")
    assert found.reasons[0].code == Code.SOLE_USER


def test_a_directory_named_for_the_service_user_is_its_own() -> None:
    """The user of a service bears its name, whatever the executable is called."""
    found = only(modified(b"/var/lib/stored/x"), exe=b"/usr/bin/python3", uid=990)
    assert (found.scope, found.reasons[0].code) == (Scope.OWNED, Code.NAMED)


def test_the_home_of_the_service_user_is_its_own() -> None:
    """Wherever it is."""
    found = only(modified(b"/srv/stored/a"), modified(b"/srv/stored/b"), uid=990)
    assert found.scope is Scope.OWNED


@pytest.mark.parametrize(
    "path",
    [
        b"/etc/passwd",
        b"/var/log/wtmp",
        b"/home/alice/.config/mimeapps.list",
        b"/home/alice/.config/dconf/user",
        b"/home/alice/.local/share/recently-used.xbel",
    ],
)
def test_common_files_are_shared(path: bytes) -> None:
    """Nobody may claim them."""
    found = only(modified(path))
    assert (found.scope, found.reasons[0].code) == (Scope.SHARED, Code.COMMON)


def test_a_common_place_named_for_the_program_is_its_own() -> None:
    """The database of dconf is shared for every program but dconf."""
    path = b"/home/alice/.config/dconf"
    found = only(made(path), created(path + b"/user"), exe=b"/usr/libexec/dconf-service")
    assert found.scope is Scope.OWNED


def test_what_others_change_is_shared_and_names_them() -> None:
    """Unless it is named for the subject."""
    others = {b"/home/alice/.stuff": OtherPrograms(writers=(b"mover",), readers=(b"reader",))}
    found = only(created(b"/home/alice/.stuff"), other_uses=others)
    assert found.scope is Scope.SHARED
    assert found.used_by == (b"mover", b"reader")
    named = {b"/home/alice/.keeper": OtherPrograms(writers=(b"mover",))}
    assert only(created(b"/home/alice/.keeper"), other_uses=named).scope is Scope.OWNED


def test_made_by_it_and_touched_by_nobody_else_is_its_own() -> None:
    """A name that says nothing, and no other program in the database."""
    found = only(made(b"/home/alice/.xyz"), created(b"/home/alice/.xyz/a"))
    assert (found.scope, found.reasons[0].code) == (Scope.OWNED, Code.MADE_BY)


def test_a_users_document_that_was_there_before_is_the_users() -> None:
    """An editor does not own what it edits; what it made is at least its doing."""
    assert only(modified(b"/home/alice/letter.txt")).scope is Scope.SHARED
    assert only(created(b"/home/alice/letter.txt")).scope is Scope.OWNED


def test_what_the_unit_declares_is_its_own() -> None:
    """StateDirectory=, under both names of a dynamic user's directory."""
    for path in (b"/var/lib/odd/x", b"/var/lib/private/odd/x"):
        found = recommended(run(modified(path)), unit_properties={"StateDirectory": "odd"})
        assert next(iter(found.values())).reasons[0].code == Code.UNIT_DECLARES


def test_the_private_directory_of_a_dynamic_user_is_named() -> None:
    """Never the link, and with mode 0700."""
    unit = {"StateDirectory": "keeper", "DynamicUser": "yes"}
    found = recommended(
        run(made(b"/var/lib/keeper", uid=61184), created(b"/var/lib/keeper/x", after=file())),
        unit_properties=unit,
        directories={b"/var/lib/keeper": directory()},
    )
    assert list(found) == [b"/var/lib/private/keeper"]
    assert found[b"/var/lib/private/keeper"].mode == 0o700
