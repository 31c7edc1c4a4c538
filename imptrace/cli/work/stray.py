"""What `imptrace stray` does."""

import os
from pathlib import Path

from imptrace.cli.messages import say
from imptrace.cli.output import answer as show
from imptrace.cli.output import answer_json, screen
from imptrace.db.engine import reading_if_there
from imptrace.errors import UsageError
from imptrace.kept.stray import declared_here, period_ns
from imptrace.kept.stray import stray as find
from imptrace.kept.walk import Tree
from imptrace.render import stray_answer
from imptrace.render.gaps_text import gaps_text
from imptrace.tracer.mountinfo import own_mounts

SOMETHING_IS_ASTRAY = 1


def stray(
    *,
    stores: list[Path] | None,
    declared: Path | None,
    unused: str | None,
    check: bool,
    database: str | None,
    json: bool,
    pager: bool,
) -> int:
    """Do what imptrace.cli.stray was asked, where each option is explained."""
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
        for line in gaps_text(found.gaps):
            say(line)
    return SOMETHING_IS_ASTRAY if check and found.stray else 0
