"""`imptrace rm`: forget runs."""

from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database
from imptrace.db import queries
from imptrace.db.engine import writing


def rm(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            autocompletion=completing.runs,
            help="Ids, labels, programs (the newest run of each), or latest.",
        ),
    ],
    *,
    database: Database = None,
) -> None:
    """Remove runs, and the paths that no other run saw.

    This cannot be undone.

    Example: imptrace rm 3 7
    """
    with writing(database) as engine:
        ids = sorted({queries.resolve_run(engine, run) for run in runs})
        queries.delete_runs(engine, ids)
    typer.echo("removed " + ", ".join(f"run {run}" for run in ids))
