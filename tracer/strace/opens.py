"""Opens in a log: what they did to paths, and what they tell of files and descriptors.

Most lines of most logs are opens and stats, so that the plain ones have patterns of their own.
"""

import os
import re
from errno import EEXIST, EISDIR, ENOENT
from functools import lru_cache
from typing import Final

from imptrace.tracer.events import AccessFlag, Op
from imptrace.tracer.strace.accesses import CallResult, LoggedAccesses, result_of
from imptrace.tracer.strace.flags import flags_value
from imptrace.tracer.strace.lines import parse_descriptor, unescape
from imptrace.tracer.strace.paths import joined
from imptrace.tracer.strace.places import PATH_MAX, LogPlace, LogPlaces, place_of
from imptrace.tracer.strace.state import Opened, PendingAccess, Task, There
from imptrace.tracer.syscalls import open_creates, open_ops

KEEPS_LINK: Final = os.O_NOFOLLOW | os.O_EXCL
"""With one of these a symbolic link at the end is not followed."""
_CUT: Final = int(AccessFlag.CUT)
_DIRECTORY_FLAG: Final = int(AccessFlag.DIRECTORY)
_EMPTY: Final = int(AccessFlag.EMPTY)
_PLAIN: Final = re.compile(
    rb'(?:(AT_FDCWD(?:<[^<>"\\]*+>)?+|\d{1,10}(?:<[^<>"\\]*+>)?+), )?+"((?:[^"\\]++|\\.)++)", '
    rb"([A-Z_|]++)(?:, 0[0-7]*+)?+\) *+= (-?\d{1,10}+)(<[^<>\"\\]*+>)?+(?: (E[A-Z0-9]++))?+"
)
_PLAIN_STAT: Final = re.compile(
    rb'(?:((?:AT_FDCWD|\d{1,10})(?:<[^<>"\\]*+>)?+), )?"((?:[^"\\]++|\\.)++)", '
)
_SIZE: Final = re.compile(rb"stx?_size=(\d{1,20})")
_REGULAR: Final = re.compile(rb"stx?_mode=S_IFREG")
_THROUGH_DESCRIPTORS: Final = (b"/proc/", b"/dev/fd/")


@lru_cache(maxsize=1024)
def _open_details(
    flags: int,
    creates: bool,  # noqa: FBT001 (private)
    directory: bool,  # noqa: FBT001 (private)
    error: int,
) -> tuple[tuple[Op, int, bool], ...]:
    """Tell the accesses of an open: op, flags, and whether the file may have been empty."""
    details = []
    for op, flag in open_ops(flags, creates=creates, error=error):
        detail = int(flag) | (_DIRECTORY_FLAG if directory else 0)
        doubtful = op is Op.READ and not detail & _DIRECTORY_FLAG
        if doubtful and flags & os.O_CREAT:
            # It may just have been made, and be empty, until something tells otherwise.
            detail |= _EMPTY
        details.append((op, detail, doubtful))
    return tuple(details)


def _is_refused_as_directory(flags: int, result: CallResult) -> bool:
    """Whether there is a directory; a new file with a slash behind is refused as one too."""
    return result.errno == EISDIR and not flags & os.O_CREAT


