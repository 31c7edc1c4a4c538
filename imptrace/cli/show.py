"""`imptrace show`: one run."""

from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json, OfProgram, OfUnit, OfUser, Pager


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
    unit: OfUnit = None,
    program: OfProgram = None,
    user: OfUser = None,
    database: Database = None,
    json: Json = False,
    pager: Pager = True,
) -> None:
    """Show one run: its processes, and what they changed.

    Of a run of the whole machine --unit, --program and --user choose a part; a program that only
    such a run saw may stand for RUN.

    A directory that was made with much in it is one line, with how much that is; --all shows
    what.

    Example: imptrace show firefox --tree
    """
    from imptrace.cli.work import show as work

    work.show(
        run=run,
        reads=reads,
        tree=tree,
        everything=everything,
        unit=unit,
        program=program,
        user=user,
        database=database,
        json=json,
        pager=pager,
    )
