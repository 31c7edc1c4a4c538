"""`nix/index.json`: what an evaluation reads in place of most catalogue files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from nix_support import NIX, evaluate, needs_nix

pytestmark = pytest.mark.nix


@needs_nix
def test_an_entry_is_the_same_from_the_index_and_from_its_file() -> None:
    """Of every entry, whether its line is up to date or not."""
    different = evaluate(
        """
        let
          inherit (import nix) lib;
          brief = entry: { inherit (entry) id option enable requires programs aliases keeps; };
          differs = entry: brief entry != brief (lib.catalogue.read entry.file);
        in map (entry: entry.id) (builtins.filter differs
          (builtins.attrValues lib.services ++ builtins.attrValues lib.programs))
        """
    )

    assert different == []


@needs_nix
def test_an_entry_that_changed_since_is_read_from_its_file(tmp_path: Path) -> None:
    """A line counts only while the file is as it was; a file without a line is read."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "services").mkdir()
    for name in ("catalogue.nix", "paths.nix"):
        (tmp_path / "lib" / name).write_bytes((NIX / "lib" / name).read_bytes())
    entry = 'title = "X"\nenable = "services.new.enable"\n'
    for name in ("changed", "added"):
        (tmp_path / "services" / f"{name}.toml").write_text(entry)
    line = {"hash": "0" * 32, "enable": "services.old.enable", "keeps": True}
    (tmp_path / "index.json").write_text(json.dumps({"services": {"changed": line}}))

    found = evaluate(
        f"""
        builtins.mapAttrs (_: entry: [ entry.enable entry.keeps ])
          ((import {tmp_path}/lib/catalogue.nix).readAll {tmp_path}/services)
        """
    )

    assert found == {name: [["services.new.enable"], False] for name in ("added", "changed")}


def test_the_index_is_what_its_program_writes(tmp_path: Path) -> None:
    """Every line that has its file's hash is that which would be written today."""
    program = tmp_path / "dev" / "index-catalogue"
    program.parent.mkdir()
    program.write_bytes((NIX / "dev" / "index-catalogue").read_bytes())
    for folder in ("home", "services"):
        (tmp_path / folder).symlink_to(NIX / folder)
    subprocess.run([sys.executable, program], check=True)

    written = json.loads((tmp_path / "index.json").read_text())
    stored = json.loads((NIX / "index.json").read_text())
    for folder, lines in written.items():
        fresh = {name: line for name, line in lines.items() if name in stored[folder]}
        assert len(fresh) > len(lines) / 2
        for name, line in fresh.items():
            if stored[folder][name]["hash"] == line["hash"]:
                assert stored[folder][name] == line
