"""`imptrace runs`: what was recorded."""

import sys

import typer

from imptrace.cli.options import Database, Json, opened


def runs(*, database: Database = None, json: Json = False) -> None:
    """List the recorded runs, oldest first.

    Example: imptrace runs
    """
    from imptrace.db import queries
    from imptrace.render import run_json, run_table
    from imptrace.render.json_text import dump
    from imptrace.render.style import style_for

    with opened(database) as engine:
        records = queries.runs(engine)
    if json:
        typer.echo(dump(run_json.runs(records)))
    elif records:
        typer.echo(run_table.runs(records, style_for(sys.stdout)))
    else:
        typer.echo("imptrace: no run is recorded; begin with: imptrace run PROGRAM", err=True)
