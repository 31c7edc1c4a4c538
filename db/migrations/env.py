"""Run by Alembic: migrate within the connection and the transaction that imptrace opened."""

from alembic import context

from imptrace.db.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite cannot alter most of a table: Alembic makes a new one and copies.
    render_as_batch=True,
)
context.run_migrations()
