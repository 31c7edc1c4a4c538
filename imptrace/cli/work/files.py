"""What `imptrace files` does."""

from imptrace.cli.output import answer, answer_json, screen
from imptrace.db import uses
from imptrace.db.engine import reading
from imptrace.render import run_json, uses_text


def files(*, program: str, reads: bool, database: str | None, json: bool, pager: bool) -> None:
    """Do what imptrace.cli.files was asked, where each option is explained."""
    with reading(database) as engine:
        found = uses.program_uses(engine, program)
    if json:
        answer_json(run_json.files(program, found))
    else:
        answer(uses_text.by_path(found, screen(), reads=reads), pager=pager)
