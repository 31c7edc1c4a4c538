"""What rehearsals have shown: one row for each advice that was rehearsed, the newest result."""

from sqlalchemy import Engine, select

from imptrace.db.codes import storable
from imptrace.db.models import RehearsalTable
from imptrace.db.records import RehearsalRecord
from imptrace.db.store import insert_into


def store_rehearsal(engine: Engine, found: RehearsalRecord) -> None:
    """Store a result; the one before it, of the same advice, is replaced."""
    row = {
        "subject": storable(found.subject),
        "fingerprint": found.fingerprint,
        "verdict": found.verdict,
        "unit": None if found.unit is None else storable(found.unit),
        "at_ns": found.at_ns,
    }
    with engine.begin() as connection:
        statement = insert_into(connection, RehearsalTable).on_conflict_do_update(
            index_elements=[RehearsalTable.subject, RehearsalTable.fingerprint],
            set_={name: row[name] for name in ("verdict", "unit", "at_ns")},
        )
        connection.execute(statement, row)


def rehearsals_of(engine: Engine, subject: str) -> list[RehearsalRecord]:
    """Find what was shown about a subject, the newest first."""
    with engine.connect() as connection:
        rows = connection.execute(
            select(RehearsalTable.__table__)
            .where(RehearsalTable.subject == storable(subject))
            .order_by(RehearsalTable.at_ns.desc())
        )
        return [RehearsalRecord(**row._mapping) for row in rows]  # noqa: SLF001 (SQLAlchemy's)