class Opens:
    """Takes in opens, and the stats that need no more than to know whether something is there."""

    def __init__(self, accesses: LoggedAccesses, places: LogPlaces, *, stats: bool) -> None:
        self._accesses = accesses
        self._known = accesses.known
        self._places = places
        self._stats = stats

    def plainly(self, task: Task, rest: bytes, at: int) -> bool:
        """Take in an open or openat that needs no parser, as most do; False if this one does."""
        match = _PLAIN.match(rest)
        view = task.view
        if match is None or view.root or view.namespace:
            return False
        dirfd, path, written, number, note, error = match.groups()
        path = unescape(path)
        if (
            path.startswith(_THROUGH_DESCRIPTORS)
            or path.endswith(b"/")
            or b"\0" in path
            or len(path) > PATH_MAX
        ):
            return False
        result = result_of(number, error)
        if result is None:
            return True
        flags = flags_value(written)
        place = self._places.seen_from(
            task, dirfd, path, follow=not flags & KEEPS_LINK, counts=True
        )
        self.opened(task, place, flags, result, at, number=number, note=note)
        return True

    def asked_plainly(self, task: Task, name: bytes, rest: bytes) -> bool:
        """Take in a stat that needs no parser, as most do; False if this one does.

        Half of the lines of many logs are stats, of which no more is wanted than whether there is
        something at the path.
        """
        match = _PLAIN_STAT.match(rest)
        view = task.view
        if self._stats or match is None or view.root or view.namespace:
            return False
        dirfd, path = match.groups()
        result = rest.rfind(b" = ")
        told = rest[match.end() : result]
        path = unescape(path)
        if path.startswith(b"/proc/") or b'"' in told:
            return False
        if not path.startswith(b"/"):
            start = (
                self._places.working(task) if dirfd is None else self._places.directory(task, dirfd)
            )
            if start is None:
                return True
            path = joined(start, path)
        follow = name != b"lstat" and b"AT_SYMLINK_NOFOLLOW" not in told
        seen = self._places.links.resolve(path, b"", follow=follow)
        if rest.startswith(b"-1", result + 3):
            if rest.startswith(b"-1 ENOENT", result + 3):
                self._known.note(seen, There.ABSENT)
        elif b"S_IFDIR" in told:
            self._known.note(seen, There.DIRECTORY)
        elif result >= 0 and not rest.startswith(b"?", result + 3):
            self._known.note_there(seen)
        return True

    def opened(
        self,
        task: Task,
        place: LogPlace | None,
        flags: int,
        result: CallResult,
        at: int,
        *,
        number: bytes,
        note: bytes | None,
    ) -> None:
        """Take in an open of a place (None where that is not told), with open(2)'s `flags`.

        `number` and `note` are of the new descriptor, as written.
        """
        nameless = flags & os.O_TMPFILE == os.O_TMPFILE
        noted = None if nameless or note is None else _noted(task, note)
        if noted:
            if place:
                self._learn_place(place.seen, noted, flags)
            place = place_of(task.view, noted, 0)
        doubt = None
        if place and not nameless:
            doubt = self._add(task, place, flags, result, at)
            self._note(place, flags, result)
        if result.ok and number.isdigit():
            opened = Opened(
                None if nameless or place is None else place.seen,
                directory=bool(flags & os.O_DIRECTORY) and not nameless,
                nameless=nameless,
                doubt=doubt,
            )
            task.files.put(int(number), opened, close_on_exec=bool(flags & os.O_CLOEXEC))

    def _learn_place(self, seen: bytes, noted: bytes, flags: int) -> None:
        if seen == noted:
            return
        if not flags & KEEPS_LINK:
            if flags & os.O_DIRECTORY:
                self._places.links.learn_place(seen, noted)
            return
        parent, _, name = seen.rpartition(b"/")
        noted_parent, _, noted_name = noted.rpartition(b"/")
        if parent and noted_parent and name == noted_name:
            self._places.links.learn_place(parent, noted_parent)

    def _add(
        self, task: Task, place: LogPlace, flags: int, result: CallResult, at: int
    ) -> PendingAccess | None:
        """Add the accesses of an open; returns the one whose file may have been empty."""
        missing = result.errno == ENOENT or self._known.is_absent(place.seen)
        creates = open_creates(flags, missing=missing, error=result.errno)
        directory = not creates and self._known.is_directory(place.seen)
        doubt = None
        for op, detail, doubtful in _open_details(flags, creates, directory, result.errno):
            if op is Op.STAT and not self._stats:
                continue
            entry = self._accesses.add(task.process.id, op, place, result, at, flags=detail)
            if doubtful and result.ok:
                doubt = entry
        return doubt

    def _note(self, place: LogPlace, flags: int, result: CallResult) -> None:
        if place.flags & _CUT:
            return
        if result.errno == ENOENT:
            self._known.note(place.seen, There.ABSENT)
        elif result.ok and flags & os.O_DIRECTORY:
            self._known.note(place.seen, There.DIRECTORY)
        elif result.ok or result.errno == EEXIST or _is_refused_as_directory(flags, result):
            self._known.note_there(place.seen)

    def settle(self, task: Task, number: int, *, empty: bool) -> None:
        """Note that what a descriptor read was empty when it was opened, or was not."""
        task.files.doubtful.discard(number)
        opened = task.files.opened.get(number)
        if opened is None or opened.doubt is None:
            return
        entry, opened.doubt = opened.doubt, None
        if not empty:
            entry.flags &= ~_EMPTY
        elif entry.count == 1:
            entry.flags |= _EMPTY

    def settle_by_stat(self, task: Task, number: int, rest: bytes) -> None:
        """Do the same with what a stat of the descriptor told."""
        opened = task.files.opened.get(number)
        if opened is None or opened.doubt is None:
            return
        size = _SIZE.search(rest)
        if size and _REGULAR.search(rest):
            self.settle(task, number, empty=int(size[1]) == 0)


def _noted(task: Task, note: bytes) -> bytes | None:
    """Return the path that strace noted beside a new descriptor (-y)."""
    if task.view.namespace is not None:
        return None
    descriptor = parse_descriptor(b"0" + note)
    return None if descriptor is None or descriptor.deleted else descriptor.path
