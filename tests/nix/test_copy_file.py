"""The scripts that keep a file by copying it, run as the service manager would run them."""

import os
import subprocess
from pathlib import Path

import pytest
from nix_support import evaluate, needs_nix

pytestmark = [needs_nix, pytest.mark.nix]

# All that copy-file.nix takes from nixpkgs' lib; a JSON string is a shell word for these paths.
LIB = "{ escapeShellArg = text: builtins.toJSON text; }"


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Path:
    directory = tmp_path / "place"
    directory.mkdir()
    return directory / "state with spaces"


@pytest.fixture(name="kept")
def _kept(tmp_path: Path) -> Path:
    return tmp_path / "store" / "var" / "state with spaces"


def run(name: str, place: Path, kept: Path) -> None:
    arguments = f'{{ file = "{place}"; kept = "{kept}"; }}'
    script = evaluate(f"(import (nix + /lib/copy-file.nix) {{ lib = {LIB}; }} {arguments}).{name}")
    subprocess.run(["bash", "-c", script], check=True, timeout=60, env={"PATH": os.environ["PATH"]})


def test_a_file_survives_the_loss_of_its_directory(place: Path, kept: Path) -> None:
    """Saved, wiped, restored: the content and the mode are back."""
    place.write_text("state")
    place.chmod(0o640)
    run("save", place, kept)
    place.unlink()
    place.parent.rmdir()

    run("restore", place, kept)

    assert place.read_text() == "state"
    assert place.stat().st_mode & 0o777 == 0o640


def test_a_file_that_its_program_replaced_is_saved_again(place: Path, kept: Path) -> None:
    """Which is what a bind mount forbids and a symbolic link does not survive."""
    place.write_text("old")
    run("save", place, kept)
    new = place.with_name("state.tmp")
    new.write_text("new")
    new.rename(place)

    run("save", place, kept)

    assert kept.read_text() == "new"
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_restoring_never_overwrites(place: Path, kept: Path) -> None:
    """A file that is there already is newer than the copy."""
    place.write_text("old")
    run("save", place, kept)
    place.write_text("newer")

    run("restore", place, kept)

    assert place.read_text() == "newer"


def test_nothing_to_save_or_to_restore_is_no_error(place: Path, kept: Path) -> None:
    """The first boot of all: neither the file nor its copy exists."""
    run("restore", place, kept)
    run("save", place, kept)

    assert not place.exists()
    assert not kept.exists()


def test_symbolic_links_are_not_followed(place: Path, kept: Path, tmp_path: Path) -> None:
    """Who owns the directory can make the file a link: what it names is not copied."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    place.symlink_to(secret)

    run("save", place, kept)

    assert not kept.exists()


def test_a_link_in_place_of_the_unfinished_copy_is_not_written_through(
    place: Path, kept: Path, tmp_path: Path
) -> None:
    """Nor can the copy be led elsewhere."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    kept.parent.mkdir(parents=True)
    kept.write_text("state")
    place.with_name(place.name + ".copying").symlink_to(victim)

    run("restore", place, kept)

    assert victim.read_text() == "untouched"
    assert place.read_text() == "state"
    assert not place.is_symlink()
