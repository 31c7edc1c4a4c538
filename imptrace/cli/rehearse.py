"""`imptrace rehearse`: wipe a private copy of the machine, and see whether the state comes back."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli.options import Database, Json


def rehearse(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT [-- COMMAND...]",
            help="A program, service or run, and the command; default: the one that was recorded.",
        ),
    ],
    *,
    first: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="For the shell: what makes the state.")
    ] = None,
    again: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="For the shell: what should find it after the wipe."),
    ] = None,
    advice: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep what this answer of `recommend --format json` says."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep what a configuration keeps: what `nix eval --json` prints of "
            "config.environment.persistence.",
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Run the program as this user (root only).")
    ] = None,
    seconds: Annotated[
        float, typer.Option(metavar="NUMBER", min=1, help="How long a start may run.")
    ] = 120,
    interactive: Annotated[
        bool,
        typer.Option(
            "--interactive", help="Use it yourself, twice; without the two starts to compare with."
        ),
    ] = False,
    json: Json = False,
    database: Database = None,
) -> int:
    """Wipe a private copy of the machine, start the program again, and say what came back.

    The program is started in a copy of the machine in which only what is kept survives: an overlay
    over everything, with a home of its own. Nothing real is written. It is also started twice
    without a wipe, to know what is usual. Exits with 1 if state is lost or something fits badly.

    Example: imptrace rehearse htop -- sh -c 'echo q | htop'
    """
    from imptrace.cli.work import rehearse as work

    return work.rehearse(
        words=words,
        first=first,
        again=again,
        advice=advice,
        config=config,
        user=user,
        seconds=seconds,
        interactive=interactive,
        json=json,
        database=database,
    )
