"""Databases that no entry of their own can keep: what their programs write beside them is lost.

SQLite puts what was committed last into NAME-wal, and what it would need after a crash into
NAME-journal. A file that is mounted by itself leaves both on the root that is wiped: rows that were
committed are gone, or the file is broken. Its directory keeps them together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from imptrace.facts.content import DATABASE_HINTS
from imptrace.facts.paths import parent_of, parents_of
from imptrace.judge.codes import Code
from imptrace.judge.model import Figure, Kind, Method, Reason, Recommendation
from imptrace.judge.path_facts import PathFacts
from imptrace.judge.places import Places

_BY_NAME = (b".sqlite", b".sqlite3")
_BESIDE = (b"-wal", b"-shm", b"-journal", b"-lock")


def without_lone_databases(
    found: Sequence[Recommendation], seen: Mapping[bytes, PathFacts], places: Places
) -> Iterator[Recommendation]:
    """Say of each database that would be kept as a file that no entry is safe, and what is."""
    directories = {each.path for each in found if each.kind is Kind.DIRECTORY}
    alone = [each for each in found if directories.isdisjoint(parents_of(each.path))]
    databases = {each.path for each in alone if _is_database(each, seen)}
    for each in found:
        if each.path in databases:
            yield _unkept(each, places)
        elif not _is_beside(each.path, databases):
            yield each


def _is_database(each: Recommendation, seen: Mapping[bytes, PathFacts]) -> bool:
    if each.kind is not Kind.FILE or each.path.endswith(_BESIDE):
        return False
    facts = seen.get(each.path)
    return each.path.endswith(_BY_NAME) or (facts is not None and facts.hint in DATABASE_HINTS)


def _is_beside(path: bytes, databases: set[bytes]) -> bool:
    """Whether a file belongs to one of the databases, and is told with it."""
    return any(path.removesuffix(end) in databases for end in _BESIDE if path.endswith(end))


def _unkept(each: Recommendation, places: Places) -> Recommendation:
    directory = parent_of(each.path)
    figures: dict[str, Figure] = {"path": each.path, "directory": directory}
    code = Code.LONE_DATABASE if places.is_container(directory) else Code.DATABASE_BESIDE
    reasons = (*each.reasons, Reason(code=code, figures=figures))
    return replace(each, method=Method.NONE, reasons=reasons)
