"""The tables. docs/database.md explains each column to users.

Enums are small integers (imptrace.db.codes). A path is stored once and named by its id, since the
same few thousand paths return in every run. `access` and `file_state` are the big tables: their
primary key is the row (WITHOUT ROWID) and follows how runs are read, one run at a time.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    and_,
    event,
)
from sqlalchemy.schema import SchemaItem

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

T = TypeVar("T")
_Kind: TypeAlias = "TypeEngine[T] | type[TypeEngine[T]]"

_WITHOUT_ROWID: Final = {"sqlite_with_rowid": False}
# SQLite numbers rows by itself only where the column is called INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")


def required(kind: "_Kind[T]", *constraints: ForeignKey, **options: Any) -> ColumnElement[T]:
    """Make a column that always has a value."""
    return Column(kind, *constraints, nullable=False, **options)


def optional(kind: "_Kind[T]", **options: Any) -> ColumnElement[T | None]:
    """Make a column that may be empty."""
    return cast("ColumnElement[T | None]", Column(kind, nullable=True, **options))


class Base:
    """A table whose columns are the attributes of a class, which can stand for it in statements.

    SQLAlchemy's own declarative classes need its ORM, whose import takes as long as all else that
    recording needs, for objects that are never made: every question is answered with rows.
    """

    # Every constraint and index gets a name, so that a migration can name what it changes.
    metadata: ClassVar = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    __tablename__: ClassVar[str]
    __table_args__: ClassVar[tuple[SchemaItem, ...]] = ()
    __table_options__: ClassVar[dict[str, Any]] = {}
    __table__: ClassVar[Table]

    def __init_subclass__(cls) -> None:
        columns = []
        for name, column in vars(cls).items():
            if isinstance(column, Column):
                column.name = column.key = name
                columns.append(column)
        cls.__table__ = Table(
            cls.__tablename__, cls.metadata, *columns, *cls.__table_args__, **cls.__table_options__
        )

    @classmethod
    def __clause_element__(cls) -> Table:
        return cls.__table__


class RunTable(Base):
    """One recorded command line. Times are wall clock, nanoseconds since the epoch."""

    __tablename__ = "run"

    id = required(_Id, primary_key=True)
    label = optional(Text, index=True)
    program = required(LargeBinary, index=True)
    argv = required(LargeBinary)
    cwd = required(LargeBinary)
    user = required(Text)
    uid = required(BigInteger)
    host = required(Text)
    started_ns = required(BigInteger)
    ended_ns = optional(BigInteger)
    exit_code = optional(BigInteger)
    exit_signal = optional(BigInteger)
    recorder = required(Text)
    recorder_pid = required(BigInteger)
    recorder_started = required(BigInteger)
    boot_id = required(Text)
    status = required(SmallInteger)
    lost = required(BigInteger)
    unseen = required(BigInteger)
    service = optional(Text, index=True)
    scope = required(SmallInteger)
    elsewhere = optional(Text)


class UnitPropertyTable(Base):
    """A fact about the unit of a run, as systemd reported it."""

    __tablename__ = "unit_property"

    run_id = required(_Id, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    name = required(Text, primary_key=True)
    value = required(Text)


class MountNameTable(Base):
    """A mount or root directory that processes of a run had another name for."""

    __tablename__ = "mount_name"

    run_id = required(_Id, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    position = required(BigInteger, primary_key=True, autoincrement=False)
    inside = required(LargeBinary)
    host = optional(LargeBinary)


class GapTable(Base):
    """Events that a recorder had to drop: how many, when, and whose, as far as it knew."""

    __tablename__ = "gap"

    run_id = required(_Id, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    position = required(BigInteger, primary_key=True, autoincrement=False)
    count = required(BigInteger)
    since = optional(BigInteger)
    until = optional(BigInteger)
    process_id = optional(BigInteger)
    cgroup = required(LargeBinary)


class WarningTable(Base):
    """Something that the recorder of a run warned of."""

    __tablename__ = "warning"

    run_id = required(_Id, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    position = required(BigInteger, primary_key=True, autoincrement=False)
    code = required(Text)
    text = required(Text)


class ProcessTable(Base):
    """One image of a process. `id` counts within its run; times are nanoseconds since its start."""

    __tablename__ = "process"

    run_id = required(_Id, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    id = required(BigInteger, primary_key=True, autoincrement=False)
    pid = required(BigInteger)
    parent = optional(BigInteger)
    previous = optional(BigInteger)
    exe = required(LargeBinary)
    argv = required(LargeBinary)
    cwd = required(LargeBinary)
    uid = required(BigInteger)
    gid = required(BigInteger)
    cgroup = required(LargeBinary)
    environ = required(LargeBinary)
    started = required(BigInteger)
    ended = optional(BigInteger)
    status = optional(BigInteger)
    unit = optional(Text)


class PathTable(Base):
    """A path that some run saw: absolute, any bytes."""

    __tablename__ = "path"
    __table_args__ = (UniqueConstraint("name").ddl_if(dialect="sqlite"),)

    id = required(_Id, primary_key=True)
    name = required(LargeBinary)


@event.listens_for(PathTable.__table__, "after_create")
def _let_names_differ(_table: object, connection: Connection, **_: object) -> None:
    # PostgreSQL's ordinary indexes refuse names of more than 2,704 bytes. Plain SQL, since the
    # class for it imports a driver and more, for which every reader of SQLite would have to wait.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "ALTER TABLE path ADD CONSTRAINT ex_path_name EXCLUDE USING hash (name WITH =)"
        )


class AccessTable(Base):
    """What one process did to one path with one op, all calls folded into one row.

    `to_id` and `from_id` are no foreign keys: both ends of a rename or link have access rows of the
    same run, so they cannot dangle, and checking them would scan this table for each path removed.
    """

    __tablename__ = "access"
    __table_args__ = (
        ForeignKeyConstraint(
            ["run_id", "process_id"], ["process.run_id", "process.id"], ondelete="CASCADE"
        ),
        Index(None, "path_id"),
    )
    __table_options__ = _WITHOUT_ROWID

    run_id = required(BigInteger, primary_key=True, autoincrement=False)
    process_id = required(BigInteger, primary_key=True, autoincrement=False)
    path_id = required(_Id, ForeignKey("path.id"), primary_key=True)
    op = required(SmallInteger, primary_key=True, autoincrement=False)
    count = required(BigInteger)
    first = required(BigInteger)
    last = required(BigInteger)
    outcome = required(SmallInteger)
    errno = required(Integer)
    flags = required(Integer)
    to_id = optional(BigInteger)
    from_id = optional(BigInteger)


PROCESS_OF_ACCESS = and_(
    ProcessTable.run_id == AccessTable.run_id, ProcessTable.id == AccessTable.process_id
)
"""Which process made a call, to join them by."""


class FileStateTable(Base):
    """What stood at a path before its first change by a run, and after the run.

    `path_id` is no foreign key for the reason given at `AccessTable`.
    """

    __tablename__ = "file_state"
    __table_options__ = _WITHOUT_ROWID

    run_id = required(_Id, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    path_id = required(BigInteger, primary_key=True, autoincrement=False)
    moment = required(SmallInteger, primary_key=True, autoincrement=False)
    type = required(SmallInteger)
    size = required(BigInteger)
    mode = required(Integer)
    uid = required(BigInteger)
    gid = required(BigInteger)
    mtime_ns = required(BigInteger)
    ctime_ns = required(BigInteger)
    inode = required(BigInteger)
    device = required(BigInteger)
    hint = optional(Text)
    link = optional(LargeBinary)


class RehearsalTable(Base):
    """What the newest rehearsal of an advice has shown; of another advice it says nothing."""

    __tablename__ = "rehearsal"

    subject = required(Text, primary_key=True)
    fingerprint = required(Text, primary_key=True)
    verdict = required(Text)
    unit = optional(Text)
    at_ns = required(BigInteger)


class MountTable(Base):
    """A line of the mount table at the start of a run, in its order."""

    __tablename__ = "mount"

    run_id = required(_Id, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    position = required(BigInteger, primary_key=True, autoincrement=False)
    mount_id = required(BigInteger)
    parent_id = required(BigInteger)
    device = required(Text)
    root = required(LargeBinary)
    mountpoint = required(LargeBinary)
    fstype = required(Text)
    source = required(LargeBinary)
    options = required(Text)
