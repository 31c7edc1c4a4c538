"""What commands that record say on stderr."""

import os
import sys
from typing import TYPE_CHECKING

from imptrace.db.location import shown
from imptrace.render.text import printable

if TYPE_CHECKING:
    from imptrace.record.session import Result


def summarise(result: "Result", command: str, recorder: str, database: str | None) -> None:
    """Say in a few lines on stderr what came of a recording, and what to ask next."""
    summary = result.summary
    assert summary is not None  # noqa: S101 (the caller has looked)
    program = printable(os.path.basename(command))
    say(
        f"run {result.run_id} ({program}): {_paths(summary.read)} read, {summary.created:,} "
        f"created, {summary.modified:,} modified, {summary.deleted:,} deleted"
    )
    if result.left:
        processes = "1 process" if result.left == 1 else f"{result.left:,} processes"
        say(f"{processes} that it started still run, unrecorded from now on (see --wait)")
    if summary.unseen:
        say(f"{summary.unseen:,} calls were seen without a path: their process cannot be read")
    if summary.lost:
        say(f"{summary.lost:,} events were lost")
    say(f"seen by the recorder {recorder}, stored in {_home_as_tilde(shown(database))}")
    say(f"next: imptrace show {result.run_id}, imptrace recommend {program}")


def _paths(count: int) -> str:
    return "1 path" if count == 1 else f"{count:,} paths"


def _home_as_tilde(path: str) -> str:
    home = os.environ.get("HOME", "").rstrip("/")
    return f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path


def say(text: str) -> None:
    """Say something on stderr, which the traced program may be using as well."""
    # One write, so that lines do not mix.
    sys.stderr.write(f"imptrace: {text}\n")
