"""What `imptrace files` does."""

from imptrace.cli.output import answer, answer_json, screen
from imptrace.cli.work.parts import part_of
from imptrace.db import uses
from imptrace.db.engine import reading
from imptrace.render import run_json, uses_text


def files(
    *,
    program: str,
    reads: bool,
    unit: str | None,
    user: str | None,
    database: str | None,
    json: bool,
    pager: bool,
) -> None:
    """Do what imptrace.cli.files was asked, where each option is explained."""
    with reading(database) as engine:
        found = uses.program_uses(engine, program, part_of(unit, None, user))
    if json:
        answer_json(run_json.files(program, found))
    else:
        answer(uses_text.by_path(found, screen(), reads=reads), pager=pager)
