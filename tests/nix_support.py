"""How the tests reach nix-instantiate, and what it can be given to evaluate."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
NIX = ROOT / "nix"

needs_nix = pytest.mark.skipif(
    shutil.which("nix-instantiate") is None,
    reason="nix-instantiate is not installed (Debian: nix-bin)",
)


def needs_checkouts(*names: str) -> pytest.MarkDecorator:
    """Skip where an environment variable that names a checkout is not set."""
    missing = [name for name in names if not os.environ.get(name)]
    return pytest.mark.skipif(
        bool(missing), reason=f"{', '.join(missing)} must name a checkout to evaluate against"
    )


def nix_instantiate(
    *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Evaluate without a store, a daemon, or any privilege."""
    return subprocess.run(
        ["nix-instantiate", "--eval", "--strict", "--json", "--store", "dummy://", *arguments],
        env=os.environ | {"NIX_CONFIG": "build-users-group ="} | (env or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def evaluate(expression: str) -> Any:
    """Value of a Nix expression; `nix` stands for the directory of the modules in it."""
    result = nix_instantiate("-E", f"let nix = {NIX}; in {expression}")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def nixpkgs_lib() -> Path:
    """Find the library in NIXPKGS_LIB: a checkout of nixpkgs or nixpkgs.lib, or the lib itself."""
    checkout = Path(os.environ["NIXPKGS_LIB"])
    nested = checkout / "lib"
    return nested if (nested / "default.nix").exists() else checkout


def tools() -> str:
    """Nix expression for tests/evaluate.nix with every checkout that there is."""
    names = {
        "impermanence": "IMPERMANENCE",
        "preservation": "PRESERVATION",
        "homeManager": "HOME_MANAGER",
    }
    given = "".join(
        f"{argument} = {os.environ[name]}; "
        for argument, name in names.items()
        if os.environ.get(name)
    )
    return f"(import {NIX}/tests/evaluate.nix {{ nixpkgsLib = {nixpkgs_lib()}; {given}}})"
