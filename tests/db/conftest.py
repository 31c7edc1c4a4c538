"""What the tests of the database share."""

from pathlib import Path

import pytest


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a database may be made."""
    return tmp_path / "state" / "imptrace.db"
