"""A table for the warnings of runs, which stood as JSON in `run.warnings`."""

import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PAIR = 2
_RUN = sa.table("run", sa.column("id", sa.BigInteger), sa.column("warnings", sa.Text))


def upgrade() -> None:
    """Make the table, and carry over what the column holds."""
    warning = op.create_table(
        "warning",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_warning_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_warning")),
    )
    connection = op.get_bind()
    for run, written in connection.execute(sa.select(_RUN.c.id, _RUN.c.warnings)).all():
        for position, (code, text) in enumerate(_pairs(written)):
            row = {"run_id": run, "position": position, "code": code, "text": text}
            connection.execute(sa.insert(warning).values(row))
    with op.batch_alter_table("run") as altered:
        altered.drop_column("warnings")


def _pairs(written: object) -> Iterator[tuple[str, str]]:
    """Read [[code, text], ...]; of a list that somebody damaged, what is of that form."""
    try:
        found = json.loads(written) if isinstance(written, str) else None
    except (ValueError, RecursionError):
        return
    if not isinstance(found, list):
        return
    for pair in found:
        if isinstance(pair, list) and len(pair) == _PAIR:
            code, text = pair
            if isinstance(code, str) and isinstance(text, str):
                yield _storable(code), _storable(text)


def _storable(text: str) -> str:
    """JSON can hold what no column can: lone surrogates, NUL."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace").replace("\0", "")
