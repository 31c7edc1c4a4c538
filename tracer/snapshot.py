"""What stands at a path now: lstat, the first bytes, the text of a link."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from stat import S_IMODE
from threading import Thread

from imptrace.content import HEAD_SIZE, hint_of
from imptrace.tracer.events import ABSENT, FileState, FileType, Snapshot
from imptrace.tracer.mountinfo import may_wait, own_mounts
from imptrace.tracer.wire import file_type

HINT_SECONDS = 1.5
"""First bytes are read for so long at most: with 100,000 changed files the directory is what
counts, and the user waits."""
WAITING_SECONDS = 3.0
"""How long lookups on FUSE and network mounts may take, all together."""


def lstat_state(path: bytes) -> FileState | None:
    """Look at `path` without following it; None if it cannot be told what is there."""
    try:
        st = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError:
        return None
    return FileState(
        file_type(st.st_mode),
        st.st_size,
        S_IMODE(st.st_mode),
        st.st_uid,
        st.st_gid,
        st.st_mtime_ns,
        st.st_ino,
        st.st_dev,
        st.st_ctime_ns,
    )


def snapshots(paths: Iterable[bytes]) -> Iterator[Snapshot]:
    """Look at each path as the host sees it now. What cannot be looked at is left out.

    Paths on mounts whose server may hang come last, and are given up after WAITING_SECONDS.
    """
    waiting = tuple(mount.mountpoint for mount in own_mounts() if may_wait(mount))
    hints_until = time.monotonic() + HINT_SECONDS
    later = []
    for path in paths:
        if _is_below_any(path, waiting):
            later.append(path)
        elif (found := _snapshot(path, lambda: time.monotonic() < hints_until)) is not None:
            yield found
    if later:
        yield from _patiently(later)


def _is_below_any(path: bytes, directories: tuple[bytes, ...]) -> bool:
    return any(path == above or path.startswith(above + b"/") for above in directories)


def _patiently(paths: list[bytes]) -> Iterator[Snapshot]:
    """Look from a thread that may be left behind, stuck in a lookup that nobody answers."""
    found: list[Snapshot] = []

    def look() -> None:
        # One by one: what was found before a lookup got stuck counts.
        found.extend(each for each in (_snapshot(path, lambda: False) for path in paths) if each)

    thread = Thread(target=look, name="lookups that may wait", daemon=True)
    thread.start()
    thread.join(WAITING_SECONDS)
    yield from tuple(found)


def _snapshot(path: bytes, wants_hint: Callable[[], bool]) -> Snapshot | None:
    state = lstat_state(path)
    if state is None:
        return None
    if state.type is FileType.SYMLINK:
        return Snapshot(path, state, link=_read_link(path))
    if state.type is FileType.FILE and state.size and wants_hint():
        return Snapshot(path, state, hint=_read_hint(path))
    return Snapshot(path, state)


def _read_link(path: bytes) -> bytes | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _read_hint(path: bytes) -> str | None:
    # Not followed and not waited for: it may have become something else since the lstat.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return None
    try:
        return hint_of(os.read(descriptor, HEAD_SIZE))
    except OSError:
        return None
    finally:
        os.close(descriptor)
