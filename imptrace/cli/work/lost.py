"""What `imptrace lost` does."""

import os
from pathlib import Path

from imptrace.cli.messages import say
from imptrace.cli.output import answer as show
from imptrace.cli.output import answer_json, screen
from imptrace.db.engine import reading_if_there
from imptrace.errors import UsageError
from imptrace.facts.levels import Level
from imptrace.kept.leaks.answer import LeaksQuestion
from imptrace.kept.leaks.answer import answer as leaks_now
from imptrace.kept.lost.find import in_list, in_old_root
from imptrace.kept.lost.old_root import old_root
from imptrace.kept.lost.restore import Restorer, Step
from imptrace.kept.lost.saved import read_saved, save
from imptrace.render import lost_answer
from imptrace.tracer.mountinfo import own_mounts

SOMETHING_MATTERS = 1


def lost(
    *,
    restore: list[Path] | None,
    old: Path | None,
    root: Path,
    save_list: bool,
    file: Path,
    level: Level,
    database: str | None,
    json: bool,
    pager: bool,
) -> int:
    """Do what imptrace.cli.lost was asked, where each option is explained."""
    listed = os.path.abspath(os.fsencode(file))
    now = os.path.abspath(os.fsencode(root))
    with reading_if_there(database) as engine:
        if save_list:
            save(leaks_now(LeaksQuestion(), engine).leaks, listed)
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
        if unknown := lost_answer.unknown(answered):
            say(unknown)
    return SOMETHING_MATTERS if answered.matters else 0


def _restored(old: bytes, now: bytes, path: Path, *, is_told: bool) -> list[Step]:
    steps = []
    for step in Restorer(old, now).restore(os.path.abspath(os.fsencode(path))):
        steps.append(step)
        if is_told:
            say(lost_answer.step(step))
    return steps
