"""Reading catalogue files: what a good one gives, and what each mistake says, with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imptrace.catalogue import CatalogueError, Entry, EntryPlace, Written, load, shipped
from imptrace.catalogue.model import Follows
from imptrace.catalogue.reader import ENTRY_KEYS, KEPT_KEYS, NEVER_KEYS, read_entry
from imptrace.facts.levels import Kind, Level

GOOD = """\
title = "Example"
option = "services.example"
aliases = ["sample"]
user = "example"

[[persist]]
path = "/var/lib/example"
level = "normal"
mode = "0750"
follows = "services.example.dataDir"

[[persist]]
path = "/var/lib/example/key"
kind = "file"
level = "secret"
written = "rename"

[[instance]]
each = "services.example.servers"
path = "/var/lib/example-<name>"
level = "important"

[[never]]
path = "/var/lib/example/*.tmp"
why = "temporary"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("services", "home"):
        (tmp_path / folder).mkdir()
    return tmp_path


def test_good_file_is_read_key_by_key(root: Path) -> None:
    (root / "services" / "example.toml").write_text(GOOD)
    (entry,) = load(root).entries
    directory, key = entry.persist
    assert (entry.id, entry.place, entry.title) == ("example", EntryPlace.SERVICE, "Example")
    assert (directory.path, directory.kind) == (b"/var/lib/example", Kind.DIRECTORY)
    assert (directory.level, directory.mode) == (Level.NORMAL, 0o750)
    assert directory.follows == Follows(option="services.example.dataDir")
    assert (key.kind, key.written, key.mode) == (Kind.FILE, Written.RENAME, None)
    assert [each.path for each in entry.instances] == [b"/var/lib/example-<name>"]
    assert entry.instances[0].is_pattern
    assert entry.never[0].path == b"/var/lib/example/*.tmp"


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ('aliases = ["sample"]', 'enable = ["a b"]', 3, "enable must hold paths of options"),
        ('user = "ex', 'usr = "ex', 4, "unknown key 'usr' in the top of the file; did you mean"),
        ('mode = "0750"', 'mod = "0750"', 9, "unknown key 'mod' in [[persist]]"),
        ("[[never]]", "[[nevr]]", 23, "unknown key 'nevr'"),
        ('title = "Example"', "", 1, "title is missing"),
        ('title = "Example"', 'title = " "', 1, "title must be a string of one line"),
        ('title = "Example"', 'title = "a\\u001b"', 1, "title must be a string of one line"),
        ('["sample"]', '["sample", "sample"]', 3, "'sample' stands twice"),
        ('["sample"]', '"sample"', 3, "aliases must be a list of strings"),
        ('level = "normal"', 'level = "precious"', 8, "level 'precious' is none of transient"),
        ('level = "normal"', "", 6, "level is missing"),
        ('kind = "file"', 'kind = "socket"', 14, "kind 'socket' is none of directory, file"),
        ('mode = "0750"', "mode = 750", 9, "mode must be four octal digits in quotes"),
        ('mode = "0750"', 'mode = "0790"', 9, "mode must be four octal digits in quotes"),
        ('mode = "0750"', "repos = 139", 9, "repos must be a whole number from 1 to 138"),
        ('mode = "0750"', "repos = true", 9, "repos must be a whole number"),
        ('mode = "0750"', 'user = "two words"', 9, "user must be the name of a user or group"),
        ('mode = "0750"', 'early-boot = "yes"', 9, "early-boot must be true or false"),
        ('mode = "0750"', 'dump = "a\\u001b"', 9, "dump must be a string of one line"),
        ('mode = "0750"', 'dump = "a\\nb"', 9, "dump must be a string of one line"),
        ('mode = "0750"', 'dump = ["a"]', 9, "dump must be a string of one line"),
        ('mode = "0750"', 'since-state-version = "24"', 9, "must be a NixOS release"),
        ('mode = "0750"', 'follows-suffix = "/x"', 10, "does not have the prefix and suffix"),
        ('mode = "0750"', 'written = "rename"', 9, "written is about files"),
        ('"services.example.dataDir"', '"services example"', 10, "must be the path of an option"),
        ('path = "/var/lib/example"', 'path = "var/lib/example"', 7, "must be absolute"),
        ('path = "/var/lib/example"', 'path = "/var/../x"', 7, "without empty names"),
        ('path = "/var/lib/example"', 'path = "/var/lib/x/"', 7, "without empty names"),
        ('path = "/var/lib/example"', 'path = "/var/lib/$X"', 7, "without variables"),
        ('path = "/var/lib/example"', 'path = "/var/lib/ex*"', 7, "must be literal"),
        ('path = "/var/lib/example"', 'path = "/run/example"', 7, "below /run, which is never"),
        ('path = "/var/lib/example"', 'path = "/x/<name>"', 7, "no literal path: use [[instance]]"),
        ("example-<name>", "example", 20, "must hold <name> once"),
        ('each = "services.example.servers"', "", 18, "each is missing"),
        ('level = "secret"', 'level = "normal"', 13, "at the same level normal"),
        ("/var/lib/example/key", "/var/lib/example", 13, "stands twice"),
        ('mode = "0750"', 'elsewhere = ["x"]', 9, "'x' must be absolute"),
        ('follows = "services.example.dataDir"', 'follows-suffix = "/x"', 10, "without follows"),
        ('why = "temporary"', 'why = "ugly"', 25, "why 'ugly' is none of runtime"),
        ('why = "temporary"', "", 23, "why is missing"),
        ("*.tmp", "[ab].tmp", 24, "only * and ? may be used"),
        ('path = "/var/lib/example"', "path = /var/lib", 7, "not TOML"),
        ("[[never]]", "[never]", 23, "must be written as tables [[never]]"),
    ],
)
def test_mistake_is_an_error_with_file_and_line(
    root: Path, old: str, new: str, line: int, problem: str
) -> None:
    assert GOOD.count(old) >= 1
    (root / "services" / "example.toml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(CatalogueError) as caught:
        load(root)
    assert str(caught.value).startswith(f"nix/services/example.toml:{line}: ")
    assert problem in str(caught.value)
    assert caught.value.exit_code == 2


def test_home_path_must_be_relative(root: Path) -> None:
    (root / "home" / "x.toml").write_text('title = "X"\n[[persist]]\npath = "/x"\nlevel = "normal"')
    with pytest.raises(CatalogueError, match=r"nix/home/x\.toml:3: .*relative to the home"):
        load(root)


def test_home_program_has_no_dump(root: Path) -> None:
    text = 'title = "X"\n[[persist]]\npath = ".x"\nlevel = "normal"\ndump = "x"'
    (root / "home" / "x.toml").write_text(text)
    with pytest.raises(CatalogueError, match=r"nix/home/x\.toml:5: dump is for services"):
        load(root)


def test_entry_that_keeps_nothing_must_say_why(root: Path) -> None:
    (root / "services" / "x.toml").write_text('title = "X"\n')
    with pytest.raises(CatalogueError, match="needs a note"):
        load(root)


def test_file_that_cannot_be_read_is_named(root: Path) -> None:
    (root / "services" / "x.toml").mkdir()
    with pytest.raises(CatalogueError, match=r"nix/services/x\.toml:1: cannot be read"):
        load(root)


def test_unended_file_is_named_with_its_last_line(root: Path) -> None:
    (root / "services" / "x.toml").write_text('title = "X"\nnote = """\nabc\n')
    with pytest.raises(CatalogueError, match=r"nix/services/x\.toml:4: not TOML"):
        load(root)


def test_bytes_that_are_not_utf8_are_named_with_their_line(root: Path) -> None:
    (root / "services" / "x.toml").write_bytes(b'title = "X"\nnote = "\xff"\n')
    with pytest.raises(CatalogueError, match=r"nix/services/x\.toml:2: not UTF-8"):
        load(root)


@pytest.mark.parametrize("name", ["Upper", "a_b", "a--b", "-a", "a b"])
def test_file_name_must_be_an_id(root: Path, name: str) -> None:
    (root / "services" / f"{name}.toml").write_text(GOOD)
    with pytest.raises(CatalogueError, match="the file's name"):
        load(root)


@pytest.mark.parametrize(
    ("second", "line"),
    [
        ('title = "T"\naliases = ["Sample"]\nnote = "n"', 2),
        ('title = "T"\nnote = "n"\noption = "services.example"', 3),
        ('title = "T"\nnote = "n"\naliases = ["example"]', 3),
    ],
)
def test_two_entries_cannot_share_a_name(root: Path, second: str, line: int) -> None:
    (root / "services" / "example.toml").write_text(GOOD)
    (root / "services" / "second.toml").write_text(second)
    with pytest.raises(CatalogueError, match=rf"second\.toml:{line}: .*is a name of example"):
        load(root)


def test_service_and_home_program_may_share_a_name(root: Path) -> None:
    (root / "services" / "x.toml").write_text('title = "X"\nnote = "n"')
    (root / "home" / "x.toml").write_text('title = "X"\nnote = "n"')
    assert [entry.place for entry in load(root)] == [EntryPlace.SERVICE, EntryPlace.HOME]


def test_included_entry_must_exist(root: Path) -> None:
    (root / "services" / "x.toml").write_text('title = "X"\nincludes = ["y"]\n')
    with pytest.raises(CatalogueError, match=r"x\.toml:2: there is no entry 'y'"):
        load(root)


def test_same_path_may_hold_before_and_since_a_state_version(root: Path) -> None:
    text = """title = "X"
[[persist]]
path = "/var/lib/old"
level = "normal"
before-state-version = "24.11"
[[persist]]
path = "/var/lib/old/new"
level = "normal"
since-state-version = "24.11"
"""
    (root / "services" / "x.toml").write_text(text)
    assert len(load(root).entries[0].persist) == 2


def toml(value: object) -> str:
    """Write a value as TOML; strings with every character escaped."""
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value).lower()


TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    st.sampled_from(
        ["normal", "file", "rename", "/var/lib/x", ".x", "lock", "24.11", "0700", "<name>"]
    ),
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.integers(-1, 200)), lambda each: st.lists(each, max_size=2)
)
LINES = st.lists(
    st.one_of(
        st.sampled_from(["[[persist]]", "[[instance]]", "[[shared]]", "[[never]]", "[never]", ""]),
        st.builds(
            lambda key, value: f"{key} = {toml(value)}",
            st.sampled_from([*ENTRY_KEYS, *KEPT_KEYS, *NEVER_KEYS, "each"]),
            VALUES,
        ),
    ),
    max_size=9,
)


def outcome(text: str, place: EntryPlace) -> Entry | CatalogueError:
    try:
        return read_entry("x.toml", text, "x", place)
    except CatalogueError as error:
        return error


@given(LINES, st.sampled_from(list(EntryPlace)))
def test_any_file_is_an_entry_or_an_error_with_its_line(
    lines: list[str], place: EntryPlace
) -> None:
    found = outcome("\n".join(lines), place)
    if isinstance(found, CatalogueError):
        assert 1 <= found.line <= len(lines) + 1
        assert str(found).isprintable()
    else:
        assert found.title


def test_file_that_is_nested_too_deeply_is_an_error(root: Path) -> None:
    (root / "services" / "x.toml").write_text("title = " + "[" * 100_000)
    with pytest.raises(CatalogueError, match=r"x\.toml:1: "):
        load(root)


def test_shipped_catalogue_loads() -> None:
    entries = shipped().entries
    assert {entry.place for entry in entries} == set(EntryPlace)
    assert shipped() is shipped()
