"""What is declared to be kept: by a catalogue entry, or by a whole configuration as JSON."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from imptrace.catalogue.model import Entry, KeptPath
from imptrace.errors import UsageError
from imptrace.facts.levels import Kind
from imptrace.facts.patterns import matching_top
from imptrace.facts.people import Home
from imptrace.kept.compare import Declared, Observed

_LISTS = {"directories": Kind.DIRECTORY, "files": Kind.FILE}
# impermanence evaluates an entry to its whole path under the first name, as written under the last.
_PATH_KEYS = {
    Kind.DIRECTORY: ("dirPath", "directory", "path"),
    Kind.FILE: ("filePath", "file", "path"),
}


def declared_by_entry(
    entry: Entry, home: Home | None, observed: Iterable[Observed]
) -> list[Declared]:
    """List what a catalogue entry keeps.

    A path that stands for several (a pattern, an instance, a place on another distribution) is
    listed as what it stands for among the paths that were observed.
    """
    base = b"" if home is None else home.path.rstrip(b"/") + b"/"
    seen = [each.path for each in observed]
    found: dict[bytes, Declared] = {}
    for kept in (*entry.persist, *entry.instances):
        for path in _paths(kept, base, seen):
            found.setdefault(path, Declared(path=path, kind=kept.kind, level=kept.level))
    return list(found.values())


def declared_by_configuration(text: str, name: str) -> list[Declared]:
    """Read what `nix eval --json ...config.environment.persistence` prints.

    `name` is how messages call the file. Raises UsageError if it is of another form.
    """
    try:
        stores = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{name} is not JSON: give what `nix eval --json` prints of "
            f"config.environment.persistence ({error})"
        ) from error
    if not isinstance(stores, dict) or not all(isinstance(each, dict) for each in stores.values()):
        raise UsageError(
            f"{name} is not what `nix eval --json` prints of config.environment.persistence"
        )
    found = {}
    for store in stores.values():
        for declared in _store(store, name):
            found[declared.path] = declared
    return list(found.values())


def _paths(kept: KeptPath, base: bytes, seen: Iterable[bytes]) -> Iterator[bytes]:
    if not kept.is_pattern:
        yield base + kept.path
    for pattern in (kept.path, *kept.elsewhere):
        tops = (matching_top(path, base + pattern) for path in seen)
        yield from (top for top in tops if top is not None)


def _store(store: dict[str, Any], name: str) -> Iterator[Declared]:
    if store.get("enable") is False:
        return
    yield from _lists(store, "", name)
    users = store.get("users", {})
    if not isinstance(users, dict):
        raise UsageError(f"{name}: users must be an attribute set")
    for user, entries in users.items():
        if isinstance(entries, dict):
            yield from _lists(entries, str(entries.get("home") or f"/home/{user}"), name)


def _lists(entries: dict[str, Any], home: str, name: str) -> Iterator[Declared]:
    for key, kind in _LISTS.items():
        listed = entries.get(key, [])
        if not isinstance(listed, list):
            raise UsageError(f"{name}: {key} must be a list")
        for entry in listed:
            path = _entry_path(entry, kind)
            if path is None:
                raise UsageError(f"{name}: an entry of {key} names no path: {entry!r:.80}")
            yield Declared(path=_whole(home, path, f"{name}: {key}"), kind=kind, level=None)


def _whole(home: str, path: str, where: str) -> bytes:
    whole = PurePosixPath("/", home, path)
    try:
        # As nowhere else is asked, ".." would lead out of a store.
        if ".." in whole.parts or "\0" in path or "\0" in home:
            raise ValueError  # noqa: TRY301 (as below)
        return os.fsencode(whole)
    except ValueError:
        raise UsageError(f"{where}: {path!r:.80} is no path that can be kept") from None


def _entry_path(entry: object, kind: Kind) -> str | None:
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, dict):
        return None
    found = (entry.get(key) for key in _PATH_KEYS[kind])
    return next((path for path in found if isinstance(path, str)), None)
