"""Only what is evidence, and may be told to everybody, goes into a contribution."""

from dataclasses import replace

import pytest

from imptrace.catalogue.model import Entry, EntryPlace, KeptPath
from imptrace.contribute.selection import Rules, Selection, select
from imptrace.errors import UsageError
from imptrace.facts.levels import Kind, Level
from imptrace.facts.people import Home, PrivateNames
from imptrace.judge.codes import Code
from imptrace.judge.model import (
    Advice,
    Figure,
    Method,
    NixosPlace,
    Reason,
    Recommendation,
    Scope,
    Subject,
)

HOME = Home(user="zaphod", path=b"/home/zaphod")


def reason(code: Code, **figures: Figure) -> Reason:
    """Make a reason."""
    return Reason(code=code, figures=figures)


STATE = Recommendation(
    path=b"/var/lib/demo",
    kind=Kind.DIRECTORY,
    scope=Scope.OWNED,
    level=Level.NORMAL,
    user="demo",
    group="demo",
    mode=0o700,
    confidence=0.9,
    observed=True,
    covers=3,
    reasons=(
        reason(Code.NAMED, component=b"demo", name=b"demo"),
        reason(Code.READ_BACK, runs=2),
        reason(Code.REPLACED_BY_RENAME, path=b"/var/lib/demo/MyWifi", origin=b"/x", count=3),
    ),
)
RULES = Rules(
    place=EntryPlace.SERVICE,
    entry=None,
    shared=(),
    private=PrivateNames(users=("zaphod",), hosts=("heartofgold",)),
)


def on_nixos(path: bytes) -> NixosPlace:
    """Make NixOS' own place of what another distribution has elsewhere."""
    return NixosPlace(
        path=path,
        is_pattern=b"<" in path,
        kind=Kind.DIRECTORY,
        user=None,
        group=None,
        mode=0o750,
        method=Method.BIND,
    )


def choose(*recommendations: Recommendation, rules: Rules = RULES) -> Selection:
    """Select from an advice about a service."""
    advice = Advice(
        subject=Subject(program=b"demo"), runs=(1,), recommendations=recommendations, set_aside=()
    )
    return select(advice, rules)


def test_an_observed_path_is_written_with_its_reasons() -> None:
    """What was seen, and what follows from it, without the names of files."""
    (kept,) = choose(STATE).paths
    assert kept.reason == "read before it was written in 2 runs; replaced by rename"
    assert kept.comment == "replaced by rename"
    assert (kept.user, kept.mode, kept.level) == ("demo", 0o700, Level.NORMAL)


def test_a_note_of_the_catalogue_is_the_better_comment() -> None:
    """Somebody wrote it for people."""
    noted = KeptPath(
        path=b"/var/lib/demo", kind=Kind.DIRECTORY, level=Level.NORMAL, note="keys and peers"
    )
    entry = Entry(id="demo", place=EntryPlace.SERVICE, title="Demo", persist=(noted,))
    (kept,) = choose(STATE, rules=replace(RULES, entry=entry)).paths
    assert kept.comment == "keys and peers"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"scope": Scope.SHARED}, "--include"),
        ({"observed": False}, "do not show it"),
        ({"method": Method.NONE}, "no entry would work"),
        ({"home": HOME}, "in a home directory"),
        ({"path": b"/var/lib/demo\n"}, "cannot be written as text"),
        ({"path": b"/var/lib/demo\xff"}, "cannot be written as text"),
        ({"path": b"/var/lib/Zaphod"}, "name of a user"),
        ({"path": b"/var/lib/demo.heartofgold"}, "name of a user or of this host"),
    ],
)
def test_what_is_not_for_everybody_is_held_back(change: dict[str, object], why: str) -> None:
    """With the reason why."""
    selection = choose(replace(STATE, **change))
    assert selection.paths == ()
    assert why in selection.held_back[0].why


