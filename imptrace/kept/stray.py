"""What lies in a store that nothing declares, or that nothing has used for long."""

import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from stat import S_ISDIR

from sqlalchemy import Engine

from imptrace.db.changers import LastUse, last_use, recorded_since
from imptrace.errors import ImptraceError, UsageError
from imptrace.facts.given import read_given
from imptrace.facts.paths import parents_of
from imptrace.kept.declared import declared_by_configuration
from imptrace.kept.gaps import Gap, gaps
from imptrace.kept.machine import KEPT_FILE
from imptrace.kept.walk import Tree, read, weigh
from imptrace.kept.wiped import store_of
from imptrace.tracer.events import Mount

_PERIOD = re.compile(r"(\d+)([dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_DAY_NS = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """One path of a store."""

    path: bytes
    """In the store."""
    place: bytes
    """Where it would be mounted."""
    why: str
    """`undeclared` or `unused`."""
    is_directory: bool
    size: int
    files: int
    mtime_ns: int
    last: LastUse | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayAnswer:
    """All that is astray, the largest first."""

    stores: tuple[bytes, ...]
    declared: int
    stray: tuple[Stray, ...]
    gaps: tuple[Gap, ...] = ()
    """When the record misses something of the time that was asked about: uses may be unknown."""


def period_ns(text: str) -> int:
    """Read `90d`, `12w`, `6m` or `1y`. Raises UsageError."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no period: write 90d, 12w, 6m or 1y")
    return int(found[1]) * _DAYS[found[2]] * _DAY_NS


def stray(
    stores: Sequence[bytes],
    declared: dict[bytes, set[bytes]],
    engine: Engine | None,
    unused_ns: int | None,
) -> StrayAnswer:
    """Walk the stores. `declared`: by store, the paths that are kept in it.

    Raises UsageError where nothing is declared for a store: all of it would be astray.
    """
    found: list[Stray] = []
    for store in stores:
        if not declared.get(store):
            raise UsageError(
                f"nothing is known to be kept in {os.fsdecode(store)}; --declared FILE tells"
            )
        found += _undeclared(store, declared[store], engine)
        if unused_ns is not None:
            found += _unused(store, declared[store], engine, unused_ns)
    return StrayAnswer(
        stores=tuple(stores),
        declared=sum(len(declared[store]) for store in stores),
        stray=tuple(sorted(found, key=lambda each: (-each.size, each.path))),
        gaps=() if unused_ns is None else gaps(engine, time.time_ns() - unused_ns),
    )


def declared_here(tree: Tree, mounts: Sequence[Mount], file: str | None) -> dict[bytes, set[bytes]]:
    """Collect what is kept, by store: of mounts, the module's file, and a configuration's JSON.

    Raises UsageError if `file` cannot be read, ImptraceError if the module's cannot.
    """
    found: dict[bytes, set[bytes]] = {}
    for mount in mounts:
        store = store_of(mount, mounts)
        if store is not None:
            found.setdefault(store, set()).add(mount.mountpoint)
    text = tree.read_text(str(KEPT_FILE))
    for path, store in _of_module(text) if text else ():
        found.setdefault(store, set()).add(path)
    if file is not None:
        for store, paths in _of_configuration(file):
            found.setdefault(store, set()).update(paths)
    return found


def _of_module(text: str) -> list[tuple[bytes, bytes]]:
    try:
        kept = json.loads(text)["kept"]
        return [(os.fsencode(str(one["path"])), os.fsencode(str(one["store"]))) for one in kept]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ImptraceError(f"{KEPT_FILE} cannot be read: {error}") from error


def _of_configuration(file: str) -> Iterator[tuple[bytes, set[bytes]]]:
    """Read `nix eval --json ...environment.persistence`, store by store."""
    try:
        stores = json.loads(read_given(file))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        # It says what such a file should hold.
        declared_by_configuration("", file)
        return
    for store, value in stores.items() if isinstance(stores, dict) else ():
        listed = declared_by_configuration(json.dumps({store: value}), file)
        yield os.fsencode(store), {each.path for each in listed}


def _undeclared(store: bytes, declared: set[bytes], engine: Engine | None) -> Iterator[Stray]:
    above = {parent for path in declared for parent in (*parents_of(path), b"/")}
    tree = Tree(store)
    waiting = [b"/"]
    while waiting:
        path = waiting.pop()
        for name, is_directory in _entries(tree, path):
            inside = path.rstrip(b"/") + b"/" + name
            if inside in declared:
                continue
            if is_directory and inside in above:
                waiting.append(inside)
            else:
                yield _stray(store, tree, inside, "undeclared", _last(engine, inside))
    tree.close()


def _unused(
    store: bytes, declared: set[bytes], engine: Engine | None, unused_ns: int
) -> Iterator[Stray]:
    """Name what is declared and was not touched since; only a record that is as old can tell."""
    since = time.time_ns() - unused_ns
    began = None if engine is None else recorded_since(engine)
    if began is None or began > since:
        raise UsageError("the record does not reach back that far: it cannot tell what is unused")
    tree = Tree(store)
    for path in sorted(_outermost(declared)):
        last = _last(engine, path)
        if tree.lstat(path) is not None and (last is None or last.at_ns < since):
            yield _stray(store, tree, path, "unused", last)
    tree.close()


def _outermost(paths: set[bytes]) -> set[bytes]:
    return {path for path in paths if paths.isdisjoint(parents_of(path))}


def _entries(tree: Tree, path: bytes) -> Iterable[tuple[bytes, bool]]:
    found: list[tuple[bytes, bool]] = []
    try:
        directory = tree.open(path)
    except OSError:
        return found
    try:
        for files in read(directory):
            found += [(name, True) for name in files.directories]
            found += [(name, False) for name in files.names]
    finally:
        os.close(directory)
    return found


def _last(engine: Engine | None, path: bytes) -> LastUse | None:
    return None if engine is None else last_use(engine, path)


def _stray(store: bytes, tree: Tree, path: bytes, why: str, last: LastUse | None) -> Stray:
    st = tree.lstat(path)
    weight = weigh(tree, path)
    return Stray(
        path=store.rstrip(b"/") + path,
        place=path,
        why=why,
        is_directory=st is not None and S_ISDIR(st.st_mode),
        size=weight.size,
        files=weight.files,
        mtime_ns=weight.mtime_ns,
        last=last,
    )
