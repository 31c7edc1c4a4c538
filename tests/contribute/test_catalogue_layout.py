"""Files of the catalogue are made and extended; what stands in them stays as it is."""

import tomllib
from pathlib import Path

import pytest
from sample_repositories import CATALOGUE_ENTRY, git, kept, proposal

from imptrace.catalogue.model import CatalogueError, EntryPlace
from imptrace.contribute.layouts.catalogue import CatalogueLayout
from imptrace.contribute.proposal import Change, Proposal
from imptrace.contribute.repository import open_repository
from imptrace.facts.levels import Kind, Level


def plan(repository: Path, wanted: Proposal) -> tuple[Change, dict[str, str]]:
    """Work out a change; the answer is it and its files."""
    change = CatalogueLayout(open_repository(repository).snapshot()).plan(wanted)
    return change, {file.path: file.content.decode() for file in change.files}


def test_a_new_entry_is_a_file_of_the_documented_form(catalogue_repository: Path) -> None:
    """A blank line between tables, keys in the order of docs/catalogue.md."""
    wanted = proposal(
        "demo",
        "services.demo",
        kept("/etc/demo.key", Level.SECRET, kind=Kind.FILE, mode=0o600, comment="made once"),
        kept("/var/lib/demo", user="demo", group="demo", mode=None),
    )
    _, files = plan(catalogue_repository, wanted)
    assert files == {
        "nix/services/demo.toml": """\
title = "Demo"
option = "services.demo"
enable = "services.demo.enable"
known = "recorded: Demo"

[[persist]]
path = "/etc/demo.key"
kind = "file"
level = "secret"
user = "root"
group = "root"
mode = "0600"
note = "made once"

[[persist]]
path = "/var/lib/demo"
level = "normal"
user = "demo"
group = "demo"
"""
    }


def test_tables_are_added_behind_the_last_of_their_kind(catalogue_repository: Path) -> None:
    """Comments stay with what they speak of, and not one line that was there changes."""
    wanted = proposal(
        "bluetooth",
        "hardware.bluetooth",
        kept("/var/lib/bluez", comment="plug-ins"),
        kept("/var/x"),
    )
    change, files = plan(catalogue_repository, wanted)
    assert files["nix/services/bluetooth.toml"] == CATALOGUE_ENTRY.replace(
        "# made again",
        """\
[[persist]]
path = "/var/lib/bluez"
level = "normal"
user = "root"
group = "root"
mode = "0755"
note = "plug-ins"

[[persist]]
path = "/var/x"
level = "normal"
user = "root"
group = "root"
mode = "0755"

# made again""",
    )
    assert [each.path for each in change.unobserved] == [b"/var/lib/bluetooth"]


def test_a_level_may_lie_inside_another(catalogue_repository: Path) -> None:
    """A secret file inside a normal directory is written as both."""
    wanted = proposal(
        "bluetooth",
        "hardware.bluetooth",
        kept("/var/lib/bluetooth"),
        kept("/var/lib/bluetooth/key", Level.SECRET, kind=Kind.FILE),
    )
    change, files = plan(catalogue_repository, wanted)
    assert [each.path for each in change.added] == ["/var/lib/bluetooth/key"]
    assert len(tomllib.loads(files["nix/services/bluetooth.toml"])["persist"]) == 2


def test_the_same_level_does_not_lie_inside_itself(catalogue_repository: Path) -> None:
    """The catalogue's own rule holds before its reader has to say so."""
    wanted = proposal("bluetooth", "hardware.bluetooth", kept("/var/lib"))
    change, _ = plan(catalogue_repository, wanted)
    assert change.files == ()
    assert [each.path for each in change.held_back] == ["/var/lib"]


def test_a_program_of_a_home_directory_goes_to_its_own_folder(catalogue_repository: Path) -> None:
    """Its paths are relative to the home directory."""
    wanted = Proposal(
        service="demo",
        title="Demo",
        option="programs.demo",
        enable=("programs.demo.enable",),
        paths=(kept(".config/demo"),),
        place=EntryPlace.HOME,
    )
    _, files = plan(catalogue_repository, wanted)
    assert list(files) == ["nix/home/demo.toml"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('title = "x"\nlevels = 1\n', r"bluetooth\.toml:2: unknown key"),
        ('title = "x\n', r"bluetooth\.toml:1: not TOML"),
        ('title = "\xff"\n', r"bluetooth\.toml:1: not UTF-8"),
    ],
)
def test_a_broken_entry_is_refused(catalogue_repository: Path, content: str, message: str) -> None:
    """By file and line; nothing is built on it."""
    file = catalogue_repository / "nix/services/bluetooth.toml"
    file.write_bytes(content.encode("latin-1"))
    git(catalogue_repository, "commit", "--quiet", "--all", "-m", "Break an entry")
    with pytest.raises(CatalogueError, match=message):
        plan(catalogue_repository, proposal("bluetooth", "hardware.bluetooth", kept("/var/x")))
