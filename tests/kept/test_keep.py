"""`imptrace keep`: the fewest lines, where the configuration keeps its like."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import forked
import pytest
from nix_support import needs_nix

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


def keep(*arguments: str | Path, stdin: str = "") -> forked.Done:
    return forked.run_text("keep", *arguments, stdin=stdin)


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
        (
            '{ preservation = {\n  preserveAt."/p".files = [ "/a" ];\n}; }\n',
            "/b",
            ['  preserveAt."/p".directories = [ "/b" ];'],
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
    done = keep("networkmanager", "--config", file, "--yes", "--db", tmp_path / "db")
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


COMPUTED = [
    ("directories = config.x;", 'directories = [ "/var/lib/foo" ] ++ config.x;'),
    ("directories = map f config.x;", 'directories = [ "/var/lib/foo" ] ++ map f config.x;'),
    (
        'directories = if config.x then [ "/a" ] else [ ];',
        'directories = [ "/var/lib/foo" ] ++ (if config.x then [ "/a" ] else [ ]);',
    ),
    (
        'directories = lib.optionals config.x [ "/a" ];',
        'directories = [ "/var/lib/foo" ] ++ lib.optionals config.x [ "/a" ];',
    ),
    (
        "directories = lib.mkIf config.x cfg.all;",
        'directories = lib.mkIf config.x ([ "/var/lib/foo" ] ++ cfg.all);',
    ),
    (
        'directories = lib.optional config.x "/a" ++ [ "/b" ];',
        'directories = lib.optional config.x "/a" ++ [ "/b" "/var/lib/foo" ];',
    ),
    (
        'directories = builtins.concatLists [ [ "/a" ] cfg.more ];',
        'directories = builtins.concatLists [ [ "/a" "/var/lib/foo" ] cfg.more ];',
    ),
    (
        "directories = with lib; unique cfg.more;",
        'directories = with lib; unique ([ "/var/lib/foo" ] ++ cfg.more);',
    ),
]


@pytest.mark.parametrize(("before", "after"), COMPUTED)
def test_a_computed_list_is_joined_to_another(tmp_path: Path, before: str, after: str) -> None:
    """What stands under a condition is no place for what is always to be kept."""
    file = tmp_path / "configuration.nix"
    text = (
        "{ config, lib, ... }: let cfg = config.mine; f = x: x; in\n"
        f'{{ environment.persistence."/p" = {{\n  {before}\n}}; }}\n'
    )
    file.write_text(text)
    done = keep("/var/lib/foo", "--config", tmp_path, "--yes")
    assert done.returncode == 0, done.stderr
    assert file.read_text() == text.replace(before, after)
    assert keep("--remove", "/var/lib/foo", "--config", tmp_path, "--yes").returncode == 0
    assert file.read_text() == text


def test_kept_under_a_condition_is_said(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    file.write_text(
        '{ lib, x, ... }: { environment.persistence."/p".directories = [ "/a" ]\n'
        '  ++ lib.optionals x [ "/b" ] ++ lib.optional x "/c"; }\n'
    )
    for path in ("/b", "/c/d"):
        done = keep(path, "--config", file, "--yes")
        assert "is kept already" in done.stderr
        assert "where its condition holds" in done.stderr


OWN = {
    "{ config, lib, ... }: let cfg = config.mine.persist; in {\n"
    "  options.mine.persist.directories = lib.mkOption { };\n"
    '  config.environment.persistence."/p" = {\n'
    '    directories = [ "/var/log" ] ++ cfg.directories;\n'
    "    users.ann = { inherit (cfg.home) directories files; };\n"
    "  };\n"
    "}\n": '{ mine.persist.home.files = [ ".b" ]; mine.persist.directories = [ "/x" ]; }\n',
    "{ lib, ... }: {\n"
    '  imports = [ (lib.mkAliasOptionModule [ "mine" ] [ "environment" "persistence" "/p" ]) ];\n'
    "}\n": '{ mine.users.ann.files = [ ".b" ]; mine.directories = [ "/x" ]; }\n',
    "{ config, ... }: let kept = map (x: x) config.mine.dirs; in {\n"
    '  environment.persistence."/p".directories = kept;\n'
    "}\n": '{ mine.dirs = [ "/x" ]; }\n',
}


@needs_nix
@pytest.mark.parametrize(("module", "used"), OWN.items())
def test_options_of_the_users_own(tmp_path: Path, module: str, used: str) -> None:
    """They are read where they are set, and are a place as good as any."""
    (tmp_path / "module.nix").write_text(module)
    file = tmp_path / "used.nix"
    file.write_text(used)
    assert "kept already: /x in" in keep("/x/y", "--config", tmp_path, "--dry-run").stderr
    (tmp_path / "module.nix").write_text(module.replace('[ "/var/log" ] ++ ', ""))
    done = keep("/var/lib/foo", "--config", tmp_path, "--yes")
    assert done.returncode == 0, done.stderr
    assert file.read_text() == used.replace('"/x"', '"/x" "/var/lib/foo"'), done.stderr
    assert "only what was asked for changes" in done.stderr
    assert keep("--remove", "/var/lib/foo", "--config", tmp_path, "--yes").returncode == 0
    assert file.read_text() == used


def test_pipes_of_newer_nix(tmp_path: Path) -> None:
    """The grammar does not know them, nor does Nix unless it is told to."""
    file = tmp_path / "a.nix"
    text = (
        "{ lib, ... }: {\n"
        "  x = [ 1 ] |> map (y: y) |> lib.flatten; # a |> b\n"
        '  environment.persistence."/p".directories = [ "/a" ];\n'
        "}\n"
    )
    file.write_text(text)
    done = keep("/var/lib/foo", "--config", file, "--yes")
    assert done.returncode == 0, done.stderr
    assert file.read_text() == text.replace('"/a"', '"/a" "/var/lib/foo"')


def test_uncommitted_changes_are_said(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    file.write_text(NIXOS)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert "not committed" in keep("/var/lib/foo", "--config", file, "--dry-run").stderr


def test_what_has_no_end_is_not_read(tmp_path: Path) -> None:
    """A pipe, a device, a hole of many gigabytes beside the file with the list."""
    file = tmp_path / "a.nix"
    file.write_text('{ environment.persistence."/p".directories = [ "/var/lib/a" ]; }\n')
    os.mkfifo(tmp_path / "b.nix")
    (tmp_path / "c.nix").symlink_to("/dev/zero")
    with (tmp_path / "d.nix").open("wb") as hole:
        hole.truncate(1 << 40)
    done = keep("/var/lib/other", "--config", tmp_path, "--yes")
    assert done.returncode == 0, done.stderr
    assert "/var/lib/other" in file.read_text()
    assert done.stderr.count("not read: ") == 3


def test_no_link_leads_what_is_written_elsewhere(tmp_path: Path) -> None:
    """Whose directory it is may put one where root writes the new file first."""
    top, other = tmp_path / "top", tmp_path / "other"
    top.mkdir()
    other.write_text("root's own\n")
    file = top / "a.nix"
    file.write_text('{ environment.persistence."/p".directories = [ "/var/lib/a" ]; }\n')
    file.chmod(0o640)
    (top / ".a.nix.imptrace").symlink_to(other)
    assert keep("/var/lib/other", "--config", top, "--yes").returncode == 0
    assert other.read_text() == "root's own\n"
    assert "/var/lib/other" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640


def test_what_is_no_valid_nix_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    file.write_text("{ environment.persistence.x = [ ")
    done = keep("/var/lib/foo", "--config", tmp_path, "--dry-run")
    assert "not valid Nix" in done.stderr
    assert file.read_text() == "{ environment.persistence.x = [ "


def test_what_nobody_knows_is_said(tmp_path: Path) -> None:
    """Each instance of redis has a directory of its own: the catalogue names none."""
    file = tmp_path / "a.nix"
    file.write_text(NIXOS)
    done = keep("redis", "/var/lib/foo", "--config", file, "--yes", "--db", tmp_path / "db")
    assert done.returncode == 1
    assert "redis: no path of it is known: record it, or name its paths" in done.stderr
    assert '"/var/lib/foo"' in file.read_text()


def test_no_second_list_for_a_computed_store(tmp_path: Path) -> None:
    """Nix joins no two definitions of a computed name."""
    file = tmp_path / "a.nix"
    text = 'x: {\n  environment.persistence.${x.y}.files = [ "/a" ];\n}\n'
    file.write_text(text)
    assert keep("/var/lib/foo", "--config", tmp_path, "--yes").returncode == 0
    assert file.read_text() == text


def test_a_byte_order_mark_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    file.write_bytes(b"\xef\xbb\xbf" + NIXOS.encode())
    done = keep("/var/lib/foo", "--config", file, "--yes")
    assert "begins with a byte order mark, which Nix does not read" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["a.nix"]
    assert file.read_bytes() == b"\xef\xbb\xbf" + NIXOS.encode()


@pytest.mark.parametrize(
    ("block", "new"),
    [
        ("{\n    ${x} = y;\n  }", '{\n    ${x} = y;\n    directories = [ "/var/lib/foo" ];\n  }'),
        ("cfg // {\n    a = 1;\n  }", None),
        ("cfg // { }", None),
    ],
)
def test_nothing_that_is_there_is_replaced(tmp_path: Path, block: str, new: str | None) -> None:
    """What has a computed name stays; a list beside the unknown would take the place of its own."""
    file = tmp_path / "a.nix"
    text = 'cfg: x: y: {\n  environment.persistence."/p" = BLOCK;\n}\n'
    file.write_text(text.replace("BLOCK", block))
    keep("/var/lib/foo", "--config", tmp_path, "--yes")
    assert file.read_text() == text.replace("BLOCK", new or block)
    assert (tmp_path / "kept-by-imptrace.nix").exists() == (new is None)


@needs_nix
def test_nix_says_that_only_this_changes(tmp_path: Path) -> None:
    """Each changed file by itself, whatever of the rest it needs; also when it is taken out."""
    file = tmp_path / "a.nix"
    file.write_text(
        "{ config, lib, pkgs, inputs, ... }: {\n"
        "  imports = [ inputs.impermanence.nixosModules.impermanence ];\n"
        "  services.x.enable = config.y.z;\n"
        '  environment.persistence."/p" = lib.mkIf config.y.z {\n'
        '    directories = [ "/var/log" { directory = "/a"; mode = "0700"; } ];\n'
        "  };\n"
        '  home-manager.users.me.home.persistence."/p/home".files = [ ".x" ];\n'
        "}\n"
    )
    for words in (["/var/lib/foo"], ["--remove", "/var/lib/foo"]):
        done = keep(*words, "--config", file, "--yes")
        assert done.returncode == 0, done.stderr
        assert "evaluated before and after (each changed file by itself)" in done.stderr


@needs_nix
def test_what_does_not_evaluate_is_said(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    file.write_text(
        '{ x, ... }: { environment.persistence."/p".directories = [ (throw x.y) "/a" ]; }\n'
    )
    done = keep("/var/lib/foo", "--config", file, "--yes")
    assert done.returncode == 0
    assert "not evaluated, only parsed: a.nix alone: " in done.stderr
    assert '"/var/lib/foo"' in file.read_text()


@needs_nix
def test_a_change_that_nix_takes_otherwise_is_refused(tmp_path: Path) -> None:
    """A list that is put through a function keeps something else than its lines say."""
    file = tmp_path / "a.nix"
    text = (
        'let mkIf = c: v: v // { directories = map (x: "/data" + x) v.directories; }; in\n'
        '{ environment.persistence."/p" = mkIf true { directories = [ "/a" ]; }; }\n'
    )
    file.write_text(text)
    done = keep("/var/lib/foo", "--config", file, "--yes")
    assert done.returncode == 125
    assert "Nix makes something else of the change" in done.stderr
    assert file.read_text() == text


@needs_nix
def test_a_whole_flake(tmp_path: Path) -> None:
    """Every host counts, without any network; the user's flake stays without a lock file."""
    (tmp_path / "flake.nix").write_text(
        "{ outputs = _: { nixosConfigurations.box.config = import ./kept.nix; }; }\n"
    )
    file = tmp_path / "kept.nix"
    file.write_text('{ environment.persistence."/p" = { directories = [ "/a" ]; }; }\n')
    done = keep("/var/lib/foo", "--config", tmp_path, "--yes")
    assert done.returncode == 0, done.stderr
    assert "evaluated before and after (" in done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["flake.nix", "kept.nix"]


