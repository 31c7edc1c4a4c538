"""Where the paths and descriptors among a call's arguments lead."""

import re
from typing import Final, NamedTuple

from imptrace.tracer.events import AccessFlag
from imptrace.tracer.strace.hearing import Hearing
from imptrace.tracer.strace.lines import Text, parse_descriptor, parse_text
from imptrace.tracer.strace.paths import Links, View, joined
from imptrace.tracer.strace.state import Opened, PendingEvents, Task
from imptrace.tracer.syscalls import AT_FDCWD

PATH_MAX: Final = 4096  # include/uapi/linux/limits.h
_CUT: Final = int(AccessFlag.CUT)
_PRIVATE_MOUNT: Final = int(AccessFlag.PRIVATE_MOUNT)
_OWN: Final = re.compile(
    rb"(?:/proc/(self|thread-self|\d{1,7})/(?:fd/(\d{1,7})|(cwd)|(root))|/dev/fd/(\d{1,7}))(?=/|$)"
)
_NEVER_NAMED: Final = re.compile(rb"/#\d{1,20}$")
"""What the kernel calls a file that was opened with O_TMPFILE."""
_PROC: Final = re.compile(rb"/proc/(?:self|thread-self)(?=/|$)")


class LogPlace(NamedTuple):
    """Where a path leads."""

    seen: bytes
    """As the program's mount namespace has it: what other calls of the log are compared with."""
    path: bytes
    """As the host has it, or for want of that as the program has it."""
    flags: int
    """Of AccessFlag; as ints, which are many times faster."""
    opened: Opened | None = None
    """The descriptor that stood for it, where one did."""


