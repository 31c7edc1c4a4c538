"""docs/options.md is what the options say, and docs/nixos.md is what the tests evaluate."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest
from nix_support import NIX, ROOT, evaluate, needs_checkouts, needs_nix, tools

DOCS = ROOT / "docs"


def entries(directory: str) -> list[tuple[str, dict[str, Any]]]:
    """Catalogue entries that have a persistence option of their own."""
    read = [
        (path.stem, tomllib.loads(path.read_text()))
        for path in sorted((NIX / directory).glob("*.toml"))
    ]
    return [(name, entry) for name, entry in read if entry.keys() & {"persist", "instance"}]


@needs_nix
@pytest.mark.nix
@needs_checkouts("NIXPKGS_LIB")
def test_the_reference_is_current() -> None:
    """What nix/dev/options-doc prints is what is committed."""
    printed = subprocess.run(
        [NIX / "dev" / "options-doc"], capture_output=True, text=True, check=True, timeout=120
    ).stdout

    committed = (DOCS / "options.md").read_text()
    assert printed == committed, "run: nix/dev/options-doc > docs/options.md"


@pytest.mark.parametrize(
    ("directory", "fallback"),
    [
        ("services", "environment.automaticPersistence.entries"),
        ("home", "home.automaticPersistence.entries"),
    ],
)
def test_every_entry_is_in_the_reference(directory: str, fallback: str) -> None:
    """No entry was added without regenerating the page; needs no Nix to say so."""
    page = (DOCS / "options.md").read_text()
    missing = [
        name
        for name, entry in entries(directory)
        if f"### `{entry.get('option', f'{fallback}.{name}')}.persistence`\n" not in page
    ]

    assert missing == [], "run: nix/dev/options-doc > docs/options.md"


@pytest.mark.parametrize("directory", ["services", "home"])
def test_the_option_of_every_entry_can_be_declared(directory: str) -> None:
    """Two modules cannot declare one option, nor anything below what is an option itself."""
    found = entries(directory)
    options = [entry["option"] for _, entry in found if "option" in entry]
    leaves = {name for _, entry in found for name in leaf_options(entry)}

    assert sorted(options) == sorted(set(options))
    assert [
        option
        for option in options
        for leaf in leaves
        if f"{option}.persistence".startswith(f"{leaf}.")
    ] == []


def leaf_options(entry: dict[str, Any]) -> list[str]:
    """List the options of NixOS that the entry reads: values, not groups of options."""
    enable = entry.get("enable", [])
    return [
        *([enable] if isinstance(enable, str) else enable),
        *(record["each"] for record in entry.get("instance", [])),
        *(record["follows"] for record in entry.get("persist", []) if "follows" in record),
    ]


def test_the_example_is_the_one_that_is_evaluated() -> None:
    """The snippet to copy is nix/dev/example.nix, whose result nix/tests/example.nix holds."""
    assert (NIX / "dev" / "example.nix").read_text() in (DOCS / "nixos.md").read_text()


@needs_nix
@pytest.mark.nix
@needs_checkouts("NIXPKGS_LIB", "IMPERMANENCE")
def test_the_snippet_of_the_readme_keeps_the_same(tmp_path: Path) -> None:
    """README.md shows the example in fewer lines: it asks for the same paths in the same stores."""
    page = (ROOT / "README.md").read_text()
    [snippet] = [
        block.split("```")[0]
        for block in page.split("```nix\n")[1:]
        if "automaticPersistence" in block.split("```")[0]
    ]
    (tmp_path / "readme.nix").write_text(snippet)

    readme, example = evaluate(
        f"""
        let
          tools = {tools()};
          paths = store:
            map (one: one.dirPath) store.directories ++ map (one: one.filePath) store.files;
          kept = module:
            let inherit (tools.evaluate {{ modules = [ module ]; }}) config; in
            {{
              mounted = builtins.mapAttrs (_: paths) config.environment.persistence;
              copied = builtins.attrNames config.systemd.paths;
            }};
        in map kept [ {tmp_path}/readme.nix {NIX}/dev/example.nix ]
        """
    )

    assert readme == example
    assert "/var/lib/NetworkManager" in readme["mounted"]["/persistence"]


def commands_with(text: str, page: Path) -> str:
    """Find the block of shell commands on the page that has this text in it."""
    blocks = [block.split("```")[0] for block in page.read_text().split("```sh\n")[1:]]
    [found] = [block for block in blocks if text in block]
    return textwrap.dedent(found)


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_commands_that_move_existing_state_move_it(tmp_path: Path) -> None:
    """What exists is copied with its parents' modes; what the store has already is not touched."""
    root, store = tmp_path / "root", tmp_path / "store"
    (root / "closed" / "state").mkdir(parents=True)
    (root / "closed" / "state" / "file").write_text("old")
    (root / "closed").chmod(0o700)
    (root / "there").write_text("on the old root")
    (store / str(root / "there")[1:]).parent.mkdir(parents=True)
    (store / str(root / "there")[1:]).write_text("in the store")
    kept = [
        {"store": str(store), "path": str(root / name)}
        for name in ("closed/state", "there", "missing")
    ]
    nix = tmp_path / "bin" / "nix"
    nix.parent.mkdir()
    nix.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(kept)}\nEND\n")
    nix.chmod(0o755)

    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands_with("imptrace move", DOCS / "nixos.md")],
        env=os.environ
        | {"PATH": f"{nix.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"},
        check=True,
        timeout=60,
    )

    stored = store / str(root)[1:]
    assert (stored / "closed" / "state" / "file").read_text() == "old"
    assert (stored / "closed").stat().st_mode & 0o777 == 0o700
    assert (stored / "there").read_text() == "in the store"
    assert not (stored / "missing").exists()
