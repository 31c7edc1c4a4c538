"""The table of paths: each name is stored once, and known to the others by its id."""

from collections.abc import Iterable, Mapping, Sequence

from imptrace.db.driver import Driver
from imptrace.db.fold import AccessKey
from imptrace.db.records import AccessRecord
from imptrace.db.statements import CHUNK, chunks, marks

IDS_KEPT = 100_000
"""How many paths a writer knows the ids of: some 20 MB."""
NOT_KEPT = 0
"""Stands for the id of another name, of a rename or link, that was forgotten: no path has it."""


def insert_paths(driver: Driver, paths: Sequence[bytes]) -> dict[bytes, int]:
    """Store those of `paths` that are not stored yet, in one statement; returns their ids."""
    values = ", ".join(["(?)"] * len(paths))
    made = driver.execute(
        f"INSERT INTO path (name) VALUES {values} ON CONFLICT DO NOTHING RETURNING name, id",
        paths,
    )
    return dict(made)


def resolve_paths(
    driver: Driver, accesses: Mapping[AccessKey, AccessRecord], ids: dict[bytes, int]
) -> None:
    """Give an id to each path that has none; `ids` is filled in."""
    # Sorted: two writers that meet the same new paths wait for each other in one direction only.
    new = sorted({path for _, path, _ in accesses if path not in ids})
    for chunk in chunks(new, CHUNK):
        # Keyed by the objects that the fold already holds, not by copies.
        made = insert_paths(driver, chunk)
        ids.update((path, made[path]) for path in chunk if path in made)
        find_paths(driver, (path for path in chunk if path not in made), ids)
    rows = accesses.values()
    others = {name for row in rows for name in (row.to, row.origin) if name and name not in ids}
    find_paths(driver, others, ids)


def forget_many(ids: dict[bytes, int]) -> None:
    """Hold ids in little memory: those that are forgotten can be asked for again."""
    if len(ids) > IDS_KEPT:
        ids.clear()


def find_paths(driver: Driver, paths: Iterable[bytes], ids: dict[bytes, int]) -> None:
    """Look up the ids of paths that are stored; `ids` is filled in, others stay out of it."""
    for chunk in chunks(paths, CHUNK):
        found = dict(
            driver.execute(f"SELECT name, id FROM path WHERE name IN ({marks(chunk)})", chunk)
        )
        ids.update((path, found[path]) for path in chunk if path in found)


def forget_paths(driver: Driver, run_id: int, paths: Iterable[bytes]) -> list[bytes]:
    """Remove what a run knows of paths; which were stored at all."""
    ids: dict[bytes, int] = {}
    find_paths(driver, paths, ids)
    for chunk in chunks(ids.values(), CHUNK):
        these = f"IN ({marks(chunk)})"
        for table in ("access", "file_state"):
            driver.execute(
                f"DELETE FROM {table} WHERE run_id = ? AND path_id {these}",
                (run_id, *chunk),
            )
        driver.execute(
            f"DELETE FROM path WHERE id {these} "
            "AND NOT EXISTS (SELECT 1 FROM access WHERE access.path_id = path.id)",
            chunk,
        )
    _forget_other_names(driver, run_id, frozenset(ids.values()))
    return list(ids)


def _forget_other_names(driver: Driver, run_id: int, forgotten: frozenset[int]) -> None:
    for column in ("to_id", "from_id"):
        # In one go: it reads all of the run, since no index leads there.
        named = driver.execute(
            f"SELECT DISTINCT {column} FROM access WHERE run_id = ? AND {column} IS NOT NULL",
            (run_id,),
        )
        gone = [other for (other,) in named if other in forgotten]
        for chunk in chunks(gone, CHUNK):
            driver.execute(
                f"UPDATE access SET {column} = {NOT_KEPT} "
                f"WHERE run_id = ? AND {column} IN ({marks(chunk)})",
                (run_id, *chunk),
            )
