"""What rehearsals have shown: one row for each advice that was rehearsed, the newest result."""

from contextlib import closing

from sqlalchemy import Engine, select

from imptrace.db.codes import storable
from imptrace.db.engine import driver_of
from imptrace.db.models import RehearsalTable
from imptrace.db.records import RehearsalRecord


def store_rehearsal(engine: Engine, found: RehearsalRecord) -> None:
    """Store a result; the one before it, of the same advice, is replaced."""
    values = (
        storable(found.subject),
        found.fingerprint,
        found.verdict,
        None if found.unit is None else storable(found.unit),
        found.at_ns,
    )
    driver = driver_of(engine)
    with closing(driver), driver.transaction():
        driver.execute(_UPSERT, values)


_UPSERT = """
INSERT INTO rehearsal (subject, fingerprint, verdict, unit, at_ns) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (subject, fingerprint) DO UPDATE
SET verdict = excluded.verdict, unit = excluded.unit, at_ns = excluded.at_ns
"""


def rehearsals_of(engine: Engine, subject: str) -> list[RehearsalRecord]:
    """Find what was shown about a subject, the newest first."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(RehearsalTable.__table__)
            .where(RehearsalTable.subject == storable(subject))
            .order_by(RehearsalTable.at_ns.desc())
        )
        return [RehearsalRecord(**row._mapping) for row in rows]  # noqa: SLF001 (SQLAlchemy's)
