"""The manual page and the completions in the repository are what the program itself makes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from imptrace.cli import manual

SHIPPED = Path(__file__).parents[1] / "docs" / "shell"
AGAIN = "run: python -m imptrace.cli.manual docs/shell"


def test_the_manual_page_is_up_to_date() -> None:
    """Each command and option of today is in it."""
    assert (SHIPPED / manual.MANUAL).read_text() == manual.manual_page(), AGAIN


@pytest.mark.parametrize("shell", sorted(manual.FILES))
def test_completions_are_up_to_date(shell: str) -> None:
    """As the installed typer writes them."""
    assert (SHIPPED / manual.FILES[shell]).read_text() == manual.completion(shell), AGAIN


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


def test_bash_completes_a_command() -> None:
    """In a real shell, as a user would press Tab."""
    script = f"""
        source {SHIPPED / "imptrace.bash"}
        COMP_WORDS=(imptrace serv) COMP_CWORD=1
        _imptrace_completion {Path(sys.executable).with_name("imptrace")}
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert "services" in done.stdout
