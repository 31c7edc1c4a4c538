"""`imptrace leaks`: what the next boot takes."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json, Pager
from imptrace.facts.levels import Level

Ephemeral = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="PATH", help="The next boot wipes this directory. May be given several times."
    ),
]


Kept = Annotated[
    list[Path] | None,
    typer.Option(metavar="PATH", help="This directory lasts. May be given several times."),
]


def leaks(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH]...", help="Look at these only. Default: the machine; not as root, ~."
        ),
    ] = None,
    *,
    ephemeral: Ephemeral = None,
    kept: Kept = None,
    root: Annotated[
        Path, typer.Option(metavar="DIR", help="Look at the system in this directory.")
    ] = Path("/"),
    since: Annotated[
        str | None,
        typer.Option(
            metavar="boot|DATE",
            autocompletion=completing.one_of("boot"),
            help="Only what was changed since: 2026-11-29T08:30.",
        ),
    ] = None,
    level: Annotated[
        Level | None, typer.Option(help="Only what needs at least this care. Default: normal.")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.users,
            help="Only what this user owns or wrote.",
        ),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.units,
            help="Only what this unit of systemd wrote.",
        ),
    ] = None,
    why: Annotated[
        bool,
        typer.Option("--why", help="Show which file systems are wiped, and how that is known."),
    ] = False,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Show what was set aside, and why.")
    ] = False,
    ncdu: Annotated[
        bool, typer.Option("--ncdu", help="Answer in the form that ncdu -f - reads.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Answer with the exit code alone, for a timer.")
    ] = False,
    interactive: Annotated[
        bool,
        typer.Option(
            "--interactive/--no-interactive", help="On a terminal, browse instead of listing."
        ),
    ] = True,
    database: Database = None,
    json: Json = False,
    pager: Pager = True,
) -> int:
    """Show what the next boot takes, who wrote it, and what keeps it.

    Exits with 1 if it matters.

    Example: imptrace leaks --since boot
    """
    from imptrace.cli.work import leaks as work

    return work.leaks(
        paths=paths,
        ephemeral=ephemeral,
        kept=kept,
        root=root,
        since=since,
        level=level,
        user=user,
        unit=unit,
        why=why,
        set_aside=set_aside,
        ncdu=ncdu,
        quiet=quiet,
        interactive=interactive,
        database=database,
        json=json,
        pager=pager,
    )
