"""`imptrace diff`: what was observed against what is declared."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json


def diff(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            autocompletion=completing.runs,
            help="The runs to compare. Default: all runs of the service.",
            show_default=False,
        ),
    ] = None,
    *,
    service: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.services,
            help="The service: id, alias, unit, option or program.",
        ),
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Compare with a configuration instead of the catalogue: what `nix eval --json` "
            "prints of config.environment.persistence; - reads standard input.",
        ),
    ] = None,
    json: Json = False,
    database: Database = None,
) -> int:
    """Compare what was observed of a service with what is declared.

    Exits with 1 if something of the service's own is missing from the declaration.

    Example: imptrace diff --service networkmanager
    """
    from imptrace.cli.work import diff as work

    return work.diff(runs=runs, service=service, config=config, json=json, database=database)
