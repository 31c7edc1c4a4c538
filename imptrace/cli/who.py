"""`imptrace who`: which programs touch a path."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli.options import Database, Json, opened


def who(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A file or directory; it need not exist now.")
    ],
    *,
    reads: Annotated[
        bool, typer.Option("--reads", help="Also list the paths that were only read.")
    ] = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Show which programs touched a path, or anything below it.

    Example: imptrace who ~/.config/mimeapps.list
    """
    from imptrace.db import uses
    from imptrace.render import run_json, uses_text
    from imptrace.render.json_text import dump
    from imptrace.render.style import style_for
    from imptrace.render.text import printable

    # Not resolved: the question may be about a symbolic link itself.
    wanted = os.fsencode(os.path.abspath(path))
    with opened(database) as engine:
        found = uses.path_uses(engine, wanted)
    if json:
        typer.echo(dump(run_json.who(wanted, found)))
    elif found:
        typer.echo(uses_text.by_program(found, style_for(sys.stdout), reads=reads))
    else:
        typer.echo(f"imptrace: no recorded program touched {printable(wanted)}", err=True)
