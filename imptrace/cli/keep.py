"""`imptrace keep`: put what is to be kept into one's own configuration."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json


def keep(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT...",
            autocompletion=completing.subjects,
            help="Programs, services, runs or paths.",
        ),
    ],
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="The configuration. Default: of the flake around here, else /etc/nixos.",
        ),
    ] = None,
    store: Annotated[
        str | None, typer.Option(metavar="NAME", help="The store, where there are several.")
    ] = None,
    take_out: Annotated[
        bool, typer.Option("--remove", help="Take the paths out of the configuration again.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the diff, write nothing.")
    ] = False,
    json: Json = False,
    database: Database = None,
) -> int:
    """Add what is to be kept to your own configuration.

    It goes where the configuration keeps its like: the lists of environment.persistence,
    home.persistence or preservation.preserveAt, in any file, in the order and form of what stands
    there. What is kept already, also by a directory above it, is left alone. Shows the diff, and
    asks. Exits with 1 if something could not be done.

    Example: imptrace keep networkmanager ~/.ssh --dry-run
    """
    from imptrace.cli.work import keep as work

    return work.keep(
        what=what,
        config=config,
        store=store,
        take_out=take_out,
        yes=yes,
        dry_run=dry_run,
        json=json,
        database=database,
    )