def test_an_option_keeps_its_own(tmp_path: Path) -> None:
    """OPTION.persistence.LEVEL comes before the lists of a store, and counts as kept."""
    file = tmp_path / "a.nix"
    text = (
        "{\n"
        '  environment.persistence."/p".directories = [ "/a" "/b" ];\n'
        "  networking.networkmanager.persistence = {\n"
        '    normal.directories = [ "/var/lib/NetworkManager" ];\n'
        "    secret.directories = [ ];\n"
        "  };\n"
        "}\n"
    )
    file.write_text(text)
    done = keep("networkmanager", "--config", file, "--yes", "--db", str(tmp_path / "db"))
    assert done.returncode == 0, done.stderr
    assert "/var/lib/NetworkManager is kept already" in done.stderr
    (new,) = [line for line in file.read_text().splitlines() if line not in text.splitlines()]
    assert new.startswith("    secret.directories = [ { directory = ")


def test_a_list_that_is_empty_again_goes(tmp_path: Path) -> None:
    file = tmp_path / "a.nix"
    text = '{\n  environment.persistence."/p" = {\n    hideMounts = true;\n  };\n}\n'
    file.write_text(text)
    assert keep("/var/lib/foo", "--config", file, "--yes").returncode == 0
    assert "directories" in file.read_text()
    assert keep("--remove", "/var/lib/foo", "--config", file, "--yes").returncode == 0
    assert file.read_text() == text


