"""Which commands dump the databases that a path holds: a copy of a running one may be torn."""

from collections.abc import Callable, Iterator

from imptrace.catalogue.catalogue import Catalogue
from imptrace.catalogue.model import EntryPlace, KeptPath
from imptrace.facts.paths import lies_below
from imptrace.facts.patterns import is_wild, matching_top, without_instance


def dump_commands(
    path: bytes, catalogue: Catalogue, exists: Callable[[bytes], bool]
) -> tuple[str, ...]:
    """Find the commands for a path: its own, or that of the database it is a part of.

    A directory above databases has the commands of those that are there, as `exists` says.
    """
    found: dict[str, None] = {}
    deepest = 0
    for kept, pattern in _known(catalogue):
        if kept.dump and lies_below(pattern, path) and not is_wild(pattern) and exists(pattern):
            found[kept.dump] = None
        deepest = max(deepest, len(matching_top(path, pattern) or b""))
    for kept, pattern in _known(catalogue):
        top = matching_top(path, pattern)
        if kept.dump and top is not None and len(top) == deepest:
            found[kept.dump] = None
    return tuple(found)


def _known(catalogue: Catalogue) -> Iterator[tuple[KeptPath, bytes]]:
    """Every path of services, also where others have it; of instances the nameless one's."""
    for entry in catalogue.of(EntryPlace.SERVICE):
        for kept in (*entry.persist, *entry.instances, *entry.shared):
            for pattern in (kept.path, *kept.elsewhere):
                *_, nameless = without_instance(pattern)
                yield kept, nameless
