"""The pictures of docs/ are still what the commands of today answer: they can be made anew."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_the_pictures_can_be_made(tmp_path: Path) -> None:
    """Each that is shown, from a recording of today; the page needs Chromium besides."""
    runpy.run_path(str(DOCS / "pictures" / "make.py"))["make"](tmp_path)
    made = {each.name for each in tmp_path.iterdir()}
    shown = {each.name for each in (DOCS / "pictures").glob("*.svg")}
    assert made - {"report.png"} == shown
    assert "postgresql" in (tmp_path / "browse.svg").read_text()
    assert "KEEP" in (tmp_path / "recommend-80.svg").read_text()
