"""`imptrace stray`: what lies in the store for nobody."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json, Pager


def stray(
    stores: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[STORE]...", help="Default: every store that something is kept in."
        ),
    ] = None,
    *,
    declared: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What nix eval --json printed of config.environment.persistence.",
        ),
    ] = None,
    unused: Annotated[
        str | None,
        typer.Option(
            metavar="PERIOD",
            autocompletion=completing.AGES,
            help="Also what nothing used for 90d (w, m, y), by the record.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if anything is astray.")
    ] = False,
    database: Database = None,
    json: Json = False,
    pager: Pager = True,
) -> int:
    """Show what lies in a store that nothing declares or uses any more; delete nothing.

    Example: imptrace stray --unused 90d
    """
    from imptrace.cli.work import stray as work

    return work.stray(
        stores=stores,
        declared=declared,
        unused=unused,
        check=check,
        database=database,
        json=json,
        pager=pager,
    )
