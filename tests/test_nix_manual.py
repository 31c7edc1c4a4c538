"""The manual page that the package installs."""

import shutil
import subprocess
import sys

import pytest
from nix_support import NIX


@pytest.mark.skipif(shutil.which("go-md2man") is None, reason="go-md2man is not installed")
def test_the_manual_page_is_made_from_the_help() -> None:
    """It has a name section, for whatis(1), and every command."""
    page = subprocess.run(
        [NIX / "manual", sys.executable], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert page.startswith((".nh\n.TH imptrace 1", ".TH imptrace 1"))
    assert ".SH NAME" in page
    assert "imptrace - Find out which paths" in page
    assert "imptrace run" in page
