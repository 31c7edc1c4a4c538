"""Whose a path is, where no recording tells: asked of units, the catalogue, and the path itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from stat import S_ISDIR

from imptrace.catalogue import shipped
from imptrace.db.changers import Changer
from imptrace.facts.levels import Kind
from imptrace.judge.known import Knowledge, Known
from imptrace.kept.keeping import Keeping
from imptrace.kept.system import places_of_users, users_of
from imptrace.kept.walk import Tree
from imptrace.kept.writers import Attribution, Writers, declared_by_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """Who wrote a path, and which option keeps it."""

    attribution: Attribution
    known: Known | None
    """What the catalogue says about it, or about a directory above it."""
    option: str | None


def belonging(path: bytes, recorded: Callable[[bytes], Sequence[Changer]]) -> Belonging:
    """Tell whose a path is; units are asked only where nothing was recorded."""
    tree = Tree()
    users = users_of(tree)
    places = places_of_users(users)
    known = Knowledge(shipped(), places).about(path)
    st = tree.lstat(path)
    tree.close()
    changed = recorded(path)
    writers = Writers(
        units=() if changed else declared_by_units(),
        users={user.uid: user.name for user in users},
        recorded=lambda _path: changed,
    )
    kind = Kind.DIRECTORY if st is None or S_ISDIR(st.st_mode) else Kind.FILE
    owner = None if st is None else st.st_uid
    return Belonging(
        attribution=writers.of(path, known, owner, places.place_of(path)),
        known=known,
        option=Keeping().option(path, kind, known, places.home_of(path)) if known else None,
    )
