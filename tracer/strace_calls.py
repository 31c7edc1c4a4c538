"""What a call in a log did to paths: the syscalls of `syscalls.SYSCALLS`, as accesses."""

import os
import re
from errno import EEXIST, EFAULT, EISDIR, ENAMETOOLONG, ENOENT, ENOTEMPTY, errorcode
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from imptrace.tracer.events import ABSENT, Access, AccessFlag, FileState, Op, Outcome
from imptrace.tracer.strace_flags import flags_value
from imptrace.tracer.strace_lines import Call, parse_descriptor, parse_text, unescape
from imptrace.tracer.strace_paths import is_below, joined
from imptrace.tracer.strace_places import Place, Places, place_of
from imptrace.tracer.strace_state import (
    Entries,
    Entry,
    Known,
    Opened,
    Task,
    There,
    access_flags,
)
from imptrace.tracer.syscalls import (
    AT_EMPTY_PATH,
    AT_REMOVEDIR,
    CREAT_FLAGS,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    SYSCALLS,
    Kind,
    Syscall,
    follows,
    is_exclusive,
    open_ops,
    outcome_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_CUT: Final = int(AccessFlag.CUT)
_DIRECTORY_FLAG: Final = int(AccessFlag.DIRECTORY)
_EMPTY: Final = int(AccessFlag.EMPTY)
_EXCHANGE: Final = int(AccessFlag.EXCHANGE)
_TMPFILE: Final = int(AccessFlag.TMPFILE)
_SOCKET_PATH: Final = re.compile(rb'sun_path=("(?:[^"\\]++|\\.)*+"(?:\.\.\.)?)')
_PLAIN_STAT: Final = re.compile(
    rb'(?:((?:AT_FDCWD|\d{1,10})(?:<[^<>"\\]*+>)?+), )?"((?:[^"\\]++|\\.)++)", '
)
_OPEN_HOW: Final = re.compile(rb"\{flags=([^,}]*)(?:[^}]*resolve=([^,}]*))?")
_SIZE: Final = re.compile(rb"stx?_size=(\d{1,20})")
_REGULAR: Final = re.compile(rb"stx?_mode=S_IFREG")
_DIRECTORY: Final = re.compile(rb"stx?_mode=S_IFDIR")
_MAKING: Final = frozenset({Op.MKDIR, Op.CREATE, Op.SYMLINK, Op.BIND, Op.LINK})
_ENTRIES: Final = frozenset({Op.MKDIR, Op.CREATE, Op.DELETE, Op.RENAME, Op.SYMLINK})
"""The (first) path names an entry of a directory."""
_KEEPS_LINK: Final = os.O_NOFOLLOW | os.O_EXCL


class Result(NamedTuple):
    """How a call ended; `ok` only where it surely did what it was asked for."""

    outcome: Outcome
    errno: int
    ok: bool


SUCCESS: Final = Result(Outcome.OK, 0, ok=True)
_UNKNOWN: Final = Result(Outcome.UNKNOWN, 0, ok=False)
_FAILED: Final = Result(Outcome.FAILED, 0, ok=False)
_ERRNO: Final = {name.encode("ascii"): number for number, name in errorcode.items()}


def result_of(call: Call) -> Result | None:
    """Tell how a call ended; None where it will be made again, and is logged again then."""
    if call.error is not None:
        if call.error.startswith(b"ERESTART"):
            return None
        number = _ERRNO.get(call.error)
        return Result(outcome_of(number), number, ok=False) if number else _FAILED
    if call.result == b"?":
        return _UNKNOWN
    return _FAILED if call.result[:1] == b"-" else SUCCESS


@lru_cache(maxsize=1024)
def _open_details(
    flags: int,
    creates: bool,  # noqa: FBT001 (private)
    directory: bool,  # noqa: FBT001 (private)
) -> tuple[tuple[Op, int, bool], ...]:
    """Tell the accesses of an open: op, flags, and whether the file may have been empty."""
    details = []
    for op, flag in open_ops(flags, creates=creates):
        detail = int(flag) | (_DIRECTORY_FLAG if directory else 0)
        doubtful = op is Op.READ and not detail & _DIRECTORY_FLAG
        if doubtful and flags & os.O_CREAT:
            # It may just have been made, and be empty, until something tells otherwise.
            detail |= _EMPTY
        details.append((op, detail, doubtful))
    return tuple(details)


class Invocation(NamedTuple):
    """One call of one of the recorded syscalls."""

    task: Task
    syscall: Syscall
    call: Call
    result: Result
    at: int

    def argument(self, position: int | None) -> bytes | None:
        """Return an argument as written; None where there is none."""
        return None if position is None else self.call.arguments[position]


class PathCalls:
    """Turns calls into accesses; remembers what they tell of files."""

    def __init__(self, entries: Entries, places: Places, *, stats: bool) -> None:
        self.known = Known()
        self.renamed_directory: Callable[[dict[bytes, bytes]], None] = lambda _names: None
        """Told when directories got new names: old name to new name."""
        self._entries = entries
        self._places = places
        self._stats = stats
        self._syscalls = {name.encode("ascii"): call for name, call in SYSCALLS.items()}
        self._handlers: dict[Kind, Callable[[Invocation], None]] = {
            Kind.OPEN: self._open,
            Kind.OPENAT2: self._openat2,
            Kind.PATH: self._path,
            Kind.LPATH: self._path,
            Kind.ATPATH: self._path,
            Kind.FD: self._descriptor,
            Kind.RENAME: self._rename,
            Kind.LINK: self._link,
            Kind.SYMLINK: self._symlink,
            Kind.SOCKET: self._socket,
        }

    def interpret(self, task: Task, name: bytes, call: Call, at: int) -> None:
        """Take in a call of one of `syscalls.SYSCALLS`, other than an exec."""
        syscall = self._syscalls[name]
        result = result_of(call)
        if result is not None:
            self._handlers[syscall.kind](Invocation(task, syscall, call, result, at))

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
            start = view.cwd if dirfd is None else self._places.directory(task, dirfd)
            if start is None:
                return True
            path = joined(start, path)
        follow = name != b"lstat" and b"AT_SYMLINK_NOFOLLOW" not in told
        seen = self._places.links.resolve(path, b"", follow=follow)
        if rest.startswith(b"-1", result + 3):
            if rest.startswith(b"-1 ENOENT", result + 3):
                self.known.note(seen, There.ABSENT)
        elif b"S_IFDIR" in told:
            self.known.note(seen, There.DIRECTORY)
        elif result >= 0 and not rest.startswith(b"?", result + 3):
            self.known.note_there(seen)
        return True

    def executed(
        self, task: Task, name: bytes, call: Call, at: int
    ) -> tuple[Place | None, Result | None]:
        """Find what an exec executes and how it ended; nothing is added."""
        syscall = self._syscalls[name]
        result = result_of(call)
        if result is None:
            return None, None
        invocation = Invocation(task, syscall, call, result, at)
        flags = flags_value(invocation.argument(syscall.flags))
        place = self._find(
            invocation, follow=follows(syscall, flags), empty_path=bool(flags & AT_EMPTY_PATH)
        )
        return place, result

    def exec_failed(self, process: int, place: Place, result: Result, at: int) -> None:
        """Add an exec that was refused to `process`."""
        self._added(process, Op.EXEC, place, result, at)

    def _find(
        self, invocation: Invocation, *, follow: bool, empty_path: bool = False
    ) -> Place | None:
        """Find the (first) path of a call."""
        syscall = invocation.syscall
        errno, path = invocation.result.errno, invocation.argument(syscall.path)
        if errno == EFAULT or (errno == ENAMETOOLONG and path and path.endswith(b'"...')):
            return None  # no path at all: too long for one, or not to be read
        return self._places.find(
            invocation.task,
            invocation.argument(syscall.dirfd),
            path,
            follow=follow,
            entry=syscall.op in _ENTRIES,
            empty_path=empty_path,
            counts=self._stats or syscall.op is not Op.STAT,
        )

    def _add(self, invocation: Invocation, op: Op, place: Place, flags: int = 0) -> Entry:
        process = invocation.task.process.id
        return self._added(process, op, place, invocation.result, invocation.at, flags=flags)

    def _added(
        self, process: int, op: Op, place: Place, result: Result, at: int, *, flags: int = 0
    ) -> Entry:
        outcome, errno, ok = result
        combined = flags | place.flags
        before = self._before(place, surely_new=ok and op in _MAKING) if op.changes else None
        if before is None:
            entry = self._entries.repeat((process, op, place.path, outcome, errno, combined), at)
            if entry is not None:
                return entry
        return self._entries.add(
            Access(
                process, op, place.path, None, outcome, at, errno, access_flags(combined), before
            )
        )

    def _before(self, place: Place, *, surely_new: bool) -> FileState | None:
        """Tell that nothing was there before the first change of a place, if that is certain."""
        first = self.known.first_change(place.path)
        return ABSENT if first and (surely_new or self.known.is_absent(place.seen)) else None

    def _open(self, invocation: Invocation) -> None:
        written = invocation.argument(invocation.syscall.flags)
        flags = CREAT_FLAGS if invocation.syscall.flags is None else flags_value(written)
        self._opened(invocation, flags)

    def _openat2(self, invocation: Invocation) -> None:
        dirfd, path, how, *others = invocation.call.arguments
        match = _OPEN_HOW.match(how or b"")
        if match is None:
            return
        if path and path.startswith(b'"/') and b"RESOLVE_IN_ROOT" in (match[2] or b""):
            call = invocation.call._replace(
                arguments=(dirfd, b'"./' + path[1:].lstrip(b"/"), how, *others)
            )
            invocation = invocation._replace(call=call)
        self._opened(invocation, flags_value(match[1]))

    def _opened(self, invocation: Invocation, flags: int) -> None:
        task, call, ok = invocation.task, invocation.call, invocation.result.ok
        nameless = flags & os.O_TMPFILE == os.O_TMPFILE
        place = self._find(invocation, follow=not flags & _KEEPS_LINK)
        noted = None if nameless else self._noted(invocation)
        if noted:
            if place:
                self._learn_place(place.seen, noted, flags)
            place = place_of(task.view, noted, 0)
        doubt = None
        if place and not nameless:
            doubt = self._add_open(invocation, place, flags)
            self._note_open(place, flags, invocation.result)
        if ok and call.result.isdigit():
            opened = Opened(
                None if nameless or place is None else place.seen,
                directory=bool(flags & os.O_DIRECTORY) and not nameless,
                nameless=nameless,
                doubt=doubt,
            )
            task.files.put(int(call.result), opened, close_on_exec=bool(flags & os.O_CLOEXEC))

    @staticmethod
    def _noted(invocation: Invocation) -> bytes | None:
        """Return the path that strace noted beside a new descriptor (-y)."""
        note = invocation.call.result_annotation
        if note is None or invocation.task.view.namespace is not None:
            return None
        descriptor = parse_descriptor(b"0" + note)
        return None if descriptor is None or descriptor.deleted else descriptor.path

    def _learn_place(self, seen: bytes, noted: bytes, flags: int) -> None:
        if seen == noted:
            return
        if not flags & _KEEPS_LINK:
            if flags & os.O_DIRECTORY:
                self._places.links.learn_place(seen, noted)
            return
        parent, _, name = seen.rpartition(b"/")
        noted_parent, _, noted_name = noted.rpartition(b"/")
        if parent and noted_parent and name == noted_name:
            self._places.links.learn_place(parent, noted_parent)

    def _add_open(self, invocation: Invocation, place: Place, flags: int) -> Entry | None:
        """Add the accesses of an open; returns the one whose file may have been empty."""
        result = invocation.result
        creates = bool(flags & os.O_CREAT) and (
            is_exclusive(flags) or result.errno == ENOENT or self.known.is_absent(place.seen)
        )
        directory = not creates and self.known.is_directory(place.seen)
        doubt = None
        for op, detail, doubtful in _open_details(flags, creates, directory):
            if op is Op.STAT and not self._stats:
                continue
            entry = self._add(invocation, op, place, detail)
            if doubtful and result.ok:
                doubt = entry
        return doubt

    def _note_open(self, place: Place, flags: int, result: Result) -> None:
        if place.flags & _CUT:
            return
        if result.errno == ENOENT:
            self.known.note(place.seen, There.ABSENT)
        elif result.ok and flags & os.O_DIRECTORY:
            self.known.note(place.seen, There.DIRECTORY)
        elif result.ok or result.errno in (EEXIST, EISDIR):
            self.known.note_there(place.seen)

    def _path(self, invocation: Invocation) -> None:
        syscall = invocation.syscall
        flags = flags_value(invocation.argument(syscall.flags))
        if syscall.dirfd is not None and invocation.argument(syscall.path) == b"NULL":
            place = self._places.of_descriptor(  # as futimens(3) and fstat(3) do it
                invocation.task, invocation.argument(syscall.dirfd)
            )
        else:
            place = self._find(
                invocation,
                follow=follows(syscall, flags),
                empty_path=bool(flags & AT_EMPTY_PATH),
            )
        if place is None or not place.path:
            return
        if syscall.op is Op.STAT:
            self._asked(invocation, place)
        elif syscall.op is not None:
            removes_directory = syscall.op is Op.DELETE and flags & AT_REMOVEDIR
            self._change(
                invocation, syscall.op, place, syscall.directory or bool(removes_directory)
            )

    def _change(
        self,
        invocation: Invocation,
        op: Op,
        place: Place,
        directory: bool = False,  # noqa: FBT001, FBT002 (private)
    ) -> None:
        result = invocation.result
        directory = directory or self.known.is_directory(place.seen)
        self._add(invocation, op, place, _DIRECTORY_FLAG if directory else 0)
        if place.flags & _CUT:
            return
        if op is Op.DELETE and result.ok:
            self.known.note(place.seen, There.ABSENT)
            self._places.links.forget(place.seen)
        elif result.ok and directory:
            self.known.note(place.seen, There.DIRECTORY)
        elif result.ok or result.errno in (EEXIST, ENOTEMPTY):
            self.known.note_there(place.seen)
        elif result.errno == ENOENT and op not in _MAKING:
            self.known.note(place.seen, There.ABSENT)

    def _asked(self, invocation: Invocation, place: Place) -> None:
        """Learn from a question about a path; it is recorded only if wanted."""
        call, result = invocation.call, invocation.result
        if self._stats:
            self._add(invocation, Op.STAT, place)
        if place.flags & _CUT:
            return
        if result.errno == ENOENT:
            self.known.note(place.seen, There.ABSENT)
        if not result.ok:
            return
        told = call.arguments[invocation.syscall.path or 0 : None]
        about = b"".join(part for part in told if part and part[:1] == b"{")
        is_directory = about and _DIRECTORY.search(about)
        if is_directory:
            self.known.note(place.seen, There.DIRECTORY)
        else:
            self.known.note_there(place.seen)
        if invocation.syscall.kind is Kind.LPATH:
            self._learn_link(invocation, place)

    def _learn_link(self, invocation: Invocation, place: Place) -> None:
        """Note what a readlink found."""
        answer = (invocation.syscall.path or 0) + 1
        target = parse_text(invocation.argument(answer))
        if target and target.value and not target.cut:
            self._places.links.learn(place.seen, target.value)

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
        size = _SIZE.search(rest)
        if size and _REGULAR.search(rest):
            self.settle(task, number, empty=int(size[1]) == 0)

    def _descriptor(self, invocation: Invocation) -> None:
        syscall = invocation.syscall
        place = self._places.of_descriptor(invocation.task, invocation.argument(syscall.dirfd))
        if place and place.path and syscall.op is not None:
            self._change(invocation, syscall.op, place)

    def _second(self, invocation: Invocation) -> Place | None:
        syscall = invocation.syscall
        return self._places.find(
            invocation.task,
            invocation.argument(syscall.dirfd2),
            invocation.argument(syscall.path2),
            follow=False,
            entry=True,
        )

    def _rename(self, invocation: Invocation) -> None:
        if invocation.result.errno == EFAULT:
            return
        flags = flags_value(invocation.argument(invocation.syscall.flags))
        old, new = self._find(invocation, follow=False), self._second(invocation)
        if old is None or new is None:
            return
        outcome, errno, ok = invocation.result
        exchanged = bool(flags & RENAME_EXCHANGE)
        detail = old.flags | new.flags
        if exchanged:
            detail |= _EXCHANGE
        if self.known.is_directory(old.seen):
            detail |= _DIRECTORY_FLAG
        self._entries.add(
            Access(
                invocation.task.process.id,
                Op.RENAME,
                old.path,
                new.path,
                outcome,
                invocation.at,
                errno,
                access_flags(detail),
                self._before(old, surely_new=False),
                self._before(new, surely_new=ok and bool(flags & RENAME_NOREPLACE)),
            )
        )
        if ok and not detail & _CUT:
            self._renamed(old.seen, new.seen, exchanged=exchanged)

    def _renamed(self, old: bytes, new: bytes, *, exchanged: bool) -> None:
        known, links = self.known, self._places.links
        directories = known.is_directory(old) or (exchanged and known.is_directory(new))
        known.renamed(old, new, exchanged=exchanged)
        links.renamed(old, new, exchanged=exchanged)
        if directories and not is_below(new, old):
            self.renamed_directory({old: new, new: old} if exchanged else {old: new})

    def _link(self, invocation: Invocation) -> None:
        if invocation.result.errno == EFAULT:
            return
        flags = flags_value(invocation.argument(invocation.syscall.flags))
        existing = self._find(
            invocation,
            follow=follows(invocation.syscall, flags),
            empty_path=bool(flags & AT_EMPTY_PATH),
        )
        new = self._second(invocation)
        if existing is None or new is None:
            return
        outcome, errno, ok = invocation.result
        nameless = existing.opened is not None and existing.opened.nameless
        self._entries.add(
            Access(
                invocation.task.process.id,
                Op.LINK,
                new.path,
                None if nameless else existing.path,
                outcome,
                invocation.at,
                errno,
                access_flags(new.flags | existing.flags | (_TMPFILE if nameless else 0)),
                self._before(new, surely_new=ok),
            )
        )
        if ok and not new.flags & _CUT:
            self.known.note(new.seen, There.OTHER)
            if existing.opened:
                existing.opened.path, existing.opened.nameless = new.seen, False

    def _symlink(self, invocation: Invocation) -> None:
        place = self._find(invocation, follow=False)
        text = parse_text(invocation.argument(invocation.syscall.path2))
        if place is None or text is None or b"\0" in text.value:
            return
        outcome, errno, ok = invocation.result
        self._entries.add(
            Access(
                invocation.task.process.id,
                Op.SYMLINK,
                place.path,
                text.value,
                outcome,
                invocation.at,
                errno,
                access_flags(place.flags | (_CUT if text.cut else 0)),
                self._before(place, surely_new=ok),
            )
        )
        if ok and not place.flags & _CUT:
            self.known.note(place.seen, There.OTHER)
            if not text.cut and text.value:
                self._places.links.learn(place.seen, text.value)

    def _socket(self, invocation: Invocation) -> None:
        match = _SOCKET_PATH.search(invocation.argument(invocation.syscall.path) or b"")
        op = invocation.syscall.op
        text = parse_text(match[1]) if match else None
        if text is None or op is None or not text.value:
            return
        place = self._places.find_text(invocation.task, None, text, follow=op is Op.CONNECT)
        if place:
            self._change(invocation, op, place) if op is Op.BIND else self._add(
                invocation, op, place
            )
