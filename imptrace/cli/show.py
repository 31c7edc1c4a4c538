"""`imptrace show`: one run."""

from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json, Pager, keep_garbage
from imptrace.cli.output import answer, answer_json, screen
from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.records import Detail
from imptrace.render import run_json
from imptrace.render.run_text import Wanted, run_text

MOST = 1000
"""Paths of one kind that are shown unasked: as many as anybody reads."""


def show(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            autocompletion=completing.runs,
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
        bool, typer.Option("--all", help="Show every path: fold no directory, leave none out.")
    ] = False,
    database: Database = None,
    json: Json = False,
    pager: Pager = True,
) -> None:
    """Show one run: its processes, and what they changed.

    A directory that was made with much in it is one line, with how much that is; --all shows
    what.

    Example: imptrace show firefox --tree
    """
    keep_garbage()
    detail = Detail.TIMELESS if reads or json else Detail.CHANGES
    with reading(database) as engine:
        run_id = queries.resolve_run(engine, run)
        details = queries.run_details(engine, run_id, detail)
        seen = queries.count_paths(engine, run_id) if detail is Detail.CHANGES else None
    if json:
        answer_json(run_json.run(details))
        return
    only_read = seen - len(details.paths) if seen is not None else None
    wanted = Wanted(
        screen=screen(),
        reads=reads,
        tree=tree,
        only_read=only_read,
        most=None if everything else MOST,
    )
    answer(run_text(details, wanted), pager=pager)
