"""Runs as a table for people."""

from collections.abc import Sequence
from datetime import UTC, datetime

from imptrace.db.records import RunRecord, RunStatus
from imptrace.render.text import printable

_NANOSECONDS = 1_000_000_000


def runs(records: Sequence[RunRecord]) -> str:
    """One line per run."""
    heading = ("ID", "LABEL", "STARTED", "TOOK", "RESULT", "COMMAND")
    return columns([heading, *map(_row, records)])


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Text in columns as wide as their widest cell; the last may be of any width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def _row(run: RunRecord) -> tuple[str, ...]:
    return (
        str(run.id),
        printable(run.label or "-"),
        local_time(run.started_ns),
        took(run),
        result(run),
        command_line(run.argv),
    )


def local_time(nanoseconds: int) -> str:
    """Show a moment in the reader's time zone, to the second."""
    moment = datetime.fromtimestamp(nanoseconds / _NANOSECONDS, tz=UTC).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def took(run: RunRecord) -> str:
    """How long a run took, `-` while that is unknown."""
    if run.ended_ns is None:
        return "-"
    return f"{(run.ended_ns - run.started_ns) / _NANOSECONDS:.1f} s"


def result(run: RunRecord) -> str:
    """How a run ended, or why that is unknown."""
    if run.status is not RunStatus.COMPLETE:
        return run.status.value
    if run.exit_signal is not None:
        return f"signal {run.exit_signal}"
    return f"exit {run.exit_code}" if run.exit_code is not None else run.status.value


def command_line(argv: Sequence[bytes]) -> str:
    """Show a command line, quoted where a shell would need it."""
    return " ".join(map(_shell_word, argv))


def _shell_word(argument: bytes) -> str:
    shown = printable(argument)
    plain = shown and all(character.isalnum() or character in "%+,-./:=@_~" for character in shown)
    return shown if plain else "'" + shown.replace("'", "'\\''") + "'"
