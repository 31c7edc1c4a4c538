"""Removing runs."""

from collections.abc import Sequence

from sqlalchemy import Engine, delete, exists, select

from imptrace.db.bulk import CHUNK
from imptrace.db.models import Access, Path, Run
from imptrace.db.records import RunStatus
from imptrace.db.rows import run_record
from imptrace.errors import UsageError


def delete_runs(engine: Engine, run_ids: Sequence[int]) -> None:
    """Remove runs with all that belongs to them, and the paths that no other run saw.

    All or none, in one transaction. Raises UsageError if one is still being recorded.
    """
    wanted = Run.id.in_(run_ids)
    with engine.begin() as connection:
        for row in connection.execute(select(Run.__table__).where(wanted)):
            if run_record(row).status is RunStatus.RECORDING:
                raise UsageError(f"run {row.id} is still being recorded; end its program first")
        of_runs = select(Access.path_id).where(Access.run_id.in_(run_ids)).distinct()
        paths = connection.scalars(of_runs).all()
        connection.execute(delete(Run).where(wanted))
        unused = ~exists().where(Access.path_id == Path.id)
        for start in range(0, len(paths), CHUNK):
            chunk = paths[start : start + CHUNK]
            connection.execute(delete(Path).where(Path.id.in_(chunk), unused))
