"""`imptrace rm`: forget runs."""

from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json


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
    json: Json = False,
    database: Database = None,
) -> None:
    """Remove runs, and the paths that no other run saw.

    This cannot be undone.

    Example: imptrace rm 3 7
    """
    from imptrace.cli.work import rm as work

    work.rm(runs=runs, json=json, database=database)
