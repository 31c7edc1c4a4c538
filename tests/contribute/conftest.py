"""Real git repositories in both layouts, closed off from the machine's own git settings."""

from pathlib import Path

import pytest
from networkmanager_runs import record_two_runs
from sample_repositories import (
    BLUETOOTH,
    CATALOGUE_ENTRY,
    CLOSED_OFF,
    ENVIRONMENT,
    FLAKE,
    SUDO,
    make_repository,
)


@pytest.fixture(autouse=True)
def _git_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no setting of this machine's git into the tests."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name, value in CLOSED_OFF.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def impermanence_repository(tmp_path: Path) -> Path:
    """Make a repository laid out like nixos-impermanence."""
    files = {
        "flake.nix": FLAKE,
        "nixos-modules/environment/persistence.nix": ENVIRONMENT,
        "nixos-modules/bluetooth/persistence.nix": BLUETOOTH,
        "nixos-modules/sudo/persistence.nix": SUDO,
    }
    subjects = ("Initial commit", "bluetooth: persistence", "sudo: persistence")
    return make_repository(tmp_path / "impermanence", files, subjects)


@pytest.fixture
def catalogue_repository(tmp_path: Path) -> Path:
    """Make a repository laid out like this project."""
    files = {"nix/services/bluetooth.toml": CATALOGUE_ENTRY, "README.md": "# Catalogue\n"}
    subjects = ("Lay out the catalogue", "Describe the form of an entry")
    return make_repository(tmp_path / "catalogue", files, subjects)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record NetworkManager twice; the command line asks this database."""
    place = tmp_path / "imptrace.db"
    record_two_runs(place)
    monkeypatch.setenv("IMPTRACE_DB", str(place))
    return place
