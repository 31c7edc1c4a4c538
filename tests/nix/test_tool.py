"""Which nixpkgs `services.imptrace` has the tool built with."""

import re
import tomllib
from pathlib import Path

import pytest
from nix_support import NIX, evaluate, needs_nix

PROJECT = tomllib.loads((NIX.parent / "pyproject.toml").read_text())["project"]


def test_the_module_asks_for_what_the_project_does() -> None:
    module = (NIX / "modules/watch.nix").read_text()
    (oldest,) = re.findall(r'oldest = "([\d.]+)";', module)
    assert f"tree-sitter>={oldest}" in PROJECT["dependencies"]


@needs_nix
@pytest.mark.parametrize(
    ("python", "built"),
    [
        ('{ tree-sitter.version = "0.25.1"; }', "own"),
        ('{ tree-sitter.version = "0.21.1"; }', "pinned for aarch64-linux"),
        ("{ }", "pinned for aarch64-linux"),
    ],
)
def test_a_release_that_is_too_old_takes_the_pinned_one(
    tmp_path: Path, python: str, built: str
) -> None:
    """NixOS 24.05 has no grammar of Nix for Python, and tree-sitter 0.21."""
    for folder in ("modules", "dev"):
        (tmp_path / folder).mkdir()
    for name in ("watch.nix", "watch.toml"):
        (tmp_path / "modules" / name).write_bytes((NIX / "modules" / name).read_bytes())
    (tmp_path / "dev/pins.nix").write_text("{ nixpkgs = ./tree.nix; }")
    (tmp_path / "dev/tree.nix").write_text(
        '{ system }: { callPackage = _: _: "pinned for ${system}"; }'
    )
    found = evaluate(
        f"""
        (import {tmp_path}/modules/watch.nix {{
          config = {{ }};
          lib = {{
            mkOption = it: it;
            mkEnableOption = it: it;
            versionAtLeast = one: other: builtins.compareVersions one other >= 0;
          }};
          pkgs = {{
            python3Packages = {python};
            stdenv.hostPlatform.system = "aarch64-linux";
            callPackage = _: _: "own";
          }};
        }}).options.services.imptrace.package.default
        """
    )
    assert found == built
