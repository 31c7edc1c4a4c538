"""`imptrace files`: what a program touches."""

import sys
from typing import Annotated

import typer

from imptrace.cli.options import Database, Json, opened


def files(
    program: Annotated[
        str,
        typer.Argument(
            metavar="PROGRAM", help="The name of a program, or the path of an executable."
        ),
    ],
    *,
    reads: Annotated[bool, typer.Option("--reads", help="Also show what was only read.")] = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Show what a program touches, over all its runs, changed paths first.

    Example: imptrace files firefox --reads
    """
    from imptrace.db import uses
    from imptrace.render import run_json, uses_text
    from imptrace.render.json_text import dump
    from imptrace.render.style import style_for

    with opened(database) as engine:
        found = uses.program_uses(engine, program)
    if json:
        typer.echo(dump(run_json.files(program, found)))
    else:
        typer.echo(uses_text.by_path(found, style_for(sys.stdout), reads=reads))
