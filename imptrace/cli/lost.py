"""`imptrace lost`: what the last wipe took, and getting it back."""

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
from imptrace.facts.levels import Level
from imptrace.kept.leaks.answer import Question
from imptrace.kept.leaks.answer import answer as leaks_now
from imptrace.kept.lost.find import in_list, in_old_root
from imptrace.kept.lost.old_root import old_root
from imptrace.kept.lost.restore import Restorer, Step
from imptrace.kept.lost.saved import DEFAULT, read_saved, save
from imptrace.render import lost_answer
from imptrace.tracer.mountinfo import own_mounts

SOMETHING_MATTERS = 1
_LIST = Path(os.fsdecode(DEFAULT))


def lost(
    restore: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH", help="Copy this back from the old root. May be given several times."
        ),
    ] = None,
    *,
    old: Annotated[
        Path | None,
        typer.Option(
            "--old-root",
            metavar="DIR",
            help="The root from before the wipe. Default: what btrfs or ZFS keep of it.",
        ),
    ] = None,
    root: Annotated[
        Path, typer.Option(metavar="DIR", help="Compare with the system in this directory.")
    ] = Path("/"),
    save_list: Annotated[
        bool, typer.Option("--save", help="Save the list of what the next boot takes.")
    ] = False,
    file: Annotated[
        Path,
        typer.Option("--list", metavar="FILE", help="Where the saved list is, or is to be."),
    ] = _LIST,
    level: Annotated[
        Level, typer.Option(help="Show only what needs at least this care.")
    ] = Level.NORMAL,
    database: Database = None,
    json: Json = False,
    pager: Pager = True,
) -> int:
    """Show what the last wipe took and nobody brought back; exit 1 if it matters.

    Example: imptrace lost --restore /var/lib/forgotten
    """
    listed = os.path.abspath(os.fsencode(file))
    now = os.path.abspath(os.fsencode(root))
    with reading_if_there(database) as engine:
        if save_list:
            save(leaks_now(Question(), engine).leaks, listed)
            return 0
        said = None if old is None else os.path.abspath(os.fsencode(old))
        mounts = own_mounts() if now == b"/" else ()
        with old_root(said, mounts) as found:
            steps: list[Step] = []
            if found is not None:
                for path in restore or ():
                    steps += _restored(found.path, now, path, is_told=not json)
                answered = in_old_root(found.path, found.shown, now, engine)
            elif restore:
                raise UsageError("there is no old root to restore from; --old-root DIR names it")
            else:
                saved = read_saved(listed)
                if saved is None or saved.is_of_this_boot:
                    raise UsageError(
                        "no old root is left, and no list was saved before the last boot; "
                        "--old-root DIR names it"
                    )
                answered = in_list(saved, listed, now)
    if json:
        answer_json(lost_answer.json(answered, steps))
    elif not steps:
        shown = [each for each in answered.lost if each.leak.level >= level]
        if text := lost_answer.table(shown, screen()):
            show(text, pager=pager)
        say(lost_answer.summary(answered))
    return SOMETHING_MATTERS if answered.matters else 0


def _restored(old: bytes, now: bytes, path: Path, *, is_told: bool) -> list[Step]:
    steps = []
    for step in Restorer(old, now).restore(os.path.abspath(os.fsencode(path))):
        steps.append(step)
        if is_told:
            say(lost_answer.step(step))
    return steps
