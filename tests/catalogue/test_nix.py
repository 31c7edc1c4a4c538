"""Nix reads every catalogue file, and reads in it what Python reads."""

import json
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

NIX = Path(__file__).parents[2] / "nix"
FILES = sorted((*NIX.glob("services/*.toml"), *NIX.glob("home/*.toml")))


@pytest.mark.nix
@pytest.mark.skipif(not shutil.which("nix-instantiate"), reason="nix-instantiate is not installed")
def test_nix_reads_the_same_from_every_file(tmp_path: Path) -> None:
    files = " ".join(f"{path}" for path in FILES)
    expression = f"map (file: builtins.fromTOML (builtins.readFile file)) [ {files} ]"
    evaluated = subprocess.run(
        ["nix-instantiate", "--eval", "--strict", "--json", "--expr", expression],
        capture_output=True,
        check=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin:/run/current-system/sw/bin", "HOME": str(tmp_path),
             "NIX_STATE_DIR": str(tmp_path / "state"), "NIX_STORE_DIR": str(tmp_path / "store")},
    )  # fmt: skip
    assert json.loads(evaluated.stdout) == [tomllib.loads(path.read_text()) for path in FILES]


def test_there_are_files_of_both_kinds() -> None:
    assert {path.parent.name for path in FILES} == {"services", "home"}
    assert len(FILES) > 400
