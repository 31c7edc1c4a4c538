"""What a run did to its paths, counted where they are stored: for the line after it.

Asked of the driver, as all that recording needs (imptrace.db.driver); tests hold it to what
imptrace.db.read_run tells of the same paths.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from imptrace.db.codes import (
    AFTER,
    BEFORE,
    CHANGE_CODES,
    DONE_CODES,
    FILE_TYPE_CODES,
    OP_CODES,
)
from imptrace.db.driver import Driver
from imptrace.db.effect import MADE_UP, effect_of, judged
from imptrace.db.records import Accesses, Effect
from imptrace.db.rows import STATE_COLUMNS, UNKNOWN, Sides, access_record, joined
from imptrace.db.statements import CHUNK, chunks, marks
from imptrace.facts.paths import bounds_of_below
from imptrace.tracer.events import CONTENT_OPS, FileType


def effects(driver: Driver, run_id: int) -> Counter[Effect | None]:
    """Count the distinct paths of a run by effect; None counts those only read."""
    counts: Counter[Effect | None] = Counter()
    asked = (run_id, *_BOUNDS, run_id)
    ((made_up,),) = driver.execute(f"SELECT count(*) FROM ({_MADE_UP}) AS it", asked[:-1])
    ((changes,),) = driver.execute(f"{_ASKED} SELECT count(*) FROM asked", asked)
    ((every,),) = driver.execute(
        "SELECT count(DISTINCT path_id) FROM access WHERE run_id = ?", (run_id,)
    )
    counts[Effect.UNCHANGED] = made_up
    counts[None] = every - changes - made_up
    for *facts, count in driver.execute(_DIFFERENCES, (*asked, run_id, run_id)):
        counts[judged(**dict(zip(_FACTS, map(bool, facts), strict=True)))] += count
    unclear = [path_id for (path_id,) in driver.execute(_UNCLEAR, (*asked, run_id, run_id))]
    for chunk in chunks(unclear, CHUNK):
        counts.update(_told(driver, run_id, chunk))
    return counts


def _told(driver: Driver, run_id: int, path_ids: list[int]) -> Iterable[Effect | None]:
    """Tell what became of paths of which a state is missing: there the accesses must tell."""
    of_those = f"WHERE run_id = ? AND path_id IN ({marks(path_ids)})"
    rows: dict[int, list[Any]] = {}
    for row in driver.execute(f"SELECT {_ACCESS} FROM access {of_those}", (run_id, *path_ids)):
        rows.setdefault(row[0], []).append(access_record(row, {}))
    states: dict[int, Sides] = {}
    for row in driver.execute(f"SELECT {_STATE} FROM file_state {of_those}", (run_id, *path_ids)):
        states[row[1]] = joined(states.get(row[1], UNKNOWN), row)
    for path_id, accesses in rows.items():
        yield effect_of(*states.get(path_id, UNKNOWN), Accesses(accesses))


def _codes(codes: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(codes)))


def _bit(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def _equal(*columns: str) -> str:
    return _bit(" AND ".join(f"before.{column} = after.{column}" for column in columns))


_CHANGING = f"op IN ({_codes(CHANGE_CODES)})"
_DONE = f"outcome IN ({_codes(DONE_CODES)})"
_WRITTEN = f"{_DONE} AND op IN ({_codes(OP_CODES[op] for op in CONTENT_OPS)})"
_ABSENT = FILE_TYPE_CODES[FileType.ABSENT]
_DIRECTORY = FILE_TYPE_CODES[FileType.DIRECTORY]
_ACCESS = "path_id, NULL, first, last, process_id, op, count, outcome, errno, flags, to_id, from_id"
_STATE = ", ".join(STATE_COLUMNS)

_BOUNDS = tuple(bound for top in MADE_UP for bound in bounds_of_below(top))
_MADE_UP = f"""
SELECT DISTINCT access.path_id FROM access JOIN path ON path.id = access.path_id
WHERE access.run_id = ? AND {_CHANGING}
AND ({" OR ".join(["(path.name >= ? AND path.name < ?)"] * len(MADE_UP))})
"""
_ASKED = f"""
WITH asked AS (
  SELECT path_id, max({_bit(_DONE)}) AS done, max({_bit(_WRITTEN)}) AS written
  FROM access
  WHERE path_id NOT IN ({_MADE_UP}) AND run_id = ? AND {_CHANGING}
  GROUP BY path_id
)
"""
"""The paths of which a change was asked for that the kernel does not make up."""

_FACTS = {
    "done": "asked.done",
    "written": "asked.written",
    "was_there": _bit(f"before.type <> {_ABSENT}"),
    "is_there": _bit(f"after.type <> {_ABSENT}"),
    "directories": _bit(f"before.type = {_DIRECTORY} AND after.type = {_DIRECTORY}"),
    "same_object": _equal("type", "inode", "mode", "uid", "gid"),
    "same_content": _equal("size", "mtime_ns"),
    "same_ctime": _equal("ctime_ns"),
}
"""All that `judged` asks."""


def _with_states(join: str) -> str:
    return "".join(
        f" {join} file_state AS {name} ON {name}.path_id = asked.path_id"
        f" AND {name}.moment = {moment} AND {name}.run_id = ?"
        for name, moment in (("before", BEFORE), ("after", AFTER))
    )


_DIFFERENCES = (
    f"{_ASKED} SELECT {', '.join(_FACTS.values())}, count(*) FROM asked{_with_states('JOIN')}"
    f" GROUP BY {', '.join(map(str, range(1, len(_FACTS) + 1)))}"
)
_UNCLEAR = (
    f"{_ASKED} SELECT asked.path_id FROM asked{_with_states('LEFT JOIN')}"
    " WHERE before.type IS NULL OR after.type IS NULL"
)
