"""`imptrace keep`: the fewest lines, where the configuration keeps its like."""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

IMPTRACE = Path(sys.executable).with_name("imptrace")
ME = pwd.getpwuid(os.getuid())
NIXOS = """\
{ lib, config, ... }:
{
  config = lib.mkIf config.wanted {
    environment.persistence."/persist" = {
      hideMounts = true;
      directories = [
        # read by people
        "/var/log" # all of it
        { directory = "/var/lib/colord"; user = "colord"; }
      ];
      files = [ "/etc/machine-id" ];
    };
  };
}
"""


ZIGZAG = """\
{ preservation.preserveAt."/p" = {
  directories = [
    "/z"
    "/a"
  ];
}; }
"""
MERGED = """\
{ lib, ... }: lib.mkMerge [ {
  environment.persistence = {
    "/p".directories = [
      # "/old"
    ];
  };
} ]
"""
JOINED = """\
{ environment.persistence."/p".directories = [
  "/a" ] ++ map (x: x) [ "/x" ]; }
"""


def keep(*arguments: str | Path, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [IMPTRACE, "keep", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def added(file: Path, before: str) -> list[str]:
    """List the lines that are new; the old ones must all be there, in their order."""
    old, new = before.splitlines(), file.read_text().splitlines()
    found = []
    for line in new:
        if old and line == old[0]:
            del old[0]
        else:
            found.append(line)
    assert not old
    return found


@pytest.mark.parametrize(
    ("before", "path", "lines"),
    [
        (NIXOS, "/var/lib/foo", ['        "/var/lib/foo"']),
        (
            'x: { environment.persistence.${x.y}.directories = [\n  "/a"\n  "/c"\n]; }\n',
            "/b",
            ['  "/b"'],
        ),
        (ZIGZAG, "/b", ['    "/b"']),
        (MERGED, "/b", ['      "/b"']),
        (
            '{ environment.persistence."/p" = {\n  hideMounts = true;\n}; }\n',
            "/b",
            ['  directories = [ "/b" ];'],
        ),
        (JOINED, "/b", ['  "/a" "/b" ] ++ map (x: x) [ "/x" ]; }']),
    ],
)
def test_one_line_in_the_style_of_its_neighbours(
    tmp_path: Path, before: str, path: str, lines: list[str]
) -> None:
    file = tmp_path / "a.nix"
    file.write_text(before)
    done = keep(path, "--config", file, "--yes")
    assert done.returncode == 0, done.stderr
    if before is JOINED:
        assert lines[0] in file.read_text()
    else:
        assert added(file, before) == lines
    if shutil.which("nix-instantiate"):
        subprocess.run(["nix-instantiate", "--parse", file], check=True, capture_output=True)
    assert "kept already" in keep(path, "--config", file, "--yes").stderr
    keep("--remove", path, "--config", file, "--yes")
    assert f'"{path}"' not in file.read_text()


def test_a_list_on_one_line_stays_there(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    file.write_text(NIXOS)
    assert keep("/etc/foo.conf", "--config", tmp_path, "--yes").returncode == 0
    assert '      files = [ "/etc/machine-id" "/etc/foo.conf" ];' in file.read_text()
    keep("--remove", "/etc/foo.conf", "--config", tmp_path, "--yes")
    assert file.read_text() == NIXOS


@pytest.mark.skipif(ME.pw_dir == "/root" and not Path("/home").is_dir(), reason="no homes")
def test_an_owner_that_matters_is_written(tmp_path: Path) -> None:
    """What the catalogue says of a service; nothing is asked of a recording."""
    file = tmp_path / "a.nix"
    file.write_text(NIXOS)
    done = subprocess.run(
        [IMPTRACE, "keep", "networkmanager", "--config", file, "--yes", "--db", tmp_path / "db"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert added(file, NIXOS) == [
        '        { directory = "/etc/NetworkManager/system-connections"; mode = "0700"; }',
        '        "/var/lib/NetworkManager"',
    ]


def test_kept_by_a_directory_above(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    file.write_text(NIXOS)
    done = keep("/var/log/foo/bar", "--config", file, "--yes")
    assert (done.returncode, file.read_text()) == (0, NIXOS)
    assert "/var/log/foo/bar is kept already: /var/log in" in done.stderr


def test_nothing_is_written_unasked(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    file.write_text(NIXOS)
    looked = keep("/var/lib/foo", "--config", file, "--dry-run")
    assert (looked.returncode, file.read_text()) == (0, NIXOS)
    assert '+        "/var/lib/foo"' in looked.stdout
    done = keep("/var/lib/foo", "--config", file)
    assert (done.returncode, file.read_text()) == (1, NIXOS)
    assert "--yes writes it" in done.stderr


def test_a_configuration_without_a_place_gets_a_file(tmp_path: Path) -> None:
    (tmp_path / "configuration.nix").write_text("{ }\n")
    done = keep("/var/lib/foo", "--config", tmp_path, "--yes")
    assert done.returncode == 0
    assert "imports = [ ./kept-by-imptrace.nix ];" in done.stderr
    assert '"/var/lib/foo"' in (tmp_path / "kept-by-imptrace.nix").read_text()
    # From now on that is the place.
    assert keep("/var/lib/bar", "--config", tmp_path, "--yes").returncode == 0
    assert '"/var/lib/bar"' in (tmp_path / "kept-by-imptrace.nix").read_text()


def test_a_computed_list_is_no_place_for_a_second_one(tmp_path: Path) -> None:
    file = tmp_path / "configuration.nix"
    text = '{ config, ... }: { environment.persistence."/p" = { directories = config.x; }; }\n'
    file.write_text(text)
    assert keep("/var/lib/foo", "--config", tmp_path, "--yes").returncode == 0
    assert file.read_text() == text
    assert (tmp_path / "kept-by-imptrace.nix").exists()


def test_uncommitted_changes_are_said(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    file.write_text(NIXOS)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert "not committed" in keep("/var/lib/foo", "--config", file, "--dry-run").stderr


def test_what_is_no_valid_nix_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    file.write_text("{ environment.persistence.x = [ ")
    done = keep("/var/lib/foo", "--config", tmp_path, "--dry-run")
    assert "not valid Nix" in done.stderr
    assert file.read_text() == "{ environment.persistence.x = [ "
