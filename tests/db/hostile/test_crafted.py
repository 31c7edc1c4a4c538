"""Well formed databases that hold what imptrace never writes: an answer, or one line."""

import os
from itertools import cycle
from pathlib import Path

from tests.db.hostile.crafted import crafted
from tests.db.hostile.test_database import COMMANDS, answers_or_complains, good

__all__ = ["good"]

ALL = bool(os.environ.get("IMPTRACE_FUZZ"))  # from fuzzing import budget: benchmarks.fuzz does all
STEP = 1 if ALL else 23


def test_crafted_databases(good: Path, tmp_path: Path) -> None:
    """Each column with values of every other kind, each table gone, changed, or without an end."""
    turns = cycle(COMMANDS)
    for _, database in crafted(good, tmp_path / "crafted.db", STEP):
        for words in COMMANDS if ALL else [next(turns)]:
            answers_or_complains(words, database)
