"""Modules of a repository laid out like nixos-impermanence are written as its maintainer would."""

import subprocess
from pathlib import Path

import pytest
from sample_repositories import BLUETOOTH, git, kept, proposal

from imptrace.contribute.layouts.nixos_impermanence import ImpermanenceLayout
from imptrace.contribute.nix_source.tree import NixSyntaxError
from imptrace.contribute.proposal import Change, Proposal
from imptrace.contribute.repository import RepositoryError, open_repository
from imptrace.errors import UsageError
from imptrace.facts.levels import Kind, Level
from imptrace.judge.model import Method


def plan(repository: Path, wanted: Proposal) -> tuple[Change, dict[str, str]]:
    """Work out a change; the answer is it and its files."""
    change = ImpermanenceLayout(open_repository(repository).snapshot()).plan(wanted)
    return change, {file.path: file.content.decode() for file in change.files}


def replace_file(repository: Path, path: str, content: str) -> None:
    """Commit another content of a file."""
    (repository / path).write_text(content)
    git(repository, "commit", "--quiet", "--all", "-m", "Change a file")


NETWORKMANAGER = proposal(
    "networkmanager",
    "networking.networkmanager",
    kept("/var/lib/NetworkManager", Level.TRANSIENT),
    kept("/etc/NetworkManager/system-connections", Level.SECRET, mode=0o700),
)


def test_a_new_module_is_written_like_its_neighbour(impermanence_repository: Path) -> None:
    """Form, indentation and idiom are the neighbour's; option, paths and words are its own."""
    change, files = plan(impermanence_repository, NETWORKMANAGER)
    expected = (
        BLUETOOTH.replace("hardware.bluetooth", "networking.networkmanager")
        .replace(
            'normal.directories = ["/var/lib/bluetooth"];',
            """transient.directories = ["/var/lib/NetworkManager"];
        secret.directories = [
          {
            directory = "/etc/NetworkManager/system-connections";
            mode = "0700";
          }
        ];""",
        )
        .replace("Persist pairings.", "Persist the transient state and secrets of Networkmanager.")
    )
    assert files["nixos-modules/networkmanager/persistence.nix"] == expected
    assert change.is_new


def test_the_flake_gets_two_lines_in_their_places(impermanence_repository: Path) -> None:
    """One in nixosModules, one in the imports of default, both by the alphabet."""
    repository = open_repository(impermanence_repository)
    _, files = plan(impermanence_repository, NETWORKMANAGER)
    old = (impermanence_repository / "flake.nix").read_text().splitlines()
    new = files["flake.nix"].splitlines()
    added = [line for line in new if line not in old]
    assert added == [
        "      networkmanager = import ./nixos-modules/networkmanager/persistence.nix;",
        "          networkmanager",
    ]
    assert [line for line in new if line not in added] == old
    assert new[new.index(added[0]) - 1].startswith("      environment =")
    assert new[new.index(added[1]) + 1] == "          sudo # last"
    assert repository.snapshot().read("flake.nix") == "\n".join([*old, ""]).encode()


def test_the_last_of_the_alphabet_goes_behind_comments(impermanence_repository: Path) -> None:
    """A comment at the end of a line stays with its line."""
    wanted = proposal("upower", "services.upower", kept("/var/lib/upower"))
    _, files = plan(impermanence_repository, wanted)
    assert "persistence.nix; # lectures\n      upower = import" in files["flake.nix"]
    assert "sudo # last\n          upower\n" in files["flake.nix"]


def test_the_first_of_the_alphabet_goes_first(impermanence_repository: Path) -> None:
    """Before what was the first."""
    wanted = proposal("acme", "security.acme", kept("/var/lib/acme"))
    _, files = plan(impermanence_repository, wanted)
    assert (
        "rec {\n      acme = import ./nixos-modules/acme/persistence.nix;\n" in files["flake.nix"]
    )
    assert "[\n          acme\n          bluetooth\n" in files["flake.nix"]


def test_a_service_that_is_always_on_has_no_switch(impermanence_repository: Path) -> None:
    """The neighbour's `cfg.enable &&` is left out."""
    wanted = proposal("acme", "security.acme", kept("/var/lib/acme"), enable="")
    _, files = plan(impermanence_repository, wanted)
    assert "lib.mkIf (wanted != {}) {" in files["nixos-modules/acme/persistence.nix"]


@pytest.mark.parametrize(
    ("enable", "expected"),
    [
        ("systemd.coredump.enable", "lib.mkIf (cfg.coredump.enable && wanted"),
        ("boot.plymouth.enable", "lib.mkIf (config.boot.plymouth.enable && wanted"),
    ],
)
def test_the_switch_may_be_elsewhere(
    impermanence_repository: Path, enable: str, expected: str
) -> None:
    """Below the option as `cfg`, else by its whole name."""
    wanted = proposal("systemd", "systemd", kept("/var/lib/systemd/coredump"), enable=enable)
    _, files = plan(impermanence_repository, wanted)
    assert expected in files["nixos-modules/systemd/persistence.nix"]


