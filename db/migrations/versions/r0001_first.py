"""The first schema.

A migration runs inside one transaction together with the record that it ran. It uses no model of
imptrace.db.models: those change, this must not.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ExcludeConstraint

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "path",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_path")),
        sa.UniqueConstraint("name", name=op.f("uq_path_name")).ddl_if(dialect="sqlite"),
        ExcludeConstraint(("name", "="), using="hash", name="ex_path_name").ddl_if(
            dialect="postgresql"
        ),
    )
    op.create_table(
        "run",
        sa.Column("id", _ID, nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("program", sa.LargeBinary(), nullable=False),
        sa.Column("argv", sa.LargeBinary(), nullable=False),
        sa.Column("cwd", sa.LargeBinary(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("started_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_ns", sa.BigInteger(), nullable=True),
        sa.Column("exit_code", sa.BigInteger(), nullable=True),
        sa.Column("exit_signal", sa.BigInteger(), nullable=True),
        sa.Column("recorder", sa.Text(), nullable=False),
        sa.Column("recorder_pid", sa.BigInteger(), nullable=False),
        sa.Column("recorder_started", sa.BigInteger(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("unseen", sa.BigInteger(), nullable=False),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_label"), "run", ["label"])
    op.create_index(op.f("ix_run_program"), "run", ["program"])
    op.create_index(op.f("ix_run_service"), "run", ["service"])
    op.create_table(
        "file_state",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("path_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("moment", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.Integer(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("gid", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("ctime_ns", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.BigInteger(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=True),
        sa.Column("link", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_file_state_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "path_id", "moment", name=op.f("pk_file_state")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mount",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mount_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("mountpoint", sa.LargeBinary(), nullable=False),
        sa.Column("fstype", sa.Text(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_mount_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_mount")),
    )
    op.create_table(
        "process",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.BigInteger(), nullable=True),
        sa.Column("previous", sa.BigInteger(), nullable=True),
        sa.Column("exe", sa.LargeBinary(), nullable=False),
        sa.Column("argv", sa.LargeBinary(), nullable=False),
        sa.Column("cwd", sa.LargeBinary(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("gid", sa.BigInteger(), nullable=False),
        sa.Column("cgroup", sa.LargeBinary(), nullable=False),
        sa.Column("environ", sa.LargeBinary(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=op.f("fk_process_run_id_run"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "id", name=op.f("pk_process")),
    )
    op.create_table(
        "access",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("process_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("path_id", _ID, nullable=False),
        sa.Column("op", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("errno", sa.Integer(), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.BigInteger(), nullable=True),
        sa.Column("from_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id", "process_id"],
            ["process.run_id", "process.id"],
            name=op.f("fk_access_run_id_process"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["path_id"], ["path.id"], name=op.f("fk_access_path_id_path")),
        sa.PrimaryKeyConstraint("run_id", "process_id", "path_id", "op", name=op.f("pk_access")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_access_path_id"), "access", ["path_id"])
