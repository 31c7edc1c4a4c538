"""docs/architecture.md names files that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"\b((?:imptrace|tracer|db|nix|docs|tests|benchmarks)/[\w./-]*\w)")


def test_every_file_that_is_named_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    names = {name for name in NAMED.findall(text) if "NAME" not in name}
    assert len(names) > 30
    assert [name for name in sorted(names) if not (ROOT / name).exists()] == []
