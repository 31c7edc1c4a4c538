"""`imptrace runs`: what was recorded."""

from imptrace.cli.options import Database, Json, Pager


def runs(*, database: Database = None, json: Json = False, pager: Pager = True) -> None:
    """List the recorded runs, oldest first.

    Example: imptrace runs
    """
    from imptrace.cli.work import runs as work

    work.runs(database=database, json=json, pager=pager)
