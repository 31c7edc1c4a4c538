"""`imptrace who`: which programs touch a path."""

import os
from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli.messages import say
from imptrace.cli.options import Database, Json, Pager
from imptrace.cli.output import answer, answer_json, screen
from imptrace.db import uses
from imptrace.db.engine import reading
from imptrace.render import run_json, uses_text
from imptrace.render.text import printable


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
    pager: Pager = True,
) -> None:
    """Show which programs touched a path, or anything below it.

    Example: imptrace who ~/.config/mimeapps.list
    """
    # Not resolved: the question may be about a symbolic link itself.
    wanted = os.fsencode(os.path.abspath(path))
    with reading(database) as engine:
        found = uses.path_uses(engine, wanted)
    if json:
        answer_json(run_json.who(wanted, found))
    elif found:
        answer(uses_text.by_program(found, screen(), reads=reads), pager=pager)
    else:
        say(f"no recorded program touched {printable(wanted)}")
