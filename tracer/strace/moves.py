"""Calls of a log that touch no file but change what later calls mean.

Descriptors are made, copied and closed; the working directory, the root and the mounts change.
"""

import re
from typing import TYPE_CHECKING, Final

from imptrace.tracer.strace.accesses import result_of
from imptrace.tracer.strace.calls import PathCalls
from imptrace.tracer.strace.flags import (
    MS_BIND,
    MS_MOVE,
    MS_PRIVATE,
    MS_REMOUNT,
    MS_SHARED,
    MS_SLAVE,
    MS_UNBINDABLE,
    flags_value,
)
from imptrace.tracer.strace.lines import Call, parse_descriptor, parse_text
from imptrace.tracer.strace.paths import MountNamespace
from imptrace.tracer.strace.places import LogPlace, LogPlaces
from imptrace.tracer.strace.state import Opened, Task, There
from imptrace.tracer.syscalls import CLONE_FS, CLONE_NEWNS

if TYPE_CHECKING:
    from collections.abc import Callable

_PROPAGATION: Final = MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED
_CLOSE_RANGE_CLOEXEC: Final = b"CLOSE_RANGE_CLOEXEC"
_NUMBER: Final = re.compile(rb"-?\d{1,10}")
_LONGEST_ID: Final = 10
_DIRECTORY_OPEN: Final = re.compile(
    rb'(?:(AT_FDCWD[^,]*), )?"((?:[^"\\]++|\\.)*+)", [A-Z_|]*O_DIRECTORY[^"]*\) += \d+'
)
_END: Final = re.compile(rb"\) += (-?\d+)(?: <[\d.]+>)?$")


