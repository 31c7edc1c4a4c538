"""`imptrace runs`: what was recorded."""

from imptrace.cli.messages import say
from imptrace.cli.options import Database, Json, Pager
from imptrace.cli.output import answer, answer_json, screen
from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.render import run_json
from imptrace.render.run_text import runs_table


def runs(*, database: Database = None, json: Json = False, pager: Pager = True) -> None:
    """List the recorded runs, oldest first.

    Example: imptrace runs
    """
    with reading(database) as engine:
        records = queries.runs(engine)
    if json:
        answer_json(run_json.runs(records))
    elif records:
        answer(runs_table(records, screen()), pager=pager)
    else:
        say("no run is recorded; begin with: imptrace run PROGRAM")
