"""What `imptrace show` does."""

from imptrace.cli.options import keep_garbage
from imptrace.cli.output import answer, answer_json, screen
from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.records import Detail
from imptrace.render import run_json
from imptrace.render.run_text import Wanted, run_text

MOST = 1000


"""Paths of one kind that are shown unasked: as many as anybody reads."""


def show(
    *,
    run: str,
    reads: bool,
    tree: bool,
    everything: bool,
    database: str | None,
    json: bool,
    pager: bool,
) -> None:
    """Do what imptrace.cli.show was asked, where each option is explained."""
    keep_garbage()
    detail = Detail.TIMELESS if reads or json else Detail.CHANGES
    with reading(database) as engine:
        run_id = queries.resolve_run(engine, run)
        details = queries.run_details(engine, run_id, detail)
        seen = queries.count_paths(engine, run_id) if detail is Detail.CHANGES else None
    if json:
        answer_json(run_json.run(details))
        return
    only_read = seen - len(details.paths) if seen is not None else None
    wanted = Wanted(
        screen=screen(),
        reads=reads,
        tree=tree,
        only_read=only_read,
        most=None if everything else MOST,
    )
    answer(run_text(details, wanted), pager=pager)
