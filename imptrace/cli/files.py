"""`imptrace files`: what a program touches."""

from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json, Pager
from imptrace.cli.output import answer, answer_json, screen
from imptrace.db import uses
from imptrace.db.engine import reading
from imptrace.render import run_json, uses_text


def files(
    program: Annotated[
        str,
        typer.Argument(
            metavar="PROGRAM",
            autocompletion=completing.recorded_programs,
            help="The name of a program, or the path of an executable.",
        ),
    ],
    *,
    reads: Annotated[bool, typer.Option("--reads", help="Also show what was only read.")] = False,
    database: Database = None,
    json: Json = False,
    pager: Pager = True,
) -> None:
    """Show what a program touches, over all its runs.

    Paths that it changed come first.

    Example: imptrace files firefox --reads
    """
    with reading(database) as engine:
        found = uses.program_uses(engine, program)
    if json:
        answer_json(run_json.files(program, found))
    else:
        answer(uses_text.by_path(found, screen(), reads=reads), pager=pager)
