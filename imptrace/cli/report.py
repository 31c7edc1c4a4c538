"""`imptrace report`: one page of HTML."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database


def report(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN | PROGRAM]",
            autocompletion=completing.subjects,
            help="A run, or a program's newest runs. Default: the newest run.",
        ),
    ] = None,
    *,
    leaks: Annotated[bool, typer.Option("--leaks", help="Tell what the next boot takes.")] = False,
    ephemeral: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="With --leaks: the next boot wipes this directory."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The page. Default: stdout."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    database: Database = None,
) -> None:
    """Write one page of HTML: what matters and why, who changed it, and when.

    Example: imptrace report firefox -o firefox.html
    """
    from imptrace.cli.work import report as work

    work.report(
        name=name, leaks=leaks, ephemeral=ephemeral, output=output, force=force, database=database
    )
