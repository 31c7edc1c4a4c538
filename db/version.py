"""Which revision of the tables this version works with, asked without SQLAlchemy."""

import os

from imptrace.db.driver import Driver

_VERSIONS = os.path.join(os.path.dirname(__file__), "migrations", "versions")
HEAD = max(name[1:5] for name in os.listdir(_VERSIONS) if name.startswith("r"))
"""The newest revision: of the scripts rNNNN_*.py, whose chain a test follows."""

ALEMBICS = "alembic_version"
"""The table in which Alembic keeps the revision."""
CODE_IN_SQLITE = "SELECT 1 FROM sqlite_master WHERE type IN ('view', 'trigger') LIMIT 1"
"""Finds what imptrace makes none of, and what may never end."""


def is_newest(driver: Driver) -> bool:
    """Whether an SQLite file has the tables of HEAD, and nothing that is run unasked."""
    if driver.execute(CODE_IN_SQLITE):
        return False
    named = driver.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN (?, 'run', 'access')",
        (ALEMBICS,),
    )
    return named == [(3,)] and driver.execute(f"SELECT version_num FROM {ALEMBICS}") == [(HEAD,)]
