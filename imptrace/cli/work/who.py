"""What `imptrace who` does."""

import os
from pathlib import Path

from imptrace.cli.messages import say
from imptrace.cli.output import answer, answer_json, screen
from imptrace.cli.work.parts import part_of
from imptrace.db import uses
from imptrace.db.changers import asked_of
from imptrace.db.engine import reading_if_there
from imptrace.kept.belongs import belonging
from imptrace.render import uses_text, who_answer
from imptrace.render.text import printable


def who(
    *,
    path: Path,
    reads: bool,
    unit: str | None,
    user: str | None,
    database: str | None,
    json: bool,
    pager: bool,
) -> None:
    """Do what imptrace.cli.who was asked, where each option is explained."""
    # Not resolved: the question may be about a symbolic link itself.
    wanted = os.fsencode(os.path.abspath(path))
    target = os.path.realpath(wanted)
    part = part_of(unit, None, user)
    with reading_if_there(database) as engine:
        found = uses.path_uses(engine, wanted, part) if engine is not None else []
        if engine is not None and not found and target != wanted:
            # A recording has the name that the kernel resolved.
            found = uses.path_uses(engine, target, part)
            if found:
                say(f"{printable(wanted)} leads to {printable(target)}, which was touched by")
        belongs = belonging(wanted, asked_of(engine))
    if json:
        answer_json(who_answer.json(wanted, found, belongs))
    elif found:
        answer(uses_text.by_program(found, screen(), reads=reads), pager=pager)
    elif text := who_answer.without_record(belongs):
        answer(text, pager=False)
    else:
        of_part = "that is asked for " if part else ""
        say(f"no recorded program {of_part}touched {printable(wanted)}")
