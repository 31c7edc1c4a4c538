"""`imptrace rm`: forget runs."""

from typing import Annotated

import typer

from imptrace.cli.options import Database, complete_run


def rm(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            autocompletion=complete_run,
            help="Ids, labels, programs (the newest run of each), or latest.",
        ),
    ],
    *,
    database: Database = None,
) -> None:
    """Remove runs, and the paths that no other run saw. This cannot be undone.

    Example: imptrace rm 3 7
    """
    from imptrace.db import queries, removal
    from imptrace.db.engine import writing

    with writing(database) as engine:
        ids = sorted({queries.resolve_run(engine, run) for run in runs})
        removal.delete_runs(engine, ids)
    typer.echo("removed " + ", ".join(f"run {run}" for run in ids))
