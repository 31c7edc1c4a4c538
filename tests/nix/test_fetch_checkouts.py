"""`nix/dev/fetch-checkouts`: what CI gets the checkouts with."""

import base64
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from nix_support import NIX

pytestmark = pytest.mark.skipif(
    not (shutil.which("nix-hash") and shutil.which("curl")), reason="needs nix-hash and curl"
)


def pin(tmp_path: Path, digest: str) -> Path:
    """Pin an archive with one file in it, under this digest."""
    pins = {"home-manager": {"url": (tmp_path / "archive.tar.gz").as_uri(), "sha256": digest}}
    path = tmp_path / "pins.json"
    path.write_text(json.dumps(pins))
    return path


def fetch(tmp_path: Path, pins: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [NIX / "dev" / "fetch-checkouts", tmp_path / "checkouts", pins],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(name="digest")
def _digest(tmp_path: Path) -> str:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("text")
    with tarfile.open(tmp_path / "archive.tar.gz", "w:gz") as archive:
        archive.add(source, "name-1234")
    hexadecimal = subprocess.run(
        ["nix-hash", "--type", "sha256", source], capture_output=True, text=True, check=True
    ).stdout
    return "sha256-" + base64.b64encode(bytes.fromhex(hexadecimal.strip())).decode()


def test_an_archive_is_unpacked_and_named(tmp_path: Path, digest: str) -> None:
    """The variable is the one that nix/check reads; a second call finds it there."""
    pins = pin(tmp_path, digest)

    first, second = fetch(tmp_path, pins), fetch(tmp_path, pins)

    name, _, checkout = first.stdout.strip().removeprefix("export ").partition("=")
    assert name == "HOME_MANAGER"
    assert (Path(checkout) / "file").read_text() == "text"
    assert second.stdout == first.stdout


def test_an_archive_that_is_not_what_was_pinned_is_refused(tmp_path: Path, digest: str) -> None:
    """Nothing of it is left behind."""
    wrong = "sha256-" + base64.b64encode(bytes(32)).decode()
    assert wrong != digest

    result = fetch(tmp_path, pin(tmp_path, wrong))

    assert result.returncode == 1
    assert "is not what nix/dev/pins.json says" in result.stderr
    assert result.stdout == ""
    assert list((tmp_path / "checkouts").iterdir()) == []
