"""What `imptrace show` does."""

from imptrace.cli.options import keep_garbage
from imptrace.cli.output import answer, answer_json, screen
from imptrace.cli.work.parts import part_of
from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.records import Detail
from imptrace.evidence.parts import both, one_run
from imptrace.render import run_json
from imptrace.render.run_text import RunView, run_text

MOST = 1000
"""Paths of one kind that are shown unasked: as many as anybody reads."""


def show(
    *,
    run: str,
    reads: bool,
    tree: bool,
    everything: bool,
    unit: str | None,
    program: str | None,
    user: str | None,
    database: str | None,
    json: bool,
    pager: bool,
) -> None:
    """Do what imptrace.cli.show was asked, where each option is explained."""
    keep_garbage()
    detail = Detail.TIMELESS if reads or json else Detail.CHANGES
    with reading(database) as engine:
        run_id, named = one_run(engine, run)
        part = both(named, part_of(unit, program, user))
        details = queries.run_part(engine, run_id, part, detail)
        theirs = [process.id for process in details.processes] if part else None
        is_partial = detail is Detail.CHANGES
        seen = queries.count_paths(engine, run_id, theirs) if is_partial else None
    if json:
        answer_json(run_json.run(details))
        return
    only_read = seen - len(details.paths) if seen is not None else None
    wanted = RunView(
        screen=screen(),
        reads=reads,
        tree=tree,
        only_read=only_read,
        most=None if everything else MOST,
    )
    answer(run_text(details, wanted), pager=pager)