def test_without_a_neighbour_of_plain_form_there_is_a_form_of_our_own(
    impermanence_repository: Path,
) -> None:
    """A module with comments about its service is nothing to copy."""
    git(impermanence_repository, "rm", "--quiet", "nixos-modules/bluetooth/persistence.nix")
    git(impermanence_repository, "commit", "--quiet", "-m", "bluetooth: remove")
    _, files = plan(impermanence_repository, NETWORKMANAGER)
    module = files["nixos-modules/networkmanager/persistence.nix"]
    assert "cfg = config.networking.networkmanager;" in module
    assert 'transient.directories = ["/var/lib/NetworkManager"];' in module
    assert "lectured" not in module


def test_files_owners_and_comments(impermanence_repository: Path) -> None:
    """What a string cannot say becomes an attribute set; a reason stands above its path."""
    wanted = proposal(
        "demo",
        "services.demo",
        kept("/var/lib/demo", Level.IMPORTANT, user="demo", group="demo", mode=0o750),
        kept("/etc/demo.state", kind=Kind.FILE, comment="changed in place"),
        kept("/etc/demo.id", kind=Kind.FILE, method=Method.SYMLINK),
        kept('/var/lib/odd"${x}'),
    )
    _, files = plan(impermanence_repository, wanted)
    assert """
        normal.directories = ["/var/lib/odd\\"\\${x}"];
        normal.files = [
          {
            file = "/etc/demo.id";
            method = "symlink";
          }
          # changed in place
          "/etc/demo.state"
        ];
        important.directories = [
          {
            directory = "/var/lib/demo";
            user = "demo";
            group = "demo";
            mode = "0750";
          }
        ];
""" in files["nixos-modules/demo/persistence.nix"]


def test_paths_are_added_to_a_module_that_exists(impermanence_repository: Path) -> None:
    """What was there stays: paths that were not observed, comments, order, the flake."""
    wanted = proposal(
        "sudo",
        "security.sudo",
        kept("/var/db/sudo", comment="time stamps"),
        kept("/etc/sudo.key", Level.SECRET, kind=Kind.FILE),
        kept("/etc/sudo.id", kind=Kind.FILE),
    )
    change, files = plan(impermanence_repository, wanted)
    assert """
      normal = {
        directories = [
          # who was lectured
          "/etc/db/sudo/lectured" # each user a file
          # time stamps
          "/var/db/sudo"
        ];
        files = ["/etc/sudo.id"];
      };
      secret.files = ["/etc/sudo.key"];
""" in files["nixos-modules/sudo/persistence.nix"]
    assert list(files) == ["nixos-modules/sudo/persistence.nix"]
    assert [each.path for each in change.unobserved] == [b"/etc/db/sudo/lectured"]
    assert not change.is_new


def test_only_lines_are_added_to_an_existing_file(impermanence_repository: Path) -> None:
    """Nothing that stood there is changed, not even white space."""
    wanted = proposal("sudo", "security.sudo", kept("/var/db/sudo"))
    change, _ = plan(impermanence_repository, wanted)
    diff = open_repository(impermanence_repository).diff(change.files).decode()
    removed = [line for line in diff.splitlines() if line.startswith("-") and line[:3] != "---"]
    assert removed == []


def test_what_is_kept_already_is_no_change(impermanence_repository: Path) -> None:
    """Neither the path itself nor one inside a directory at a level of more or equal care."""
    wanted = proposal(
        "bluetooth",
        "hardware.bluetooth",
        kept("/var/lib/bluetooth"),
        kept("/var/lib/bluetooth/cache", Level.TRANSIENT),
    )
    change, _ = plan(impermanence_repository, wanted)
    assert change.files == ()


def test_another_level_is_mentioned_and_not_changed(impermanence_repository: Path) -> None:
    """Whose judgement is right is for people to say."""
    wanted = proposal("bluetooth", "hardware.bluetooth", kept("/var/lib/bluetooth", Level.SECRET))
    change, _ = plan(impermanence_repository, wanted)
    assert change.files == ()
    assert [each.path for each in change.other_levels] == [b"/var/lib/bluetooth"]


def test_directories_are_not_nested(impermanence_repository: Path) -> None:
    """Neither inside nor around what is kept: both bind mounts would fight over one place."""
    inside = proposal(
        "bluetooth", "hardware.bluetooth", kept("/var/lib/bluetooth/keys", Level.SECRET)
    )
    around = proposal("sudo", "security.sudo", kept("/etc/db"))
    new = proposal(
        "demo", "services.demo", kept("/var/lib/demo"), kept("/var/lib/demo/key", Level.SECRET)
    )
    for wanted, path in ((inside, "/var/lib/bluetooth/keys"), (around, "/etc/db")):
        change, _ = plan(impermanence_repository, wanted)
        assert change.files == ()
        assert [each.path for each in change.held_back] == [path]
    change, _ = plan(impermanence_repository, new)
    assert [each.path for each in change.held_back] == ["/var/lib/demo/key"]
    assert [each.path for each in change.added] == ["/var/lib/demo"]


