"""What stands at a path now: lstat, the first bytes, the text of a link."""

import errno
import time
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from stat import S_IMODE
from threading import Thread
from typing import TYPE_CHECKING, Final

from imptrace.facts.content import CLUES, hint_of
from imptrace.facts.paths import is_within
from imptrace.tracer.events import ABSENT, FileState, FileType, Snapshot
from imptrace.tracer.mountinfo import may_wait, own_mounts
from imptrace.tracer.native.ring import file_type

if TYPE_CHECKING:
    from concurrent.futures import Future

    from imptrace.tracer._look import Sight

HINT_SECONDS = 1.5
"""First bytes are read for so long at most: with 100,000 changed files the directory is what
counts, and the user waits."""
WAITING_SECONDS = 3.0
"""How long lookups on FUSE and network mounts may take, all together."""
BATCH_SECONDS = 30.0
"""How long a batch may take elsewhere: a slow disk needs seconds for it."""
BATCH = 500
"""Paths that are looked at together."""
AHEAD = 2
"""Batches that were looked at and are not stored yet: enough to keep both threads busy."""

# Half the time of the classes' own __new__, which looks at keywords and defaults.
_make: Final = tuple.__new__


def look(
    paths: list[bytes], clues: tuple[tuple[int, bytes], ...], *, direct: bool = False
) -> "list[Sight]":
    """Look at paths in C, which is imported here: who imports this may never look.

    `direct`: what a link leads to is not looked at.
    """
    from imptrace.tracer import _look  # noqa: PLC0415 (see above)

    return _look.look(paths, clues, direct)


def lstat_state(path: bytes) -> FileState | None:
    """Look at `path` without following it; None if it cannot be told what is there."""
    (sight,) = look([path], ())
    return _state(sight)


def snapshots(paths: Iterable[bytes], *, direct: bool = True) -> Iterator[Snapshot]:
    """Look at each path as the host sees it now. What cannot be looked at is left out.

    `direct`: the paths led through no link when they were named. One that does so now is left out:
    what stands there was made by another name.

    Paths on mounts whose server may hang come last, and are given up after WAITING_SECONDS.
    """
    waiting = tuple(mount.mountpoint for mount in own_mounts() if may_wait(mount))
    later = [path for path in paths if _is_below_any(path, waiting)] if waiting else []
    set_aside = frozenset(later)
    yield from _look_ahead((path for path in paths if path not in set_aside), direct=direct)
    if later:
        yield from _patiently(later, direct=direct)


def _is_below_any(path: bytes, directories: tuple[bytes, ...]) -> bool:
    return any(is_within(path, above) for above in directories)


def _look_ahead(paths: Iterable[bytes], *, direct: bool) -> Iterator[Snapshot]:
    """Look from a thread, while the caller stores what was seen before.

    What stays without an answer is left out, with all behind it: whose files these are may have put
    a server of his own in the way.
    """
    remaining = iter(paths)
    batch = list(islice(remaining, BATCH))
    if not batch:
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (slow: the program runs)
    from concurrent.futures import TimeoutError as Late  # noqa: PLC0415 (as above)

    hints_until = time.monotonic() + HINT_SECONDS
    thread = ThreadPoolExecutor(1, "look")
    ahead: deque[tuple[list[bytes], Future[list[Sight]]]] = deque()
    try:
        while batch:
            clues = CLUES if time.monotonic() < hints_until else ()
            ahead.append((batch, thread.submit(look, batch, clues, direct=direct)))
            batch = list(islice(remaining, BATCH))
            if len(ahead) > AHEAD:
                paths_seen, sights = ahead.popleft()
                yield from _snapshots(paths_seen, sights.result(BATCH_SECONDS))
        for paths_seen, sights in ahead:
            yield from _snapshots(paths_seen, sights.result(BATCH_SECONDS))
    except Late:
        return
    finally:
        thread.shutdown(wait=False, cancel_futures=True)


def _patiently(paths: list[bytes], *, direct: bool) -> Iterator[Snapshot]:
    """Look from a thread that may be left behind, stuck in a lookup that nobody answers."""
    found: list[Snapshot] = []

    def look_one_by_one() -> None:
        # What was found before a lookup got stuck counts.
        for path in paths:
            found.extend(_snapshots([path], look([path], (), direct=direct)))

    thread = Thread(target=look_one_by_one, name="lookups that may wait", daemon=True)
    thread.start()
    thread.join(WAITING_SECONDS)
    yield from tuple(found)


def _snapshots(paths: list[bytes], sights: "list[Sight]") -> Iterator[Snapshot]:
    for path, sight in zip(paths, sights, strict=True):
        state = _state(sight)
        if state is not None:
            yield path, state


def _state(sight: "Sight") -> FileState | None:
    if isinstance(sight, int):
        return ABSENT if sight in (errno.ENOENT, errno.ENOTDIR) else None
    mode, size, uid, gid, mtime_ns, inode, device, ctime_ns, text = sight
    kind, hint, link = file_type(mode), None, None
    if text is not None and kind is FileType.SYMLINK:
        link = text
    elif text is not None:
        hint = hint_of(text)
    return _make(
        FileState,
        (kind, size, S_IMODE(mode), uid, gid, mtime_ns, inode, device, ctime_ns, hint, link),
    )
