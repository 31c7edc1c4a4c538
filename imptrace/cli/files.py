"""`imptrace files`: what a program touches."""

from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json, OfUnit, OfUser, Pager


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
    unit: OfUnit = None,
    user: OfUser = None,
    database: Database = None,
    json: Json = False,
    pager: Pager = True,
) -> None:
    """Show what a program touches, over all its runs.

    Paths that it changed come first.

    Example: imptrace files firefox --reads
    """
    from imptrace.cli.work import files as work

    work.files(
        program=program,
        reads=reads,
        unit=unit,
        user=user,
        database=database,
        json=json,
        pager=pager,
    )
