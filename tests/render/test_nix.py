"""The Nix of an advice, through a real nix-instantiate: it evaluates, and says what was meant."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imptrace.errors import UsageError
from imptrace.judge.model import Advice, Kind, Method, NixosPlace
from imptrace.render.nix import Target, default_target, nix
from imptrace.render.nix_text import NotExpressibleError, attribute, binding, string
from imptrace.tracer.events import Op
from tests.judge.factory import access, advice, created, directory, file, made, run

needs_nix = pytest.mark.skipif(
    shutil.which("nix-instantiate") is None, reason="nix-instantiate is not installed"
)

ODD_NAMES = [
    'quote"d',
    "${pkgs.hello}",
    "$${x}",
    "$",
    "back\\slash\\${x}",
    "two\nlines",
    "tab\tcr\rbell\x07\x1b[31m",
    "''indented''",
    "# no comment /* */",
    "caf\u00e9 \U0001f600",
    " spaces  ",
]


def evaluated(text: str, tmp_path: Path) -> Any:
    """Evaluate Nix, strictly and to JSON."""
    source = tmp_path / "x.nix"
    source.write_bytes(text.encode())
    command = ["nix-instantiate", "--eval", "--strict", "--json", "--readonly-mode", source]
    result = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)


def service_advice() -> Advice:
    """Advise about a service: its directory, a secret one in /etc, and a file of a home."""
    return advice(
        run(
            made(b"/var/lib/keeper", mode=0o700, uid=990),
            created(b"/var/lib/keeper/data"),
            created(b"/etc/keeper/keys/a", after=file(mode=0o600, uid=0)),
            created(b"/home/alice/.keeperrc"),
            uid=990,
        ),
        directories={b"/etc/keeper/keys": directory(mode=0o700, uid=0)},
    )


@needs_nix
@pytest.mark.nix
@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_utf8_name_arrives(name: str, tmp_path: Path) -> None:
    """Quotes, interpolation, line ends, control characters: as string and as attribute name."""
    text = "{\n" + binding(f"a.{attribute(name)}", name, 1) + "\n}"
    assert evaluated(text, tmp_path) == {"a": {name: name}}


def test_what_nix_cannot_name_is_refused_by_name() -> None:
    """Invalid UTF-8 breaks Nix as soon as the string is used."""
    with pytest.raises(NotExpressibleError, match="caf\udce9"):
        string(b"/caf\xe9")


def test_a_path_that_nix_cannot_name_does_not_spoil_the_others() -> None:
    """It is left out, and named in the answer and beside it."""
    found = advice(run(created(b"/var/lib/ke\xff/x"), created(b"/var/lib/keeper/x")))
    text, left_out = nix([found], Target.IMPERMANENCE)
    assert '"/var/lib/keeper' in text
    assert left_out == ("/var/lib/ke\\xff: Nix cannot name it, because it is not UTF-8",)
    assert "# - /var/lib/ke\\xff" in text


@needs_nix
@pytest.mark.nix
def test_impermanence(tmp_path: Path) -> None:
    """System and home are apart; owner and mode are given where they are not the default."""
    text, _ = nix([service_advice()], Target.IMPERMANENCE, b"/keep")
    assert evaluated(text, tmp_path) == {
        "environment": {
            "persistence": {
                "/keep": {
                    "directories": [
                        {"directory": "/etc/keeper/keys", "mode": "0700"},
                        {
                            "directory": "/var/lib/keeper",
                            "user": "stored",
                            "group": "stored",
                            "mode": "0700",
                        },
                    ],
                    "users": {"alice": {"files": [".keeperrc"]}},
                }
            }
        }
    }


@needs_nix
@pytest.mark.nix
def test_preservation_gives_all_values(tmp_path: Path) -> None:
    """Its defaults would be applied at every boot, to what has other owners."""
    text, _ = nix([service_advice()], Target.PRESERVATION)
    kept = evaluated(text, tmp_path)["preservation"]["preserveAt"]["/persistent"]
    assert kept["directories"][0] == {
        "directory": "/etc/keeper/keys",
        "user": "root",
        "group": "root",
        "mode": "0700",
    }
    assert kept["users"]["alice"]["files"][0]["mode"] == "0644"


@needs_nix
@pytest.mark.nix
def test_home_manager_leaves_out_the_system(tmp_path: Path) -> None:
    """And says so."""
    text, left_out = nix([service_advice()], Target.HOME_MANAGER)
    assert evaluated(text, tmp_path) == {
        "home": {"persistence": {"/persistent": {"files": [".keeperrc"]}}}
    }
    assert left_out == (
        "/etc/keeper/keys: not in a home directory",
        "/var/lib/keeper: not in a home directory",
    )


def test_options_need_an_option() -> None:
    """An unknown service has none; the message names the other targets."""
    found = service_advice()
    assert default_target(found) is Target.IMPERMANENCE
    with pytest.raises(UsageError, match="--target impermanence"):
        nix([found], Target.OPTIONS)


@needs_nix
@pytest.mark.nix
def test_one_store_never_holds_a_path_twice(tmp_path: Path) -> None:
    """A secret part of a directory has a recommendation of its own, and no entry."""
    found = advice(
        run(
            made(b"/home/alice/.config/keeper", mode=0o700),
            *(created(b"/home/alice/.config/keeper/%d" % number) for number in range(9)),
            created(b"/home/alice/.config/keeper/token", after=file(mode=0o600)),
        )
    )
    assert [each.path for each in found.recommendations] == [
        b"/home/alice/.config/keeper",
        b"/home/alice/.config/keeper/token",
    ]
    text, _ = nix([found], Target.HOME_MANAGER)
    assert evaluated(text, tmp_path)["home"]["persistence"]["/persistent"] == {
        "directories": [{"directory": ".config/keeper", "mode": "0700"}]
    }
    assert "parts of it are secret" in text


def test_a_replaced_file_without_a_directory_gets_no_entry_but_a_remedy() -> None:
    """A bind mount would break it, and so would a link."""
    path = b"/home/alice/.keeper-settings"
    replaced = created(path, access(Op.RENAME, origin=path + b".new"))
    text, _ = nix([advice(run(replaced))], Target.IMPERMANENCE)
    assert text.startswith("{\n  # Left out:\n  # - /home/alice/.keeper-settings: no entry")


def test_a_database_alone_gets_no_entry_in_any_module() -> None:
    """Not even a copy: what was written last stands beside it."""
    found = advice(run(created(b"/home/alice/.keeper.db", hint="sqlite")))
    named = replace(found, subject=replace(found.subject, option="programs.keeper"))
    for target in Target:
        text = nix([named], target)[0]
        assert "/home/alice/.keeper.db: no entry can keep it" in text
        assert "files =" not in text


def test_what_lies_in_a_directory_that_nixos_has_elsewhere_moves_with_it() -> None:
    """It is no path of its own, and nothing was left out."""
    found = advice(
        run(
            *(created(b"/home/alice/.config/keeper/%d" % number) for number in range(9)),
            created(b"/home/alice/.config/keeper/token", after=file(mode=0o600)),
        )
    )
    directory, part = found.recommendations
    place = NixosPlace(
        path=b"/home/alice/.local/state/keeper",
        is_pattern=False,
        kind=Kind.DIRECTORY,
        user=None,
        group=None,
        mode=None,
        method=Method.BIND,
    )
    named = replace(place, path=b"/home/alice/.local/state/keeper/*/token", is_pattern=True)
    for part_there in (None, named):
        moved = replace(
            found,
            recommendations=(
                replace(directory, on_nixos=place),
                replace(part, method=Method.NONE, on_nixos=part_there),
            ),
        )
        text, left_out = nix([moved], Target.HOME_MANAGER)
        assert left_out == ()
        assert "token" not in text


def test_the_form_is_nixfmts() -> None:
    """Written as nixfmt leaves it: lists of one on a line, everything else expanded."""
    assert binding("a", [b"/x"], 1) == '  a = [ "/x" ];'
    assert binding("a", [b"/x", b"/y"]) == 'a = [\n  "/x"\n  "/y"\n];'
    assert (
        binding("a", [{"b": "c", "d": True}]) == 'a = [\n  {\n    b = "c";\n    d = true;\n  }\n];'
    )
    assert binding("a", []) == "a = [ ];"
    assert binding("a", [b"/" + b"x" * 100]) == f'a = [\n  "/{"x" * 100}"\n];'


ROOTS_RUN = run(
    created(b"/root/.config/demo/settings", after=file(uid=0)),
    made(b"/root/.config/demo", uid=0),
    uid=0,
    environ={"HOME": b"/root"},
)


def test_roots_own_files_are_the_systems() -> None:
    """A module for homes would join the path of the home before it: /root/root/.config/demo."""
    told = advice(ROOTS_RUN)
    assert default_target(told) is Target.IMPERMANENCE
    assert '"/root/.config/demo"' in nix([told], Target.IMPERMANENCE)[0]


def test_a_module_for_homes_gets_roots_paths_without_the_home() -> None:
    """Whoever runs home-manager for root."""
    text = nix([advice(ROOTS_RUN)], Target.HOME_MANAGER)[0]
    assert '".config/demo"' in text
    assert "/root/" not in text