class LogPlaces:
    """Finds places; counts the paths that cannot be found."""

    def __init__(self, entries: PendingEvents, links: Links, hearing: Hearing) -> None:
        self.links = links
        self.relative = 0
        """Calls that named a path relative to a directory that the log does not tell."""
        self._entries = entries
        self._hearing = hearing

    def find(
        self,
        task: Task,
        dirfd: bytes | None,
        path: bytes | None,
        *,
        follow: bool,
        entry: bool = False,
        empty_path: bool = False,
        counts: bool = True,
    ) -> LogPlace | None:
        """Find the place that a directory and a path in it name, both as written in the log.

        `entry`: it names an entry of a directory, which a slash behind does not change.
        `empty_path`: an empty path names the directory itself. None where it cannot be told, which
        is counted as an unseen call if it `counts`.
        """
        text = parse_text(path)
        if text is None:
            self._unseen(task, counts=counts)
            return None
        if not text.value:
            return self.of_descriptor(task, dirfd) if empty_path and dirfd else None
        if entry and text.value[-1:] == b"/":
            text = text._replace(value=text.value.rstrip(b"/") or b"/")
        return self.find_text(task, dirfd, text, follow=follow, counts=counts)

    def find_text(
        self, task: Task, dirfd: bytes | None, text: Text, *, follow: bool, counts: bool = True
    ) -> LogPlace | None:
        """Find the place that a directory (as written in the log) and a decoded path name."""
        raw, view = text.value, task.view
        if len(raw) > PATH_MAX or b"\0" in raw:
            self._unseen(task, counts=counts)
            return None
        if raw.startswith(b"/"):
            if raw.startswith((b"/proc/", b"/dev/fd/")):
                return self._through_proc(task, text, follow=follow)
            whole = view.root + raw if view.root else raw
        else:
            start = self.working(task) if dirfd is None else self.directory(task, dirfd)
            if start is None:
                self.relative += counts
                self._unseen(task, counts=counts)
                return None
            whole = joined(start, raw)
        seen = self.links.resolve(whole, view.root, follow=follow and not text.cut)
        return place_of(view, seen, _CUT if text.cut else 0)

    def seen_from(
        self, task: Task, dirfd: bytes | None, raw: bytes, *, follow: bool, counts: bool
    ) -> LogPlace | None:
        """Do as `find` for a whole path that is not below /proc, in the host's own world."""
        if raw[:1] != b"/":
            start = self.working(task) if dirfd is None else self.directory(task, dirfd)
            if start is None:
                self.relative += counts
                self._unseen(task, counts=counts)
                return None
            raw = joined(start, raw)
        seen = self.links.resolve(raw, b"", follow=follow)
        return LogPlace(seen, seen, 0)

    def of_descriptor(self, task: Task, argument: bytes | None) -> LogPlace | None:
        """Find what an open descriptor (as written in the log) stands for."""
        descriptor = parse_descriptor(argument)
        if descriptor is None:
            return None
        opened = task.files.opened.get(descriptor.number)
        seen = descriptor.path if _notes_hold(task) else None
        if descriptor.number == AT_FDCWD:
            seen = seen or self.working(task)
        elif seen is None and opened is not None:
            seen = opened.path
        if opened.nameless if opened else descriptor.deleted:
            return LogPlace(b"", b"", 0, opened or Opened(None, nameless=True))
        if opened is not None and descriptor.deleted:
            if not _NEVER_NAMED.search(descriptor.path or b""):
                return LogPlace(b"", b"", 0, opened)
            seen = opened.path  # what was linked into place is still noted as deleted
        if seen is None:
            return None
        return place_of(task.view, seen, 0, opened)

    def directory(self, task: Task, dirfd: bytes) -> bytes | None:
        """Find the directory that relative paths of a call begin in; None if it is not told."""
        descriptor = parse_descriptor(dirfd)
        if descriptor is None:
            return None
        noted = descriptor.path if _notes_hold(task) else None
        if descriptor.number != AT_FDCWD:
            opened = task.files.opened.get(descriptor.number)
            return noted or (opened.path if opened else None)
        if noted and not descriptor.deleted:
            task.view.cwd = noted
        return noted or self.working(task)

    def working(self, task: Task) -> bytes | None:
        """Tell the working directory; None where a change of it would not have been heard."""
        return task.view.cwd if self._hearing.tells_directories else None

    def _through_proc(self, task: Task, text: Text, *, follow: bool) -> LogPlace | None:
        """Find the place of a path through /proc/PID/{fd/N,cwd,root} or /dev/fd/N."""
        raw, view = text.value, task.view
        match = _OWN.match(raw)
        if match and (follow or match.end() < len(raw)) and self._is_own(task, match[1]):
            rest = raw[match.end() :].lstrip(b"/")
            number = match[2] or match[5]
            if number is not None:
                opened = task.files.opened.get(int(number))
                if opened and opened.nameless and not rest:
                    return LogPlace(b"", b"", 0, opened)
                start = opened.path if opened else None
            else:
                start = self.working(task) if match[3] else view.root or b"/"
            if start is not None:
                seen = self.links.resolve(joined(start, rest), view.root, follow=follow)
                return place_of(view, seen, _CUT if text.cut else 0)
        pid = task.process.pid
        whole = _PROC.sub(b"/proc/%d" % pid, raw) if pid else raw
        seen = self.links.resolve(view.root + whole, view.root, follow=follow)
        return place_of(view, seen, _CUT if text.cut else 0)

    def _unseen(self, task: Task, *, counts: bool) -> None:
        if counts:
            self._entries.unseen(task.process.id)

    @staticmethod
    def _is_own(task: Task, pid: bytes | None) -> bool:
        return pid in (None, b"self", b"thread-self") or pid == b"%d" % task.process.pid


def place_of(view: View, seen: bytes, flags: int, opened: Opened | None = None) -> LogPlace:
    """Find the host's name of a seen path."""
    if view.namespace is None:
        return LogPlace(seen, seen, flags, opened)
    path = view.namespace.to_host(seen)
    if path is None:
        # The host has no name for it: the program's own has to do.
        inside = seen.removeprefix(view.root) or b"/"
        return LogPlace(seen, inside, flags | _PRIVATE_MOUNT, opened)
    return LogPlace(seen, path, flags, opened)


def _notes_hold(task: Task) -> bool:
    """Whether strace's notes of paths (-y) name what imptrace names so.

    In a mount namespace of its own the kernel tells strace names from within it.
    """
    return task.view.namespace is None
