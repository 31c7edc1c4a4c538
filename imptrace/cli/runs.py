"""`imptrace runs`: what was recorded."""

from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json, Pager


def runs(
    *,
    parts: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            autocompletion=completing.runs,
            help="List what one run holds: each program, by user and unit.",
        ),
    ] = None,
    database: Database = None,
    json: Json = False,
    pager: Pager = True,
) -> None:
    """List the recorded runs, oldest first.

    Example: imptrace runs --parts latest
    """
    from imptrace.cli.work import runs as work

    if parts is None:
        work.runs(database=database, json=json, pager=pager)
    else:
        work.parts(run=parts, database=database, json=json, pager=pager)
