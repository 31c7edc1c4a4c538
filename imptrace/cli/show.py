"""`imptrace show`: one run."""

import shutil
import sys
from typing import Annotated

import typer

from imptrace.cli.options import Database, Json, complete_run, keep_garbage, opened

MOST = 1000
"""Paths of one kind that are shown unasked: as many as anybody reads."""


def show(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            autocompletion=complete_run,
            help="An id, a label, a program (its newest run), or latest.",
        ),
    ] = "latest",
    *,
    reads: Annotated[
        bool, typer.Option("--reads", help="Also show what was only read, or left as it was.")
    ] = False,
    tree: Annotated[
        bool, typer.Option("--tree", help="Show paths as a tree of directories.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help=f"Show also more than {MOST:,} paths of a kind.")
    ] = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Show one run: what was run, its processes, and what they changed.

    Example: imptrace show firefox --tree
    """
    keep_garbage()
    from imptrace.db import queries
    from imptrace.db.records import Detail
    from imptrace.render import run_json
    from imptrace.render.json_text import dump
    from imptrace.render.run_text import Wanted, run_text
    from imptrace.render.style import style_for

    detail = Detail.TIMELESS if reads or json else Detail.CHANGES
    with opened(database) as engine:
        run_id = queries.resolve_run(engine, run)
        details = queries.run_details(engine, run_id, detail)
        seen = queries.count_paths(engine, run_id) if detail is Detail.CHANGES else None
    if json:
        typer.echo(dump(run_json.run(details)))
        return
    width = shutil.get_terminal_size().columns - 2 if sys.stdout.isatty() else None
    only_read = seen - len(details.paths) if seen is not None else None
    wanted = Wanted(
        style=style_for(sys.stdout),
        reads=reads,
        tree=tree,
        only_read=only_read,
        most=None if everything else MOST,
        width=width,
    )
    typer.echo(run_text(details, wanted))
