"""What `imptrace runs` does."""

from imptrace.cli.messages import say
from imptrace.cli.output import answer, answer_json, screen
from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.parts import counts
from imptrace.render import run_json, run_parts
from imptrace.render.run_text import runs_table
from imptrace.tracer.program import user_name


def runs(*, database: str | None, json: bool, pager: bool) -> None:
    """Do what imptrace.cli.runs was asked, where each option is explained."""
    with reading(database) as engine:
        records = queries.runs(engine)
        pauses = queries.pauses(engine)
    if json:
        answer_json(run_json.runs(records, pauses))
    elif records:
        answer(runs_table(records, screen()), pager=pager)
        for pause in pauses:
            say(run_parts.pause_text(pause))
    else:
        say("no run is recorded; begin with: imptrace run PROGRAM")


def parts(*, run: str, database: str | None, json: bool, pager: bool) -> None:
    """List what one run holds."""
    with reading(database) as engine:
        found = counts(engine, queries.resolve_run(engine, run))
    users = {part.uid: user_name(part.uid) for part in found}
    if json:
        answer_json(run_parts.as_json(found, users))
    elif found:
        answer(run_parts.table(found, users, screen()), pager=pager)
    else:
        say("nothing was recorded in it")
