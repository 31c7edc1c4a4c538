"""`imptrace services`, run as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import forked
import pytest

from imptrace.catalogue.checking import Breach
from imptrace.render import catalogue_json


def services(*arguments: str) -> forked.Done:
    return forked.run_text("services", *arguments)


def test_list_names_every_entry_on_a_line_of_its_own() -> None:
    done = services()
    heading, *lines = done.stdout.splitlines()
    assert heading.split() == ["NAME", "PLACE", "TITLE", "KEEPS", "OPTION"]
    assert len(lines) > 400
    (line,) = (line for line in lines if line.startswith("networkmanager "))
    assert line.split() == [
        "networkmanager", "service", "NetworkManager", "1", "secret,", "1", "normal",
        "networking.networkmanager",
    ]  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_one_entry_is_shown_in_full() -> None:
    shown = services("NetworkManager.service").stdout
    assert shown.startswith("NetworkManager\n")
    for text in (
        "networking.networkmanager.enable",
        "/etc/NetworkManager/system-connections/  secret  root:root 0700",
        "kept by 83 of 138 public configurations",
        "/var/lib/misc/",
        "nix/services/networkmanager.toml",
    ):
        assert text in shown


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("redis", "for each of services.redis.servers"),
        ("factorio.service", "follows /var/lib/private/services.factorio.stateDirName"),
        ("machine-id", "made only when it is absent; needed in the initrd"),
        ("vaultwarden", "since stateVersion 24.11"),
        ("seerr", "before stateVersion 26.05"),
        ("logrotate", "replaced by rename; elsewhere /var/lib/logrotate/status"),
    ],
)
def test_rare_keys_are_shown_in_words(name: str, text: str) -> None:
    assert text in services(name).stdout


def test_name_of_several_entries_shows_them_all() -> None:
    titles = [line for line in services("display-manager.service").stdout.splitlines() if line]
    assert {"GNOME display manager", "LightDM", "SDDM"} <= set(titles)


def test_entry_is_shown_with_what_belongs_to_it() -> None:
    shown = services("podman").stdout
    assert shown.startswith("Podman\n")
    assert "/var/lib/containers/" in shown


def test_json_holds_every_key_of_an_entry() -> None:
    answer = json.loads(services("networkmanager", "--json").stdout)
    (entry,) = answer["services"]
    assert answer["schema"] == "imptrace.services/1"
    assert entry["option"] == "networking.networkmanager"
    assert entry["persist"][0] == {
        "path": "/etc/NetworkManager/system-connections",
        "kind": "directory",
        "level": "secret",
        "user": "root",
        "group": "root",
        "mode": "0700",
        "follows": None,
        "each": None,
        "written": "in-place",
        "early_boot": False,
        "since_state_version": None,
        "before_state_version": None,
        "elsewhere": [],
        "repos": 83,
        "note": "connections that users added, with their passwords",
        "dump": None,
    }


@pytest.mark.parametrize(
    "shape",
    [catalogue_json.EntryJson, catalogue_json.KeptJson, catalogue_json.NeverJson, Breach],
)
def test_every_key_is_documented(shape: type) -> None:
    page = (Path(__file__).parents[2] / "docs" / "json.md").read_text()
    for key in get_type_hints(shape):
        assert f"`{key}`" in page


def test_unknown_name_is_a_wrong_usage_with_the_nearest_names() -> None:
    done = services("networkmanagr")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("imptrace: no service or program 'networkmanagr'")
    assert "did you mean networkmanager" in done.stderr


def test_hostile_name_is_escaped() -> None:
    assert "\x1b" not in services("\x1b[31m").stderr


def test_check_says_on_stderr_that_all_is_well() -> None:
    done = services("--check")
    assert (done.returncode, done.stdout) == (0, "")
    assert "keeps to the guidelines" in done.stderr


def test_check_in_json_is_an_empty_list() -> None:
    answer = json.loads(services("--check", "--json").stdout)
    assert answer == {"schema": "imptrace.findings/1", "findings": []}


def test_check_of_one_name_is_refused() -> None:
    done = services("--check", "networkmanager")
    assert done.returncode == 2
    assert "leave out the name" in done.stderr


def test_shell_completes_the_names_of_entries() -> None:
    environment = {
        **os.environ,
        "_IMPTRACE_COMPLETE": "complete_bash",
        "COMP_WORDS": "imptrace services networkm",
        "COMP_CWORD": "2",
    }
    command = [sys.executable, "-c", "from imptrace.cli.app import app; app(prog_name='imptrace')"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    assert done.stdout.split() == ["networkmanager"]


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_has_an_example(flag: str) -> None:
    assert "Example: imptrace services networkmanager" in services(flag).stdout