class Moves:
    """Handles calls that change the state of a task."""

    def __init__(self, calls: PathCalls, places: LogPlaces) -> None:
        self._calls = calls
        self._places = places
        self.handlers: dict[bytes, Callable[[Task, Call], None]] = {
            b"chdir": self._chdir,
            b"fchdir": self._fchdir,
            b"getcwd": self._getcwd,
            b"chroot": self._chroot,
            b"pivot_root": self._pivot_root,
            b"unshare": self._unshare,
            b"mount": self._mount,
            b"umount": self._umount,
            b"umount2": self._umount,
            b"open_tree": self._open_tree,
            b"fsmount": self._fsmount,
            b"move_mount": self._move_mount,
            b"dup": self._dup,
            b"dup2": self._dup,
            b"dup3": self._dup,
            b"fcntl": self._fcntl,
            b"fcntl64": self._fcntl,
            b"close_range": self._close_range,
            b"setuid": self._setuid,
            b"setresuid": self._setuid,
            b"setgid": self._setgid,
            b"setresgid": self._setgid,
            b"geteuid": self._geteuid,
            b"getegid": self._getegid,
        }

    def interpret(self, task: Task, name: bytes, call: Call) -> None:
        """Take in a call of `handlers`; only one that surely succeeded changes anything."""
        result = result_of(call.result, call.error)
        if result and result.ok:
            self.handlers[name](task, call)

    def entered_unheard(self, task: Task, rest: bytes) -> None:
        """Take in the open of a directory in a log that would not tell of a chdir into it.

        mkdir -p and its kin open each directory that they have made, to go into it; nobody else
        opens one by a relative name and lets children inherit it. Any other open may be followed
        by a move, so that where relative names begin is not known from then on.
        """
        opened = _DIRECTORY_OPEN.match(rest)
        if opened is None or b"O_CLOEXEC" in rest:
            return
        is_on_the_way = not opened[2].startswith(b"/") and b"O_NOFOLLOW" in rest
        place = self._find(task, opened[1], b'"' + opened[2] + b'"') if is_on_the_way else None
        task.view.cwd = place.seen if place else None

    def close(self, task: Task, rest: bytes) -> None:
        """Take in a close, of which only the number matters: it is gone even if close fails."""
        match = _NUMBER.match(rest)
        if match:
            task.files.close(int(match[0]))

    def read(self, task: Task, rest: bytes) -> None:
        """Take in a read: it tells whether what was opened had any content."""
        match = _NUMBER.match(rest)
        if match and int(match[0]) in task.files.doubtful:
            end = _END.search(rest, max(0, len(rest) - 60))
            if end and end[1][:1] != b"-":
                self._calls.opens.settle(task, int(match[0]), empty=end[1] == b"0")

    def _find(self, task: Task, dirfd: bytes | None, path: bytes | None) -> LogPlace | None:
        return self._places.find(task, dirfd, path, follow=True, empty_path=True)

    def _chdir(self, task: Task, call: Call) -> None:
        place = self._find(task, None, call.arguments[0])
        task.view.cwd = place.seen if place else None
        if place:
            self._calls.known.note(place.seen, There.DIRECTORY)

    def _fchdir(self, task: Task, call: Call) -> None:
        place = self._places.of_descriptor(task, call.arguments[0])
        task.view.cwd = place.seen or None if place else None

    def _getcwd(self, task: Task, call: Call) -> None:
        text = parse_text(call.arguments[0])
        if text and not text.cut and text.value.startswith(b"/"):
            task.view.cwd = (task.view.root + text.value).rstrip(b"/") or b"/"

    def _chroot(self, task: Task, call: Call) -> None:
        place = self._find(task, None, call.arguments[0])
        if place:
            task.view.root = place.seen.rstrip(b"/")

    def _pivot_root(self, task: Task, call: Call) -> None:
        """Make a mount the root: seen paths keep their names, the old root gets one below."""
        view = task.view
        new, old = (self._find(task, None, argument) for argument in call.arguments[:2])
        if new is None or old is None:
            return
        namespace = view.namespace
        if namespace and old.seen != new.seen:
            namespace.mount(old.seen, namespace.to_host(view.root or b"/"))
        if view.cwd is not None and view.cwd == (view.root or b"/"):
            view.cwd = new.seen
        view.root = new.seen.rstrip(b"/")

    def _unshare(self, task: Task, call: Call) -> None:
        flags = flags_value(call.arguments[0])
        if flags & (CLONE_NEWNS | CLONE_FS):
            task.view = task.view.copied()
        if flags & CLONE_NEWNS:
            enter_namespace(task)

    def _mount(self, task: Task, call: Call) -> None:
        source, target, _, flags_text, _, *_ = call.arguments
        namespace, flags = task.view.namespace, flags_value(flags_text)
        if namespace is None or flags & (MS_REMOUNT | _PROPAGATION) & ~MS_BIND:
            return
        point = self._find(task, None, target)
        if point is None:
            return
        if flags & (MS_BIND | MS_MOVE):
            origin = self._find(task, None, source)
            if origin is None:
                return
            namespace.mount(point.seen, namespace.to_host(origin.seen))
            if flags & MS_MOVE:
                namespace.unmount(origin.seen)
        else:
            namespace.mount(point.seen, None)

    def _umount(self, task: Task, call: Call) -> None:
        namespace = task.view.namespace
        place = self._find(task, None, call.arguments[0]) if namespace else None
        if namespace and place:
            namespace.unmount(place.seen)

    def _open_tree(self, task: Task, call: Call) -> None:
        place = self._find(task, call.arguments[0], call.arguments[1])
        self._opened(task, call, place.seen if place else None)

    def _fsmount(self, task: Task, call: Call) -> None:
        self._opened(task, call, None)

    def _move_mount(self, task: Task, call: Call) -> None:
        namespace = task.view.namespace
        if namespace is None:
            return
        origin = self._find(task, call.arguments[0], call.arguments[1])
        point = self._find(task, call.arguments[2], call.arguments[3])
        if point:
            namespace.mount(point.seen, namespace.to_host(origin.seen) if origin else None)

    @staticmethod
    def _opened(task: Task, call: Call, path: bytes | None) -> None:
        if call.result.isdigit():
            task.files.put(int(call.result), Opened(path, directory=True), close_on_exec=True)

    def _dup(self, task: Task, call: Call) -> None:
        keeps = b"O_CLOEXEC" not in (call.arguments[2] or b"")
        self._copy(task, call, close_on_exec=not keeps)

    def _fcntl(self, task: Task, call: Call) -> None:
        command = call.arguments[1] or b""
        if command.startswith(b"F_DUPFD"):
            self._copy(task, call, close_on_exec=command.startswith(b"F_DUPFD_CLOEXEC"))
        elif command.startswith(b"F_SETFD"):
            descriptor = parse_descriptor(call.arguments[0])
            if descriptor and descriptor.number in task.files.opened:
                task.files.put(
                    descriptor.number,
                    task.files.opened[descriptor.number],
                    close_on_exec=bool(flags_value(call.arguments[2])),
                )

    @staticmethod
    def _copy(task: Task, call: Call, *, close_on_exec: bool) -> None:
        descriptor = parse_descriptor(call.arguments[0])
        if descriptor is None or not call.result.isdigit():
            return
        opened = task.files.opened.get(descriptor.number)
        if opened is None and descriptor.path and not descriptor.deleted:
            opened = Opened(descriptor.path)
        if opened is None:
            task.files.close(int(call.result))
        else:
            task.files.put(int(call.result), opened, close_on_exec=close_on_exec)

    @staticmethod
    def _close_range(task: Task, call: Call) -> None:
        first, last = (_NUMBER.match(argument or b"") for argument in call.arguments[:2])
        if first is None or last is None:
            return
        for number in [
            number for number in task.files.opened if int(first[0]) <= number <= int(last[0])
        ]:
            if _CLOSE_RANGE_CLOEXEC in (call.arguments[2] or b""):
                task.files.closed_by_exec.add(number)
            else:
                task.files.close(number)

    @staticmethod
    def _setuid(task: Task, call: Call) -> None:
        # The last id that is given is the effective one, or for setresuid the one before.
        task.process.uid = _id(call, task.process.uid)

    @staticmethod
    def _setgid(task: Task, call: Call) -> None:
        task.process.gid = _id(call, task.process.gid)

    @staticmethod
    def _geteuid(task: Task, call: Call) -> None:
        task.process.uid = int(call.result) if call.result.isdigit() else task.process.uid

    @staticmethod
    def _getegid(task: Task, call: Call) -> None:
        task.process.gid = int(call.result) if call.result.isdigit() else task.process.gid


def enter_namespace(task: Task) -> None:
    """Give a task a mount namespace of its own."""
    namespace = task.view.namespace
    task.view.namespace = namespace.copied() if namespace else MountNamespace()


def _id(call: Call, current: int) -> int:
    given = call.arguments[1] if call.arguments[1] is not None else call.arguments[0]
    return int(given) if given and given.isdigit() and len(given) <= _LONGEST_ID else current
