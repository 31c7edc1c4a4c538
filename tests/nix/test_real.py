"""What docs/nixos.md promises, on a real NixOS: needs a tree of nixpkgs."""

import json
import os

import pytest
from nix_support import NIX, needs_checkouts, needs_nix, nix_instantiate

pytestmark = [
    needs_nix,
    pytest.mark.nix,
    needs_checkouts("NIXPKGS", "IMPERMANENCE", "PRESERVATION"),
]


def test_the_example_keeps_exactly_what_the_table_says() -> None:
    """The README's example, on a NixOS that is otherwise at its defaults."""
    module = os.environ.get("NIXPKGS_MODULE")
    result = nix_instantiate(
        *("--arg", "nixpkgs", os.environ["NIXPKGS"]),
        *("--arg", "impermanence", os.environ["IMPERMANENCE"]),
        *("--arg", "preservation", os.environ["PRESERVATION"]),
        *(("--arg", "extra", module) if module else ()),
        *("--argstr", "machine", "example", "--argstr", "backend", "impermanence"),
        *("--argstr", "initrd", "scripted", "--argstr", "stores", "one", "--argstr", "home", ""),
        str(NIX / "dev" / "matrix.nix"),
    )

    assert result.returncode == 0, result.stderr
    kept = set(json.loads(result.stdout)["kept"])
    always = {
        "/etc/NetworkManager/system-connections",
        "/var/db/sudo/lectured",
        "/var/lib/NetworkManager",
        "/var/lib/logrotate.status",
        "/var/lib/nixos",
        "/var/lib/systemd",
    }
    # By release: containers are on by default up to 24.05, NetworkManager enables wireless after.
    sometimes = {
        "/etc/nixos-containers",
        "/etc/wpa_supplicant/imperative.conf",
        "/var/lib/nixos-containers",
    }
    assert always <= kept <= always | sometimes
