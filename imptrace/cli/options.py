"""Options that several commands share, declared once."""

import atexit
import gc
import os
from typing import TYPE_CHECKING, Annotated

import typer

from imptrace.db.location import ENVIRONMENT
from imptrace.errors import ImptraceError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import Engine

Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="PATH|URL",
        envvar=ENVIRONMENT,
        show_envvar=True,
        help="The database: a file, or an SQLAlchemy URL such as postgresql://host/name. "
        "Default: ~/.local/state/imptrace/imptrace.db, for root /var/lib/imptrace/imptrace.db.",
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON (docs/json.md).")]


def keep_garbage() -> None:
    """Search for no garbage any longer: for a command that reads much, answers, and ends.

    All that it makes is needed to the end, so that to search hundreds of thousands of records,
    again and again and once more at the very end, would take a third of the time in vain.
    """
    gc.disable()
    atexit.register(gc.freeze)


def complete_run(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a run for the shell: `latest`, labels and programs."""
    from imptrace.db import queries

    try:
        with opened(context.params.get("database") or os.environ.get(ENVIRONMENT)) as engine:
            return [name for name in queries.run_names(engine) if name.startswith(incomplete)]
    except ImptraceError:
        # Nobody asked for an answer yet: a missing database is no error here.
        return []


def opened(place: str | None) -> "AbstractContextManager[Engine]":
    """Open the database for a question: read-only, closed at the end, its errors explained."""
    from imptrace.db.engine import reading

    return reading(place)
