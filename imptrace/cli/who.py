"""`imptrace who`: which programs touch a path."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli.options import Database, Json, OfUnit, OfUser, Pager


def who(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A file or directory; it need not exist now.")
    ],
    *,
    reads: Annotated[
        bool, typer.Option("--reads", help="Also list the paths that were only read.")
    ] = False,
    unit: OfUnit = None,
    user: OfUser = None,
    database: Database = None,
    json: Json = False,
    pager: Pager = True,
) -> None:
    """Show which programs touched a path, or anything below it; else whose it should be.

    Example: imptrace who ~/.config/mimeapps.list
    """
    from imptrace.cli.work import who as work

    work.who(
        path=path, reads=reads, unit=unit, user=user, database=database, json=json, pager=pager
    )
