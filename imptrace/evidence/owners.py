"""Whose places of a home a recording was in, though their owners did not run."""

from collections.abc import Collection, Iterable

from imptrace.catalogue import Catalogue, Entry, EntryPlace
from imptrace.db.records import RunDetails
from imptrace.facts.paths import lies_below, parents_of


def owners_of_places(
    runs: Iterable[RunDetails],
    homes: Iterable[bytes],
    entries: Collection[Entry],
    catalogue: Catalogue | None,
) -> tuple[Entry, ...]:
    """Entries of programs that did not run, in whose places something was changed all the same.

    `entries`: those of the programs that ran.
    """
    if catalogue is None:
        return ()
    changed = _changed_below(runs, tuple(homes))
    return tuple(
        entry
        for entry in catalogue.of(EntryPlace.HOME)
        if entry not in entries and any(kept.path in changed for kept in entry.persist)
    )


def _changed_below(runs: Iterable[RunDetails], homes: Iterable[bytes]) -> set[bytes]:
    """Everything below a home that was changed or that something was changed in, from there."""
    found: set[bytes] = set()
    for home in homes:
        changed = {
            path.path
            for run in runs
            for path in run.paths
            if path.effect is not None and lies_below(path.path, home)
        }
        found |= {each[len(home) + 1 :] for each in _with_parents(changed, home)}
    return found


def _with_parents(paths: Iterable[bytes], home: bytes) -> set[bytes]:
    found: set[bytes] = set()
    for path in paths:
        for each in (path, *parents_of(path)):
            if each in found or not lies_below(each, home):
                break
            found.add(each)
    return found
