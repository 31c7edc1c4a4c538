"""`imptrace lost`: what the last wipe took, and getting it back."""

import os
from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli.options import Database, Json, Pager
from imptrace.facts.levels import Level
from imptrace.kept.lost import SAVED

_LIST = Path(os.fsdecode(SAVED))


def lost(
    restore: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH", help="Copy this back from the old root. May be given several times."
        ),
    ] = None,
    *,
    old: Annotated[
        Path | None,
        typer.Option(
            "--old-root",
            metavar="DIR",
            help="The root from before the wipe. Default: what btrfs or ZFS keep of it.",
        ),
    ] = None,
    root: Annotated[
        Path, typer.Option(metavar="DIR", help="Compare with the system in this directory.")
    ] = Path("/"),
    save_list: Annotated[
        bool, typer.Option("--save", help="Save the list of what the next boot takes.")
    ] = False,
    file: Annotated[
        Path,
        typer.Option("--list", metavar="FILE", help="Where the saved list is, or is to be."),
    ] = _LIST,
    level: Annotated[
        Level, typer.Option(help="Show only what needs at least this care.")
    ] = Level.NORMAL,
    database: Database = None,
    json: Json = False,
    pager: Pager = True,
) -> int:
    """Show what the last wipe took and nobody brought back; exit 1 if it matters.

    Example: imptrace lost --restore /var/lib/forgotten
    """
    from imptrace.cli.work import lost as work

    return work.lost(
        restore=restore,
        old=old,
        root=root,
        save_list=save_list,
        file=file,
        level=level,
        database=database,
        json=json,
        pager=pager,
    )
