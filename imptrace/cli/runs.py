"""`imptrace runs`: what was recorded."""

import typer

from imptrace.cli.options import Database, Json, opened


def runs(*, database: Database = None, json: Json = False) -> None:
    """List the recorded runs, oldest first.

    Example: imptrace runs
    """
    from imptrace.db import queries
    from imptrace.render import run_json, run_table
    from imptrace.render.json_text import dump

    with opened(database) as engine:
        records = queries.runs(engine)
    if json:
        typer.echo(dump(run_json.runs(records)))
    elif records:
        typer.echo(run_table.runs(records))
    else:
        typer.echo("imptrace: nothing is recorded yet; begin with: imptrace run PROGRAM", err=True)
