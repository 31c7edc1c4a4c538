"""The independent witness tells what a small shell script surely did."""

import os
import shutil
from pathlib import Path

import pytest
from oracle import strace_story

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")

SCRIPT = """
mkdir -p d/e; cd d; echo 1 >e/f; mv e/f e/g
(cd e; : >h; rm h); ln -s e q; : >q/z; chmod 600 q/z; cd ..; rmdir d 2>/dev/null; ln d/e/g same
"""


def test_a_script_is_told_by_absolute_resolved_paths(tmp_path: Path) -> None:
    """Relative names, subshells, and a name below a symbolic link all end as real paths."""
    story = strace_story(["sh", "-c", SCRIPT], tmp_path / "log", tmp_path)
    here = os.fsencode(tmp_path)

    def below(*names: str) -> set[bytes]:
        return {here + b"/" + name.encode() for name in names}

    assert {path for path in story.created if path.startswith(here)} == below(
        "d", "d/e", "d/q", "same"
    )
    assert {path for path in story.written if path.startswith(here)} == below(
        "d/e/f", "d/e/h", "d/e/z"
    )
    assert story.renamed == {(here + b"/d/e/f", here + b"/d/e/g")}
    assert story.deleted == below("d/e/h")
    assert story.attributed == below("d/e/z")
