"""`imptrace contribute`: from recordings to a commit that upstream can merge."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json


def contribute(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            autocompletion=completing.runs,
            help="The runs that are the evidence. Default: all runs of the service.",
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
    repository: Annotated[
        Path,
        typer.Option("--repo", metavar="DIR", help="A clone of the repository to contribute to."),
    ],
    option: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            autocompletion=completing.catalogued_options,
            help="Its NixOS option, where the catalogue has none.",
        ),
    ] = None,
    include_shared: Annotated[
        list[str] | None,
        typer.Option(
            "--include",
            "--include-shared",
            metavar="PATH",
            help="Write this path too, though others use it or only this machine may have it. "
            "May be repeated.",
        ),
    ] = None,
    branch: Annotated[
        str | None, typer.Option(metavar="NAME", help="The branch. Default: SERVICE-persistence.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the message and the diff; write nothing.")
    ] = False,
    patch: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a patch for `git am` instead of a commit."),
    ] = None,
    json: Json = False,
    database: Database = None,
) -> None:
    """Turn what was recorded of a service into a commit on a branch of its own.

    The repository is one laid out like nixos-impermanence, or imptrace's own catalogue. Nothing is
    pushed, and neither the work tree nor the branch that is checked out changes.

    Example: imptrace contribute --service networkmanager --repo ~/nixos-impermanence --dry-run
    """
    from imptrace.cli.work import contribute as work

    work.contribute(
        runs=runs,
        service=service,
        repository=repository,
        option=option,
        include_shared=include_shared,
        branch=branch,
        dry_run=dry_run,
        patch=patch,
        json=json,
        database=database,
    )
