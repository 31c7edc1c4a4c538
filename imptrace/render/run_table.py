"""Runs as a table for people."""

from collections.abc import Sequence

from imptrace.db.records import RunRecord
from imptrace.render.style import Style
from imptrace.render.table import columns
from imptrace.render.text import printable
from imptrace.render.words import command_line, local_time, result, took


def runs(records: Sequence[RunRecord], style: Style) -> str:
    """Show one line per run."""
    heading = ("ID", "LABEL", "STARTED", "TOOK", "RESULT", "COMMAND")
    first, *others = columns([heading, *map(_row, records)])
    return "\n".join([style.bold(first), *others])


def _row(run: RunRecord) -> tuple[str, ...]:
    return (
        str(run.id),
        printable(run.label or run.service or "-"),
        local_time(run.started_ns),
        took(run),
        result(run),
        command_line(run.argv),
    )