BOUND = """{ ... }:
let
  kept = [
    "/a"
  ];
in
{ environment.persistence."/p".directories = kept; }
"""
INHERITED = """{ ... }:
let
  directories = [ "/a" ];
in
{ environment.persistence."/p" = { inherit directories; }; }
"""
PREFIXED = """{
  environment.persistence."/p".directories = map (x: "/var/lib/${x}") [ "a" "z" ];
}
"""
INHERITING = """{ config, ... }: {
  environment.persistence."/p" = {
    inherit (config.mine) files;
  };
}
"""
PART = """{ inputs, ... }: {
  flake.nixosModules.kept = { config, ... }: {
    environment.persistence."${config.my.store}" = {
      directories = [
        "${config.services.x.dataDir}/a"
      ];
    };
  };
}
"""
OTHER_ENDS = '{ environment.persistence."/p".directories = [\r\n\t"/a"\r\n]; }\r\n'


@needs_nix
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BOUND, '    "/a"\n    "/var/lib/foo"\n'),
        (INHERITED, 'directories = [ "/a" "/var/lib/foo" ];'),
        (PREFIXED, '[ "a" "foo" "z" ]'),
        (INHERITING, '(config.mine) files;\n    directories = [ "/var/lib/foo" ];\n'),
        (PART, '/a"\n        "/var/lib/foo"\n      ];'),
        (OTHER_ENDS, '\t"/a"\r\n\t"/var/lib/foo"\r\n]'),
    ],
)
def test_other_styles(tmp_path: Path, before: str, after: str) -> None:
    """Evaluated alone on stand-ins, and taken out again to the last byte."""
    file = tmp_path / "a.nix"
    file.write_bytes(before.encode())
    done = keep("/var/lib/foo", "--config", file, "--yes")
    assert done.returncode == 0, done.stderr
    assert after in file.read_bytes().decode(), done.stderr
    assert "only what was asked for changes" in done.stderr
    assert keep("--remove", "/var/lib/foo", "--config", file, "--yes").returncode == 0
    assert file.read_bytes().decode() == before
