"""Symbolic links that a program wrote through: the proof that a link can keep the file.

A recorder names what the kernel resolved, so that a link in the way is not in a recording. It is
looked for where programs have their files: right in a home, and among its settings and data.
"""

import os
from collections.abc import Iterable, Iterator, Sequence

from imptrace.db.records import Effect, RunDetails

_IN_HOME = (b"", b".config", b".local/share", b".local/state")
_WITH_FOLDERS = (b".config",)


def standing_links(runs: Sequence[RunDetails], homes: Iterable[bytes]) -> dict[bytes, bytes]:
    """Find links, by what they lead to, that are older than the run which changed that."""
    changed = {
        path.path: run.run.started_ns
        for run in runs
        for path in run.paths
        if path.effect in (Effect.CREATED, Effect.MODIFIED)
    }
    found = {}
    for link in _links(homes):
        target = os.path.realpath(link)
        if target in changed and _is_older(link, changed[target]):
            found[target] = link
    return found


def _is_older(link: bytes, started_ns: int) -> bool:
    """Whether a link stood, as it is now, before a run began."""
    try:
        return os.lstat(link).st_ctime_ns < started_ns
    except OSError:
        return False


def _links(homes: Iterable[bytes]) -> Iterator[bytes]:
    for home in dict.fromkeys(homes):
        for place in _IN_HOME:
            directory = os.path.join(home, place) if place else home
            yield from _links_in(directory, folders=place in _WITH_FOLDERS)


def _links_in(directory: bytes, *, folders: bool) -> Iterator[bytes]:
    try:
        with os.scandir(directory) as scanned:
            entries = list(scanned)
    except OSError:
        return
    for entry in entries:
        if entry.is_symlink():
            yield entry.path
        elif folders and entry.is_dir(follow_symlinks=False):
            yield from _links_in(entry.path, folders=False)
