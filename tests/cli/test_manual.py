"""The manual page in the repository is what the program itself makes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from imptrace.cli import manual

SHIPPED = Path(__file__).parents[2] / "docs" / "shell"
AGAIN = "run: python -m imptrace.cli.manual docs/shell"


def test_the_manual_page_is_up_to_date() -> None:
    """Each command and option of today is in it."""
    assert (SHIPPED / manual.MANUAL).read_text() == manual.manual_page(), AGAIN


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_can_read_it() -> None:
    """Without one warning."""
    done = subprocess.run(
        ["man", "--warnings", "--local-file", str(SHIPPED / manual.MANUAL)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert "EXIT STATUS" in done.stdout