def test_a_module_that_the_flake_forgot_is_entered(impermanence_repository: Path) -> None:
    """The file alone does nothing."""
    flake = (impermanence_repository / "flake.nix").read_text()
    without = "\n".join(line for line in flake.splitlines() if "bluetooth" not in line) + "\n"
    replace_file(impermanence_repository, "flake.nix", without)
    wanted = proposal("bluetooth", "hardware.bluetooth", kept("/var/lib/bluetooth"))
    _, files = plan(impermanence_repository, wanted)
    assert files == {"flake.nix": flake}


def test_a_module_is_found_by_its_option(impermanence_repository: Path) -> None:
    """Under whatever name upstream filed it."""
    wanted = proposal("bluez", "hardware.bluetooth", kept("/var/lib/bluez"))
    _, files = plan(impermanence_repository, wanted)
    assert list(files) == ["nixos-modules/bluetooth/persistence.nix"]


def test_a_module_of_another_option_is_not_touched(impermanence_repository: Path) -> None:
    """The same name with another option is a question, not a place to write to."""
    wanted = proposal("sudo", "security.sudo-rs", kept("/var/lib/sudo-rs"))
    with pytest.raises(RepositoryError, match=r"security\.sudo, not of security\.sudo-rs"):
        plan(impermanence_repository, wanted)


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("nixos-modules/sudo/persistence.nix", "{ a = ; }\n", r"sudo/persistence\.nix':1"),
        ("flake.nix", "{\n  outputs = [;\n}\n", r"'flake\.nix':2"),
        ("flake.nix", "{ outputs = _: { }; }\n", "no nixosModules with a default"),
    ],
)
def test_a_file_that_cannot_be_edited_is_refused(
    impermanence_repository: Path, path: str, content: str, message: str
) -> None:
    """By file and line, or by what it lacks."""
    replace_file(impermanence_repository, path, content)
    wanted = proposal("sudo", "security.sudo", kept("/var/db/sudo"))
    with pytest.raises(UsageError, match=message):
        plan(impermanence_repository, wanted)


def test_a_computed_default_is_refused(impermanence_repository: Path) -> None:
    """A default that is not written down as a set cannot be added to."""
    source = BLUETOOTH.replace("default = {\n", "default = lib.optionalAttrs true {\n", 1)
    replace_file(impermanence_repository, "nixos-modules/bluetooth/persistence.nix", source)
    wanted = proposal("bluetooth", "hardware.bluetooth", kept("/var/lib/bluez"))
    with pytest.raises(NixSyntaxError, match="not a plain attribute set"):
        plan(impermanence_repository, wanted)


def test_conditional_paths_count_as_kept(impermanence_repository: Path) -> None:
    """Paths of every list of the expression are read; the first list takes new ones."""
    source = BLUETOOTH.replace(
        '["/var/lib/bluetooth"]', '["/var/lib/bluetooth"] ++ lib.optional true "/x" ++ ["/y"]'
    )
    replace_file(impermanence_repository, "nixos-modules/bluetooth/persistence.nix", source)
    wanted = proposal("bluetooth", "hardware.bluetooth", kept("/y"), kept("/z"))
    change, files = plan(impermanence_repository, wanted)
    assert [each.path for each in change.added] == ["/z"]
    module = files["nixos-modules/bluetooth/persistence.nix"]
    assert '"/z"\n        ] ++ lib.optional true "/x" ++ ["/y"];' in module


@pytest.mark.nix
def test_nix_accepts_the_result(impermanence_repository: Path) -> None:
    """Both files, by Nix's own parser."""
    _, files = plan(impermanence_repository, NETWORKMANAGER)
    for content in files.values():
        subprocess.run(["nix-instantiate", "--parse", "-"], input=content.encode(), check=True)


def fake_formatter(directory: Path, name: str, script: str) -> None:
    """Put a program into a directory that formats the file it is given."""
    program = directory / name
    program.write_text(f"#!/bin/sh\nfor file; do :; done\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a directory at the front of PATH, so that no real formatter is found before it."""
    directory = tmp_path / "tools"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    return directory


def test_the_formatter_of_the_repository_is_run(impermanence_repository: Path, tools: Path) -> None:
    """One that would leave the neighbours alone has the last word about a new file."""
    fake_formatter(tools, "alejandra", 'sed -i "s/Networkmanager/formatted/" "$file"')
    _, files = plan(impermanence_repository, NETWORKMANAGER)
    assert "secrets of formatted." in files["nixos-modules/networkmanager/persistence.nix"]


def test_another_formatter_is_not_run(impermanence_repository: Path, tools: Path) -> None:
    """One that would change the neighbours is not the repository's own."""
    fake_formatter(tools, "alejandra", 'echo "# changed" >>"$file"')
    fake_formatter(tools, "nixfmt", "exit 1")
    _, files = plan(impermanence_repository, NETWORKMANAGER)
    assert "# changed" not in files["nixos-modules/networkmanager/persistence.nix"]
