"""`imptrace who`: which programs touch a path."""

import os
from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli.messages import say
from imptrace.cli.options import Database, Json, Pager
from imptrace.cli.output import answer, answer_json, screen
from imptrace.db import uses
from imptrace.db.changers import asked_of
from imptrace.db.engine import reading_if_there
from imptrace.kept.belongs import belonging
from imptrace.render import uses_text, who_answer
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
    """Show which programs touched a path, or anything below it; else whose it should be.

    Example: imptrace who ~/.config/mimeapps.list
    """
    # Not resolved: the question may be about a symbolic link itself.
    wanted = os.fsencode(os.path.abspath(path))
    with reading_if_there(database) as engine:
        found = uses.path_uses(engine, wanted) if engine is not None else []
        belongs = belonging(wanted, asked_of(engine))
    if json:
        answer_json(who_answer.json(wanted, found, belongs))
    elif found:
        answer(uses_text.by_program(found, screen(), reads=reads), pager=pager)
    else:
        say(f"no recorded program touched {printable(wanted)}")
        if text := who_answer.without_record(belongs):
            answer(text, pager=False)
