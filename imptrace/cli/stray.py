"""`imptrace stray`: what lies in the store for nobody."""

import os
from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli.messages import say
from imptrace.cli.options import Database, Json, Pager
from imptrace.cli.output import answer as show
from imptrace.cli.output import answer_json, screen
from imptrace.db.engine import reading_if_there
from imptrace.errors import UsageError
from imptrace.kept.stray import declared_here, period_ns
from imptrace.kept.stray import stray as find
from imptrace.kept.walk import Tree
from imptrace.render import stray_answer
from imptrace.tracer.mountinfo import own_mounts

SOMETHING_IS_ASTRAY = 1


def stray(
    stores: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[STORE]...", help="Default: every store that something is kept in."
        ),
    ] = None,
    *,
    declared: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What nix eval --json printed of config.environment.persistence.",
        ),
    ] = None,
    unused: Annotated[
        str | None,
        typer.Option(
            metavar="PERIOD", help="Also what nothing used for 90d (w, m, y), by the record."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if anything is astray.")
    ] = False,
    database: Database = None,
    json: Json = False,
    pager: Pager = True,
) -> int:
    """Show what lies in a store that nothing declares or uses any more; delete nothing.

    Example: imptrace stray --unused 90d
    """
    period = None if unused is None else period_ns(unused)
    tree = Tree()
    kept = declared_here(tree, own_mounts(), None if declared is None else str(declared))
    tree.close()
    wanted = [os.path.abspath(os.fsencode(store)) for store in stores or ()] or sorted(kept)
    if not wanted:
        raise UsageError("no store is known here: name it, and what is kept with --declared FILE")
    for store in wanted:
        if not os.path.isdir(store):
            raise UsageError(f"{os.fsdecode(store)} is no directory")
    with reading_if_there(database) as engine:
        found = find(wanted, kept, engine, period)
    if json:
        answer_json(stray_answer.json(found))
    else:
        if text := stray_answer.table(found, screen()):
            show(text, pager=pager)
        say(stray_answer.summary(found))
    return SOMETHING_IS_ASTRAY if check and found.stray else 0
