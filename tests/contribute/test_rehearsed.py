"""What a rehearsal has shown goes all the way: `recommend` says it, and so does the proposal."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sample_repositories import git

IMPTRACE = Path(sys.executable).with_name("imptrace")
KEEPER = """#!/bin/sh
set -e
cat {0}/notes 2>/dev/null || true
echo x >>{0}/notes
"""


@pytest.fixture(name="place")
def _place() -> Iterator[Path]:
    """Make the directory of state that a package would have made."""
    with TemporaryDirectory(prefix="notekeeper", dir="/var/lib") as place:
        yield Path(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps state in /var/lib")
def test_from_a_rehearsal_to_the_message(
    tmp_path: Path, place: Path, impermanence_repository: Path
) -> None:
    program = tmp_path / "notekeeper"
    program.write_text(KEEPER.format(place))
    program.chmod(0o755)

    def imptrace(*words: str | Path) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "IMPTRACE_DB": str(tmp_path / "db")}
        return subprocess.run(
            [IMPTRACE, *words], capture_output=True, text=True, check=False, env=environment
        )

    for _ in range(2):
        assert imptrace("run", "-q", "--service", "notekeeper", program).returncode == 0
    proposed = ("contribute", "--service", "notekeeper", "--repo", impermanence_repository)
    shown = imptrace(*proposed, "--option", "services.notekeeper", "--dry-run")
    assert "Observed: notekeeper" in shown.stdout, shown.stderr
    assert "Rehearsed" not in shown.stdout
    done = imptrace("rehearse", "notekeeper", "--", program)
    if "no private copy" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout.startswith("notekeeper: came back"), done.stdout + done.stderr
    said = imptrace("recommend", "--service", "notekeeper").stdout
    assert "rehearsed: came back (" in said
    assert imptrace(*proposed, "--option", "services.notekeeper").returncode == 0
    message = git(impermanence_repository, "log", "-1", "--format=%B", "notekeeper-persistence")
    assert "Rehearsed in a copy that was wiped: came back." in message
