"""Which schema a database has: made fresh, brought up to date, or refused.

A fresh database is made from the models and stamped with the newest revision, so that Alembic,
whose import costs half a second, is needed only when a migration is due.
"""

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, inspect

from imptrace.db import sound, version
from imptrace.db.models import Base
from imptrace.db.trouble import SchemaError

# What Alembic itself creates, so that it finds its own table.
_VERSION = Table(
    version.ALEMBICS,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def stored_revision(connection: Connection) -> str | None:
    """Return the revision of a database that imptrace made, None of one without any table.

    Raises SchemaError where the tables are someone else's.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    if _VERSION.name not in tables or Base.metadata.tables.keys().isdisjoint(tables):
        raise SchemaError("it holds another program's tables; name another file with --db")
    if sound.has_code(connection):
        raise SchemaError(
            "it holds views or triggers, which imptrace makes none of: it is another program's, or "
            "damaged; name another file with --db"
        )
    stored = connection.scalar(_VERSION.select())
    if stored is not None and not (isinstance(stored, str) and stored.isalnum()):
        raise SchemaError("it is damaged: the version of its tables is none")
    return stored or "base"


def create(connection: Connection) -> None:
    """Make all tables in an empty database, within the caller's transaction."""
    Base.metadata.create_all(connection)
    _VERSION.create(connection)
    connection.execute(_VERSION.insert().values(version_num=version.HEAD))


def upgrade(connection: Connection, revision: str) -> None:
    """Migrate from `revision` to the newest, within the caller's transaction.

    Raises SchemaError if this version of imptrace does not know `revision`.
    """
    from alembic import command  # noqa: PLC0415 (slow, and rarely needed)
    from alembic.script import ScriptDirectory  # noqa: PLC0415 (as above)
    from alembic.util import CommandError  # noqa: PLC0415 (as above)

    from imptrace.db.migrations import configuration  # noqa: PLC0415 (as above)

    config = configuration(connection)
    try:
        if revision != "base":
            ScriptDirectory.from_config(config).get_revision(revision)
    except CommandError as error:
        raise SchemaError(
            f"it was written by a newer imptrace (schema {revision}, this one knows "
            f"{version.HEAD}); upgrade imptrace or name another file with --db"
        ) from error
    command.upgrade(config, "head")
