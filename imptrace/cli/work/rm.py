"""What `imptrace rm` does."""

import typer

from imptrace.cli.output import answer_json
from imptrace.db import queries
from imptrace.db.engine import writing


def rm(*, runs: list[str], json: bool, database: str | None) -> None:
    """Do what imptrace.cli.rm was asked, where each option is explained."""
    with writing(database) as engine:
        ids = sorted({queries.resolve_run(engine, run) for run in runs})
        queries.delete_runs(engine, ids)
    if json:
        answer_json({"schema": "imptrace.removed/1", "runs": ids})
    else:
        typer.echo("removed " + ", ".join(f"run {run}" for run in ids))
