"""Scope and parts of a run; columns and tables for what stood as JSON in `run.properties`."""

import json
import os
from collections.abc import Iterator
from typing import Literal

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PROGRAM, _UNIT, _LOG = 0, 2, 4
_MOUNT_NAMES = "MountNames"
_ELSEWHERE = "imptrace.elsewhere"
_OF_A_UNIT = "InvocationID"
_PROCESSES_OF = (b".service", b".scope")


def upgrade() -> None:
    """Make the new tables and columns, and carry over what is known."""
    _make_tables()
    with op.batch_alter_table("run") as run:
        run.add_column(sa.Column("scope", sa.SmallInteger(), nullable=True))
        run.add_column(sa.Column("elsewhere", sa.Text(), nullable=True))
    # Made anew, SQLite's table reads as a fresh one does; other databases can alter theirs.
    anew: Literal["always", "never"] = (
        "always" if op.get_bind().dialect.name == "sqlite" else "never"
    )
    with op.batch_alter_table("process", recreate=anew) as process:
        process.add_column(sa.Column("unit", sa.Text(), nullable=True))
    _carry_properties()
    _tell_units()
    with op.batch_alter_table("run") as run:
        run.alter_column("scope", existing_type=sa.SmallInteger(), nullable=False)
        run.drop_column("properties")


def _make_tables() -> None:
    op.create_table(
        "unit_property",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_unit_property_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_unit_property")),
    )
    op.create_table(
        "mount_name",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("inside", sa.LargeBinary(), nullable=False),
        sa.Column("host", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_mount_name_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_mount_name")),
    )
    op.create_table(
        "gap",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("process_id", sa.BigInteger(), nullable=True),
        sa.Column("cgroup", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_gap_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_gap")),
    )


_RUN = sa.table(
    "run",
    sa.column("id", sa.BigInteger),
    sa.column("recorder", sa.Text),
    sa.column("properties", sa.Text),
    sa.column("scope", sa.SmallInteger),
    sa.column("elsewhere", sa.Text),
)
_PROPERTY = sa.table(
    "unit_property",
    sa.column("run_id", sa.BigInteger),
    sa.column("name", sa.Text),
    sa.column("value", sa.Text),
)
_MOUNT_NAME = sa.table(
    "mount_name",
    sa.column("run_id", sa.BigInteger),
    sa.column("position", sa.BigInteger),
    sa.column("inside", sa.LargeBinary),
    sa.column("host", sa.LargeBinary),
)
_PROCESS = sa.table("process", sa.column("cgroup", sa.LargeBinary), sa.column("unit", sa.Text))


def _carry_properties() -> None:
    connection = op.get_bind()
    for run, recorder, text in connection.execute(
        sa.select(_RUN.c.id, _RUN.c.recorder, _RUN.c.properties)
    ).all():
        properties = dict(_read(text))
        scope = _LOG if recorder == "strace" else _UNIT if _OF_A_UNIT in properties else _PROGRAM
        elsewhere, names = properties.pop(_ELSEWHERE, None), properties.pop(_MOUNT_NAMES, "{}")
        values = {"scope": scope, "elsewhere": elsewhere}
        connection.execute(sa.update(_RUN).where(_RUN.c.id == run).values(values))
        for name, value in properties.items():
            connection.execute(sa.insert(_PROPERTY).values(run_id=run, name=name, value=value))
        for position, (inside, host) in enumerate(_mount_names(names)):
            row = {"run_id": run, "position": position, "inside": inside, "host": host}
            connection.execute(sa.insert(_MOUNT_NAME).values(row))


def _read(text: str) -> Iterator[tuple[str, str]]:
    """Read an object of texts; of one that somebody damaged, what is of that form."""
    try:
        found = json.loads(text)
    except ValueError:
        return
    if isinstance(found, dict):
        yield from ((name, value) for name, value in found.items() if isinstance(value, str))


def _mount_names(text: str) -> Iterator[tuple[bytes, bytes | None]]:
    """Read {name inside: name here, or null, or several of them}."""
    try:
        found = json.loads(text)
    except ValueError:
        return
    if isinstance(found, dict):
        for inside, hosts in found.items():
            for host in hosts if isinstance(hosts, list) else [hosts]:
                if host is None or isinstance(host, str):
                    yield os.fsencode(inside), None if host is None else os.fsencode(host)


def _tell_units() -> None:
    connection = op.get_bind()
    for cgroup in connection.scalars(sa.select(_PROCESS.c.cgroup).distinct()).all():
        parts = (part for part in reversed(cgroup.split(b"/")) if part.endswith(_PROCESSES_OF))
        part = next(parts, None)
        if part is not None:
            unit = part.decode(errors="backslashreplace")
            connection.execute(
                sa.update(_PROCESS).where(_PROCESS.c.cgroup == cgroup).values(unit=unit)
            )
