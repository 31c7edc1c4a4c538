"""The tables. docs/database.md explains each column to users.

Enums are small integers (imptrace.db.codes). A path is stored once and named by its id, since the
same few thousand paths return in every run. `access` and `file_state` are the big tables: their
primary key is the row (WITHOUT ROWID) and follows how runs are read, one run at a time.
"""

from sqlalchemy import (
    BigInteger,
    Connection,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite numbers rows by itself only where the column is called INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Every constraint and index gets a name, so that a migration can name what it changes."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy declares it so)
        int: BigInteger,
        bytes: LargeBinary,
        str: Text,
    }


class Run(Base):
    """One recorded command line. Times are wall clock, nanoseconds since the epoch."""

    __tablename__ = "run"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    label: Mapped[str | None] = mapped_column(index=True)
    program: Mapped[bytes] = mapped_column(index=True)
    argv: Mapped[bytes]
    cwd: Mapped[bytes]
    user: Mapped[str]
    uid: Mapped[int]
    host: Mapped[str]
    started_ns: Mapped[int]
    ended_ns: Mapped[int | None]
    exit_code: Mapped[int | None]
    exit_signal: Mapped[int | None]
    recorder: Mapped[str]
    recorder_pid: Mapped[int]
    recorder_started: Mapped[int]
    boot_id: Mapped[str]
    status: Mapped[int] = mapped_column(SmallInteger)
    lost: Mapped[int]
    unseen: Mapped[int]
    service: Mapped[str | None] = mapped_column(index=True)
    properties: Mapped[str]
    warnings: Mapped[str]


class Process(Base):
    """One image of a process. `id` counts within its run; times are nanoseconds since its start."""

    __tablename__ = "process"

    run_id: Mapped[int] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pid: Mapped[int]
    parent: Mapped[int | None]
    previous: Mapped[int | None]
    exe: Mapped[bytes]
    argv: Mapped[bytes]
    cwd: Mapped[bytes]
    uid: Mapped[int]
    gid: Mapped[int]
    cgroup: Mapped[bytes]
    environ: Mapped[bytes]
    started: Mapped[int]
    ended: Mapped[int | None]
    status: Mapped[int | None]


class Path(Base):
    """A path that some run saw: absolute, any bytes."""

    __tablename__ = "path"
    __table_args__ = (UniqueConstraint("name").ddl_if(dialect="sqlite"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    name: Mapped[bytes]


@event.listens_for(Path.__table__, "after_create")
def _let_names_differ(_table: object, connection: Connection, **_: object) -> None:
    # PostgreSQL's ordinary indexes refuse names of more than 2,704 bytes. Plain SQL, since the
    # class for it imports a driver and more, for which every reader of SQLite would have to wait.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "ALTER TABLE path ADD CONSTRAINT ex_path_name EXCLUDE USING hash (name WITH =)"
        )


class Access(Base):
    """What one process did to one path with one op, all calls folded into one row.

    `to_id` and `from_id` are no foreign keys: both ends of a rename or link have access rows of the
    same run, so they cannot dangle, and checking them would scan this table for each path removed.
    """

    __tablename__ = "access"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id", "process_id"], [Process.run_id, Process.id], ondelete="CASCADE"
        ),
        Index(None, "path_id"),
        {"sqlite_with_rowid": False},
    )

    run_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    process_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    path_id: Mapped[int] = mapped_column(ForeignKey(Path.id), primary_key=True)
    op: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    count: Mapped[int]
    first: Mapped[int]
    last: Mapped[int]
    outcome: Mapped[int] = mapped_column(SmallInteger)
    errno: Mapped[int] = mapped_column(Integer)
    flags: Mapped[int] = mapped_column(Integer)
    to_id: Mapped[int | None]
    from_id: Mapped[int | None]


class FileState(Base):
    """What stood at a path before its first change by a run, and after the run.

    `path_id` is no foreign key for the reason given at `Access`.
    """

    __tablename__ = "file_state"
    __table_args__ = ({"sqlite_with_rowid": False},)

    run_id: Mapped[int] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    path_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    moment: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    type: Mapped[int] = mapped_column(SmallInteger)
    size: Mapped[int]
    mode: Mapped[int] = mapped_column(Integer)
    uid: Mapped[int]
    gid: Mapped[int]
    mtime_ns: Mapped[int]
    ctime_ns: Mapped[int]
    inode: Mapped[int]
    device: Mapped[int]
    hint: Mapped[str | None]
    link: Mapped[bytes | None]


class Mount(Base):
    """A line of the mount table at the start of a run, in its order."""

    __tablename__ = "mount"

    run_id: Mapped[int] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mount_id: Mapped[int]
    parent_id: Mapped[int]
    device: Mapped[str]
    root: Mapped[bytes]
    mountpoint: Mapped[bytes]
    fstype: Mapped[str]
    source: Mapped[bytes]
    options: Mapped[str]
