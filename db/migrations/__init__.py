"""Alembic migrations, run when an older database is opened.

To add one: write versions/rNNNN_name.py after script.py.mako, and change the models;
tests/db/test_migrations.py says whether they agree.
"""

from pathlib import Path

from alembic.config import Config
from sqlalchemy import Connection


def configuration(connection: Connection) -> Config:
    """Alembic's configuration, to work within the transaction of `connection`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
