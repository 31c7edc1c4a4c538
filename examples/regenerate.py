"""Make the pages of the examples again: every `$ imptrace ...` is run, its output put below it.

python examples/regenerate.py
"""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

EXAMPLES = Path(__file__).parent
IMPTRACE = Path(sys.executable).with_name("imptrace")
FENCE, END, PROMPT = "```console", "```", "$ imptrace "


def cases() -> list[Path]:
    """Find the folders that hold a recording."""
    return sorted(evidence.parent for evidence in EXAMPLES.glob("*/evidence.jsonl"))


def regenerated(case: Path) -> str:
    """Make the page of a case, from its recording and the commands in the page."""
    with tempfile.TemporaryDirectory() as directory:
        database = Path(directory, "imptrace.db")
        _answer(database, f"import {shlex.quote(str(case / 'evidence.jsonl'))}")
        lines = (case / "README.md").read_text().splitlines()
        return "\n".join(_page(lines, database)) + "\n"


def _page(lines: list[str], database: Path) -> Iterator[str]:
    is_console = False
    for line in lines:
        if line == FENCE:
            is_console = True
        elif line == END:
            is_console = False
        elif is_console and not line.startswith(PROMPT):
            continue
        yield line
        if is_console and line.startswith(PROMPT):
            yield from _answer(database, line.removeprefix(PROMPT)).splitlines()


def _answer(database: Path, command: str) -> str:
    environment = os.environ | {"IMPTRACE_DB": str(database), "NO_COLOR": "1"}
    return subprocess.run(
        [IMPTRACE, *shlex.split(command)],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        timeout=60,
    ).stdout


def main() -> None:
    """Write every page."""
    for case in cases():
        (case / "README.md").write_text(regenerated(case))


if __name__ == "__main__":
    main()