@pytest.mark.parametrize(
    ("code", "own_dropins", "known", "written"),
    [
        (Code.UNIT_DECLARES, False, False, True),
        (Code.UNIT_DECLARES, True, False, False),
        (Code.UNIT_DECLARES, True, True, True),
        (Code.MADE_BY, False, False, False),
        (Code.MADE_BY, False, True, True),
    ],
)
def test_what_only_this_machine_may_have_is_held_back(
    code: Code,
    own_dropins: bool,
    known: bool,
    written: bool,
) -> None:
    """A path that one's own drop-in or configuration brought, unless it is asked for."""
    noted = KeptPath(path=STATE.path, kind=Kind.DIRECTORY, level=Level.NORMAL)
    entry = Entry(
        id="demo", place=EntryPlace.SERVICE, title="Demo", persist=(noted,) if known else ()
    )
    rules = replace(RULES, entry=entry, has_own_dropins=own_dropins)
    found = replace(STATE, reasons=(reason(code, property="StateDirectory"),))
    assert bool(choose(found, rules=rules).paths) is written
    assert choose(found, rules=replace(rules, shared=(STATE.path,))).paths


def test_a_shared_path_is_written_where_it_was_asked_for() -> None:
    """And says that it is shared, and not with whom."""
    others = (reason(Code.CREATED, runs=1), reason(Code.OTHERS_CHANGE, programs=(b"vi", b"zaphod")))
    shared = replace(STATE, scope=Scope.SHARED, reasons=others)
    (kept,) = choose(shared, rules=replace(RULES, shared=(STATE.path,))).paths
    assert kept.reason == (
        "shared with other programs; created in 1 run; changed by 2 other programs too"
    )
    assert kept.comment == "shared with other programs"


def test_a_shared_path_that_is_not_there_is_an_error() -> None:
    """A typo must not go unnoticed."""
    with pytest.raises(UsageError, match="'/nowhere' is not among the recommendations"):
        choose(STATE, rules=replace(RULES, shared=(b"/nowhere",)))


def test_a_program_of_a_home_directory_gets_relative_paths() -> None:
    """Its own, and no others; owners are whoever uses it."""
    inside = replace(STATE, path=b"/home/zaphod/.config/demo", home=HOME, user="zaphod")
    selection = choose(inside, STATE, rules=replace(RULES, place=EntryPlace.HOME))
    assert [path.path for path in selection.paths] == [".config/demo"]
    assert selection.paths[0].user is None
    assert "outside the home directory" in selection.held_back[0].why


def test_what_belongs_to_an_instance_is_held_back() -> None:
    """Its name is somebody's own, and another machine has other instances."""
    instance = KeptPath(
        path=b"/var/lib/demo-<name>", kind=Kind.DIRECTORY, level=Level.NORMAL, each="services.demo"
    )
    entry = Entry(id="demo", place=EntryPlace.SERVICE, title="Demo", instances=(instance,))
    selection = choose(
        replace(STATE, path=b"/var/lib/demo-shop"), rules=replace(RULES, entry=entry)
    )
    assert selection.paths == ()
    assert "one instance" in selection.held_back[0].why


def test_what_lies_elsewhere_is_written_as_on_nixos() -> None:
    """Recorded on Debian, kept on NixOS; two places of the same data are one path."""
    file = replace(
        STATE,
        path=b"/srv/demo1.db",
        kind=Kind.FILE,
        mode=0o600,
        on_nixos=on_nixos(b"/var/lib/demo"),
    )
    (kept,) = choose(file, STATE).paths
    assert (kept.path, kept.kind, kept.mode) == ("/var/lib/demo", Kind.DIRECTORY, 0o750)
    assert kept.reason.startswith("seen in /srv/demo1.db; read before")


def test_one_of_many_places_is_held_back() -> None:
    """The names of a service's instances are in the configuration, not in the recording."""
    seen = replace(STATE, path=b"/srv/demo", on_nixos=on_nixos(b"/var/lib/demo-<name>"))
    selection = choose(seen)
    assert selection.paths == ()
    assert "one instance" in selection.held_back[0].why
