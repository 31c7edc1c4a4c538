"""${message}.

A migration runs inside one transaction together with the record that it ran. It uses no model of
imptrace.db.models: those change, this must not. Set imptrace.db.schema.HEAD to its revision.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """${message}."""
    ${upgrades if upgrades else "pass"}
