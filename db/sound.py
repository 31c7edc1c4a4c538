"""Whether a database file holds only what imptrace writes, told from its types.

SQLite takes any value in any column. The small tables are looked at before each question. To look
at the others would take too long: it is done when something went wrong.
"""

from sqlalchemy import Connection, Engine, Integer, LargeBinary, text
from sqlalchemy.exc import DBAPIError

from imptrace.db.models import Base
from imptrace.db.version import CODE_IN_SQLITE

_BIG = frozenset({"access", "file_state", "path", "process"})

_remembered: list[Engine] = []


def begin(engine: Engine) -> None:
    """Note what a command reads now, for `is_foreign`. Raises ValueError if that shows already."""
    _remembered[:] = [engine]
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        for name in Base.metadata.tables.keys() - _BIG:
            if _is_foreign(connection, name):
                raise ValueError(f"a value of another type in the table {name}")


def has_code(connection: Connection) -> bool:
    """Whether a file has views or triggers, which imptrace makes none of: they may never end."""
    if connection.dialect.name != "sqlite":
        return False
    return connection.execute(text(CODE_IN_SQLITE)).first() is not None


def is_foreign() -> bool:
    """Whether what was read last holds values that imptrace does not write."""
    if not _remembered or _remembered[0].dialect.name != "sqlite":
        return False
    try:
        with _remembered[0].connect() as connection:
            return any(_is_foreign(connection, name) for name in Base.metadata.tables)
    except DBAPIError:
        return True
    finally:
        _remembered[0].dispose()


def _is_foreign(connection: Connection, name: str) -> bool:
    wrong = []
    for column in Base.metadata.tables[name].columns:
        kind = "integer" if isinstance(column.type, Integer) else "text"
        kind = "blob" if isinstance(column.type, LargeBinary) else kind
        kinds = f"'{kind}', 'null'" if column.nullable else f"'{kind}'"
        wrong.append(f'typeof("{column.name}") NOT IN ({kinds})')
    found = connection.execute(text(f'SELECT 1 FROM "{name}" WHERE {" OR ".join(wrong)} LIMIT 1'))
    return found.first() is not None
