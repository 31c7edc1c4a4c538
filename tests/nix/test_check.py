"""`nix/check`: what CI runs, with and without the checkouts that some of it needs."""

import os
import subprocess

import pytest
from nix_support import NIX, needs_checkouts, needs_nix, nix_instantiate

CHECKOUTS = ("NIXPKGS_LIB", "IMPERMANENCE", "PRESERVATION", "HOME_MANAGER")

pytestmark = [needs_nix, pytest.mark.nix]


def check(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [NIX / "check"], env=env, capture_output=True, text=True, check=False, timeout=300
    )


def without_checkouts() -> dict[str, str]:
    unwanted = {*CHECKOUTS, "NIX_PATH"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def test_needs_nothing_but_nix_instantiate_and_says_what_it_skipped() -> None:
    """Without any checkout the pure part runs, and each missing checkout is named."""
    result = check(without_checkouts())

    assert result.returncode == 0, result.stdout + result.stderr
    assert '"pure":' in result.stdout
    assert "modules" not in result.stdout
    for name in CHECKOUTS:
        assert f"skipped  what needs {name}" in result.stdout


@needs_checkouts(*CHECKOUTS)
def test_every_case_holds() -> None:
    """The modules do what every case says, with the real back ends and home-manager."""
    result = check(dict(os.environ))

    assert result.returncode == 0, result.stdout + result.stderr
    assert "skipped  what needs" not in result.stdout
    for cases in ("pure", "modules", "example", "preservation", "home", "boundaries"):
        assert f'"{cases}":' in result.stdout


def test_a_case_that_fails_is_shown_and_fails_the_check() -> None:
    """The runner of the cases can fail: it names the case, and both values."""
    cases = "{ sum = { actual = 1 + 1; expected = 3; }; }"
    result = nix_instantiate("-E", f"import {NIX}/tests/run.nix {cases}")

    assert result.returncode != 0
    assert "1 of 1 cases failed" in result.stderr
    assert "expected 3" in result.stderr
    assert "got      2" in result.stderr
