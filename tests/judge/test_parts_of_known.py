"""Parts of a directory that the catalogue knows: told at their own level where that is higher."""

import pytest

from imptrace.catalogue import Entry, EntryPlace
from imptrace.catalogue.reader import read_entry
from imptrace.db.records import PathRecord
from imptrace.judge.model import Kind, Level, Method
from imptrace.tracer.events import Op
from tests.judge.factory import access, advice, created, file, made, modified, recommended, run

ROOT = b"/home/alice/.local/share/keep"


def entry(
    level: str, *, place: EntryPlace = EntryPlace.HOME, path: str = ".local/share/keep"
) -> Entry:
    """Make the entry of a program that keeps one directory."""
    text = (
        f'title = "Keeper"\nprograms = ["keeper"]\n\n[[persist]]\npath = "{path}"\n'
        f'level = "{level}"\nmode = "0700"\nnote = "all"\n'
    )
    return read_entry(f"nix/{place}/keeper.toml", text, "keeper", place)


def levels(known: Entry, *paths: PathRecord) -> dict[bytes, Level]:
    """Tell what is recommended of a run that left `paths`, and at which level."""
    found = recommended(run(*paths), entry=known, entries=(known,))
    return {path: each.level for path, each in found.items()}


def replaced(path: bytes, *, mode: int = 0o644) -> PathRecord:
    """Make a file that is replaced by a rename, and can have no entry."""
    return modified(path, access(Op.RENAME, origin=path + b".new"), after=file(mode=mode))


@pytest.mark.parametrize("name", [b"playlists", b"bookmarks", b"Saves"])
def test_a_directory_of_what_people_make(name: bytes) -> None:
    """The entry knows of the whole, and not of each part."""
    part = ROOT + b"/" + name
    assert levels(entry("normal"), created(ROOT + b"/state"), created(part + b"/one")) == {
        ROOT: Level.NORMAL,
        part: Level.IMPORTANT,
    }


@pytest.mark.parametrize("name", [b"bookmarks", b"quickmarks", b"todo.txt"])
def test_a_file_of_what_people_make(name: bytes) -> None:
    """Also where nothing else was seen in its directory."""
    path = ROOT + b"/" + name
    both = {ROOT: Level.NORMAL, path: Level.IMPORTANT}
    assert levels(entry("normal"), created(ROOT + b"/state"), created(path)) == both
    assert levels(entry("normal"), created(path)) == both


@pytest.mark.parametrize(
    ("name", "mode", "expected"),
    [(b"bookmarks", 0o644, Level.IMPORTANT), (b".port.cookie", 0o400, Level.SECRET)],
)
def test_a_file_that_is_replaced(name: bytes, mode: int, expected: Level) -> None:
    """It is kept with its directory, and its own level is told all the same."""
    known, path = entry("normal"), ROOT + b"/" + name
    seen = run(created(ROOT + b"/state"), replaced(path, mode=mode))
    found = recommended(seen, entry=known, entries=(known,))
    assert (found[ROOT].level, found[ROOT].kind) == (Level.NORMAL, Kind.DIRECTORY)
    assert (found[path].level, found[path].method) == (expected, Method.NONE)


def test_a_secret_in_what_is_important() -> None:
    """A service's key among its records."""
    known = entry("important", place=EntryPlace.SERVICE, path="/var/lib/keep")
    key = b"/var/lib/keep/.port.cookie"
    assert levels(known, created(b"/var/lib/keep/db"), replaced(key, mode=0o400)) == {
        b"/var/lib/keep": Level.IMPORTANT,
        key: Level.SECRET,
    }


def test_more_than_can_be_told_raise_the_whole() -> None:
    """Nothing is lower than it has to be."""
    secrets = [created(ROOT + b"/%c.token" % letter) for letter in b"abcdefghij"]
    assert levels(entry("normal"), *secrets) == {ROOT: Level.SECRET}


def test_what_the_catalogue_has_weighed_stays() -> None:
    """A database is no news to it, and in what it calls transient nobody made anything."""
    database = created(ROOT + b"/index.sqlite", hint="sqlite")
    assert levels(entry("normal"), database) == {ROOT: Level.NORMAL}
    assert levels(entry("transient"), created(ROOT + b"/notes/a")) == {ROOT: Level.TRANSIENT}


def test_a_verdict_is_no_higher_than_the_catalogue_says() -> None:
    """What compares verdicts with the advice finds no fault in the advice's own source."""
    known = entry("transient")
    found = advice(run(created(ROOT + b"/a")), entry=known, entries=(known,))
    assert {each.path: each.level for each in found.verdicts} == {ROOT + b"/a": Level.TRANSIENT}


def test_the_type_of_a_key_is_no_key() -> None:
    """Though nobody else may read it."""
    path = ROOT + b"/key-type"
    assert levels(entry("normal"), created(path, after=file(mode=0o600))) == {ROOT: Level.NORMAL}


def test_a_key_that_is_made_once_says_nothing_of_what_is_around_it() -> None:
    """The catalogue knows that no later start replaces it."""
    text = (
        'title = "Keeper"\nprograms = ["keeper"]\n\n[[persist]]\npath = ".keep"\n'
        'level = "normal"\nnote = "all"\n\n[[persist]]\npath = ".keep/own.pem"\nkind = "file"\n'
        'level = "secret"\nwritten = "if-absent"\nnote = "key"\n'
    )
    known = read_entry("nix/home/keeper.toml", text, "keeper", EntryPlace.HOME)
    root = b"/home/alice/.keep"
    key = created(root + b"/own.pem", access(Op.RENAME, origin=root + b"/x"))
    found = recommended(run(made(root), key), entry=known, entries=(known,))
    assert {path: (each.level, each.method) for path, each in found.items()} == {
        root: (Level.NORMAL, Method.BIND),
        root + b"/own.pem": (Level.SECRET, Method.SYMLINK),
    }
