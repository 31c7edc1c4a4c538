"""What units declare, as `systemctl show` prints it, and what is asked of the running systemd."""

import os
from pathlib import Path

import pytest

from imptrace.catalogue import shipped
from imptrace.evidence.asked_runs import Question
from imptrace.evidence.gather import gather
from imptrace.facts.levels import Level
from imptrace.facts.units import UnitDirectory, unit_directories

STATIC = {
    "User": "postgres",
    "Group": "postgres",
    "StateDirectory": "postgresql postgresql/17",
    "StateDirectoryMode": "0750",
    "CacheDirectory": "",
    "CacheDirectoryMode": "0755",
    "LogsDirectory": "postgresql",
    "LogsDirectoryMode": "0700",
    "ConfigurationDirectory": "postgresql",
    "ConfigurationDirectoryMode": "0755",
}


def test_directories_of_a_service_with_a_user_of_its_own() -> None:
    """Configuration is root's: systemd does not hand it over."""
    own = ("postgres", "postgres")
    assert list(unit_directories(STATIC)) == [
        UnitDirectory("StateDirectory", b"/var/lib/postgresql", Level.NORMAL, *own, 0o750),
        UnitDirectory("StateDirectory", b"/var/lib/postgresql/17", Level.NORMAL, *own, 0o750),
        UnitDirectory("LogsDirectory", b"/var/log/postgresql", Level.TRANSIENT, *own, 0o700),
        UnitDirectory(
            "ConfigurationDirectory", b"/etc/postgresql", Level.NORMAL, "root", "root", 0o755
        ),
    ]


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("", []),
        ("a b/c", [b"a", b"b/c"]),
        ("a:link b::ro", [b"a", b"b"]),
        (r"a\x20b", [b"a b"]),
        (r"$'a\040b' c", [b"a b", b"c"]),
        (r"$'it\'s'", [b"it's"]),
        (r"caf\xc3\xa9", ["café".encode()]),
        (r"\xff", [b"\xff"]),
        ("a a", [b"a"]),
        ("../x a/../b", []),
        ("\ud800 a", [b"a"]),
    ],
)
def test_lists_are_read_as_systemd_prints_them(printed: str, names: list[bytes]) -> None:
    found = unit_directories({"StateDirectory": printed})
    assert [each.path for each in found] == [b"/var/lib/" + name for name in names]


@pytest.mark.parametrize("mode", ["", "?", "0999", "07777777"])
def test_a_mode_that_is_none_is_not_known(mode: str) -> None:
    (found,) = unit_directories({"StateDirectory": "x", "StateDirectoryMode": mode})
    assert (found.user, found.group, found.mode) == ("root", "root", None)


def test_the_group_of_a_user_is_not_guessed() -> None:
    (found,) = unit_directories({"StateDirectory": "x", "User": "y"})
    assert (found.user, found.group) == ("y", None)


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a systemctl of our own first in PATH: there is no service manager in a test."""
    command = tmp_path / "systemctl"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return command


def asked(command: Path, script: str) -> dict[str, str]:
    """Tell what a service nobody recorded declares, where systemctl is `script`."""
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    facts = gather(None, Question(service="tor"), shipped())
    return dict(facts.unit_properties)


def test_the_running_systemd_is_asked_for_the_unit(systemctl: Path) -> None:
    found = asked(systemctl, 'echo LoadState=loaded; echo "User=$1 $3 $5 $6"; echo Group=')
    assert found == {"LoadState": "loaded", "User": "--system show -- tor.service"}


@pytest.mark.parametrize(
    "script",
    [
        "echo LoadState=not-found; echo DynamicUser=no",
        "echo 'System has not been booted with systemd' >&2; exit 1",
    ],
)
def test_no_unit_or_no_systemd_declares_nothing(systemctl: Path, script: str) -> None:
    assert asked(systemctl, script) == {}
