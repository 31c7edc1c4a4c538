"""What `imptrace runs` does."""

from imptrace.cli.messages import say
from imptrace.cli.output import answer, answer_json, screen
from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.render import run_json
from imptrace.render.run_text import runs_table


def runs(*, database: str | None, json: bool, pager: bool) -> None:
    """Do what imptrace.cli.runs was asked, where each option is explained."""
    with reading(database) as engine:
        records = queries.runs(engine)
    if json:
        answer_json(run_json.runs(records))
    elif records:
        answer(runs_table(records, screen()), pager=pager)
    else:
        say("no run is recorded; begin with: imptrace run PROGRAM")
