"""`imptrace move`: copy what exists into the store before the first switch."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json


def move(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WHAT]...",
            autocompletion=completing.subjects,
            help="Programs, services, runs or paths.",
        ),
    ] = None,
    *,
    store: Annotated[str, typer.Option(metavar="PATH", help="The store.")] = "/persistent",
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Move all that a configuration keeps: what `nix eval --json` prints of "
            "config.environment.persistence.",
        ),
    ] = None,
    stop: Annotated[
        bool,
        typer.Option(
            "--stop", help="Stop the units that use it while it is copied, and start them again."
        ),
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Copy also what a program has open for writing.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be copied, and who uses it.")
    ] = False,
    undo: Annotated[
        bool,
        typer.Option("--undo", help="Remove the copies from the store, unless they are in use."),
    ] = False,
    json: Json = False,
    database: Database = None,
) -> int:
    """Copy what exists into the store before the first switch.

    Each path is copied under a temporary name, checked, and only then renamed: interrupt it at any
    moment, and the same command goes on. What the store has newer is left. Exits with 1 if
    something was left.

    Example: sudo imptrace move networkmanager --stop
    """
    from imptrace.cli.work import move as work

    return work.move(
        what=what,
        store=store,
        config=config,
        stop=stop,
        live=live,
        dry_run=dry_run,
        undo=undo,
        json=json,
        database=database,
    )
