"""What units declare: from the output of `systemctl show`, and from whatever systemctl there is."""

import os
from pathlib import Path

import pytest

from imptrace.catalogue.model import Place
from imptrace.catalogue.units import DeclaredPath, ask_systemd, declarations, parse_properties
from imptrace.levels import Level

STATIC = """\
LoadState=loaded
FragmentPath=/etc/systemd/system/postgresql.service
User=postgres
Group=postgres
DynamicUser=no
RuntimeDirectory=postgresql
StateDirectory=postgresql postgresql/17
StateDirectoryMode=0750
CacheDirectory=
CacheDirectoryMode=0755
LogsDirectory=postgresql
LogsDirectoryMode=0700
ConfigurationDirectory=postgresql
ConfigurationDirectoryMode=0755
"""

DYNAMIC = """\
LoadState=loaded
DynamicUser=yes
User=ollama
StateDirectory=ollama
StateDirectoryMode=0755
CacheDirectory=ollama
ConfigurationDirectory=ollama
RuntimeDirectory=ollama
"""


def test_directories_of_a_service_with_a_user_of_its_own() -> None:
    found = declarations(parse_properties(STATIC))
    assert (found.user, found.group, found.dynamic_user) == ("postgres", "postgres", False)
    assert found.fragment == b"/etc/systemd/system/postgresql.service"
    assert found.runtime == (b"/run/postgresql",)
    shown = [(path.path, path.level, path.user, path.mode) for path in found.paths]
    assert shown == [
        (b"/var/lib/postgresql", Level.NORMAL, "postgres", 0o750),
        (b"/var/log/postgresql", Level.TRANSIENT, "postgres", 0o700),
        (b"/etc/postgresql", Level.NORMAL, "root", 0o755),
    ]


def test_dynamic_user_keeps_the_private_directory_without_owner() -> None:
    found = declarations(parse_properties(DYNAMIC))
    assert (found.user, found.dynamic_user) == (None, True)
    assert found.paths[0] == DeclaredPath(
        directive="StateDirectory",
        path=b"/var/lib/private/ollama",
        public=b"/var/lib/ollama",
        level=Level.NORMAL,
        user=None,
        group=None,
        mode=0o700,
    )
    assert [path.path for path in found.paths[1:]] == [b"/var/cache/private/ollama", b"/etc/ollama"]
    assert found.paths[2].user == "root"


def test_unit_of_a_user_is_below_the_home_directory() -> None:
    properties = parse_properties("StateDirectory=a\nCacheDirectory=a\nLogsDirectory=a\n")
    found = declarations(properties, Place.HOME)
    assert [path.path for path in found.paths] == [
        b".local/state/a",
        b".cache/a",
        b".local/state/log/a",
    ]
    assert {path.user for path in found.paths} == {None}


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("", []),
        ("a b/c", [b"a", b"b/c"]),
        ("a:link b::ro", [b"a", b"b"]),
        (r"a\x20b", [b"a b"]),
        (r"$'a\040b' c", [b"a b", b"c"]),
        (r"$'it\'s'", [b"it's"]),
        (r"caf\xc3\xa9", "café".encode()),
        (r"\xff", [b"\xff"]),
        ("a a", [b"a"]),
        ("../x a/../b", []),
    ],
)
def test_lists_are_read_as_systemd_prints_them(printed: str, names: list[bytes] | bytes) -> None:
    wanted = [names] if isinstance(names, bytes) else names
    found = declarations({"StateDirectory": printed})
    assert [path.path for path in found.paths] == [b"/var/lib/" + name for name in wanted]


def test_root_service_without_modes_has_the_defaults_of_systemd() -> None:
    (path,) = declarations({"StateDirectory": "x", "StateDirectoryMode": "?"}).paths
    assert (path.user, path.group, path.mode) == ("root", "root", 0o755)


def test_group_of_a_user_is_not_guessed() -> None:
    assert declarations({"User": "x"}).group is None


def test_value_may_hold_equal_signs_and_other_lines_are_ignored() -> None:
    properties = parse_properties("FragmentPath=/a=b\n\nnoise\nUser=x\nUser=y\n")
    assert properties == {"FragmentPath": "/a=b", "User": "x"}


def systemctl(directory: Path, script: str) -> None:
    command = directory / "systemctl"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)


def test_systemd_is_asked_for_the_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl(tmp_path, 'echo LoadState=loaded; echo "User=$1 $2 $5 $6"')
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert ask_systemd("-x.service") == {
        "LoadState": "loaded",
        "User": "--system show -- -x.service",
    }
    answer = ask_systemd("x.service", user=True)
    assert answer is not None
    assert answer["User"].startswith("--user")


@pytest.mark.parametrize(
    "script",
    ["echo LoadState=not-found", "echo 'System has not been booted with systemd' >&2; exit 1"],
)
def test_no_unit_or_no_systemd_declares_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    systemctl(tmp_path, script)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert ask_systemd("x.service") is None


def test_no_systemctl_declares_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_systemd("x.service") is None


@pytest.mark.skipif(not Path("/run/systemd/system").is_dir(), reason="systemd does not run here")
def test_running_systemd_knows_its_journal() -> None:
    properties = ask_systemd("systemd-journald.service")
    assert properties is not None
    assert declarations(properties).user == "root"


def test_unit_that_nobody_has_declares_nothing() -> None:
    assert ask_systemd("imptrace-no-such-unit.service") is None
