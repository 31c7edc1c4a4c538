"""Make the pages of the examples again: every `$ imptrace ...` is run, its output put below it.

python examples/regenerate.py
"""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

EXAMPLES = Path(__file__).parent
IMPTRACE = Path(sys.executable).with_name("imptrace")
FENCE, END, PROMPT = "```console", "```", "$ imptrace "


def cases() -> list[Path]:
    """Find the folders that hold a recording."""
    return sorted(evidence.parent for evidence in EXAMPLES.glob("*/evidence.jsonl"))


Run = Callable[[list[str], dict[str, str]], str]
"""Runs `imptrace` with words and an environment, and returns what it said."""


def installed(words: list[str], environment: dict[str, str]) -> str:
    """Run the installed command."""
    return subprocess.run(
        [IMPTRACE, *words],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        timeout=60,
    ).stdout


def regenerated(case: Path, run: Run = installed) -> str:
    """Make the page of a case, from its recording and the commands in the page."""

    def answer(command: str) -> str:
        environment = os.environ | {"IMPTRACE_DB": str(database), "NO_COLOR": "1"}
        return run(shlex.split(command), environment)

    with tempfile.TemporaryDirectory() as directory:
        database = Path(directory, "imptrace.db")
        answer(f"import {shlex.quote(str(case / 'evidence.jsonl'))}")
        lines = (case / "README.md").read_text().splitlines()
        return "\n".join(_page(lines, answer)) + "\n"


def _page(lines: list[str], answer: Callable[[str], str]) -> Iterator[str]:
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
            yield from answer(line.removeprefix(PROMPT)).splitlines()


def main() -> None:
    """Write every page."""
    for case in cases():
        (case / "README.md").write_text(regenerated(case))


if __name__ == "__main__":
    main()
