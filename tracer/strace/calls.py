"""What a call in a log did to paths: the syscalls of `syscalls.SYSCALLS`, as accesses."""

import os
import re
from errno import EEXIST, EFAULT, ENAMETOOLONG, ENOENT, ENOTEMPTY
from typing import TYPE_CHECKING, Final

from imptrace.facts.paths import lies_below
from imptrace.tracer.events import MAKING_OPS, Access, AccessFlag, Op
from imptrace.tracer.strace.accesses import (
    CallResult,
    Invocation,
    LoggedAccesses,
    result_of,
)
from imptrace.tracer.strace.flags import flags_value
from imptrace.tracer.strace.lines import Call, parse_text
from imptrace.tracer.strace.opens import KEEPS_LINK, Opens
from imptrace.tracer.strace.places import LogPlace, LogPlaces
from imptrace.tracer.strace.state import (
    PendingAccess,
    PendingEvents,
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
    Naming,
    follows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_CUT: Final = int(AccessFlag.CUT)
_DIRECTORY_FLAG: Final = int(AccessFlag.DIRECTORY)
_EXCHANGE: Final = int(AccessFlag.EXCHANGE)
_TMPFILE: Final = int(AccessFlag.TMPFILE)
_SOCKET_PATH: Final = re.compile(rb'sun_path=("(?:[^"\\]++|\\.)*+"(?:\.\.\.)?)')
_OPEN_HOW: Final = re.compile(rb"\{flags=([^,}]*)(?:[^}]*resolve=([^,}]*))?")
_DIRECTORY: Final = re.compile(rb"stx?_mode=S_IFDIR")
_ENTRIES: Final = frozenset({Op.MKDIR, Op.CREATE, Op.DELETE, Op.RENAME, Op.SYMLINK})
"""The (first) path names an entry of a directory."""


class PathCalls:
    """Turns calls into accesses; remembers what they tell of files."""

    def __init__(self, entries: PendingEvents, places: LogPlaces, *, stats: bool) -> None:
        self.accesses = LoggedAccesses(entries)
        self.known = self.accesses.known
        self.opens = Opens(self.accesses, places, stats=stats)
        self.renamed_directory: Callable[[dict[bytes, bytes]], None] = lambda _names: None
        """Told when directories got new names: old name to new name."""
        self._entries = entries
        self._places = places
        self._stats = stats
        self._syscalls = {name.encode("ascii"): call for name, call in SYSCALLS.items()}
        self._handlers: dict[Naming, Callable[[Invocation], None]] = {
            Naming.OPEN: self._open,
            Naming.OPENAT2: self._openat2,
            Naming.PATH: self._path,
            Naming.LPATH: self._path,
            Naming.ATPATH: self._path,
            Naming.FD: self._descriptor,
            Naming.RENAME: self._rename,
            Naming.LINK: self._link,
            Naming.SYMLINK: self._symlink,
            Naming.SOCKET: self._socket,
        }

    def interpret(self, task: Task, name: bytes, call: Call, at: int) -> None:
        """Take in a call of one of `syscalls.SYSCALLS`, other than an exec."""
        syscall = self._syscalls[name]
        result = result_of(call.result, call.error)
        if result is not None:
            self._handlers[syscall.kind](Invocation(task, syscall, call, result, at))

    def executed(
        self, task: Task, name: bytes, call: Call, at: int
    ) -> tuple[LogPlace | None, CallResult | None]:
        """Find what an exec executes and how it ended; nothing is added."""
        syscall = self._syscalls[name]
        result = result_of(call.result, call.error)
        if result is None:
            return None, None
        invocation = Invocation(task, syscall, call, result, at)
        flags = flags_value(invocation.argument(syscall.flags))
        place = self._find(
            invocation, follow=follows(syscall, flags), empty_path=bool(flags & AT_EMPTY_PATH)
        )
        return place, result

    def exec_failed(self, process: int, place: LogPlace, result: CallResult, at: int) -> None:
        """Add an exec that was refused to `process`."""
        self.accesses.add(process, Op.EXEC, place, result, at)

    def _find(
        self,
        invocation: Invocation,
        *,
        follow: bool,
        entry: bool = False,
        empty_path: bool = False,
    ) -> LogPlace | None:
        """Find the (first) path of a call. `entry`: it may make one, whatever call it is."""
        syscall = invocation.syscall
        errno, path = invocation.result.errno, invocation.argument(syscall.path)
        if errno == EFAULT or (errno == ENAMETOOLONG and path and path.endswith(b'"...')):
            return None  # no path at all: too long for one, or not to be read
        if path and path.startswith(b"0x") and (self._stats or syscall.op is not Op.STAT):
            self._entries.unseen(invocation.task.process.id)  # -e raw= shows where it stood
            return None
        return self._places.find(
            invocation.task,
            invocation.argument(syscall.dirfd),
            path,
            follow=follow,
            entry=entry or syscall.op in _ENTRIES,
            empty_path=empty_path,
            counts=self._stats or syscall.op is not Op.STAT,
        )

    def _add(
        self, invocation: Invocation, op: Op, place: LogPlace, flags: int = 0
    ) -> PendingAccess:
        process = invocation.task.process.id
        return self.accesses.add(process, op, place, invocation.result, invocation.at, flags=flags)

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
        call = invocation.call
        makes = bool(flags & os.O_CREAT)
        path = invocation.argument(invocation.syscall.path) or b""
        follow = not flags & KEEPS_LINK and not (makes and path.endswith(b'/"'))
        self.opens.opened(
            invocation.task,
            self._find(invocation, follow=follow, entry=makes),
            flags,
            invocation.result,
            invocation.at,
            number=call.result,
            note=call.result_annotation,
        )

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
        place: LogPlace,
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
        elif result.errno == ENOENT and op not in MAKING_OPS:
            self.known.note(place.seen, There.ABSENT)

    def _asked(self, invocation: Invocation, place: LogPlace) -> None:
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
        if invocation.syscall.kind is Naming.LPATH:
            self._learn_link(invocation, place)

    def _learn_link(self, invocation: Invocation, place: LogPlace) -> None:
        """Note what a readlink found."""
        answer = (invocation.syscall.path or 0) + 1
        target = parse_text(invocation.argument(answer))
        if target and target.value and not target.cut:
            self._places.links.learn(place.seen, target.value)

    def _descriptor(self, invocation: Invocation) -> None:
        syscall = invocation.syscall
        place = self._places.of_descriptor(invocation.task, invocation.argument(syscall.dirfd))
        if place and place.path and syscall.op is not None:
            self._change(invocation, syscall.op, place)

    def _second(self, invocation: Invocation) -> LogPlace | None:
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
                self.accesses.before(old, surely_new=False),
                self.accesses.before(new, surely_new=ok and bool(flags & RENAME_NOREPLACE)),
            )
        )
        if ok and not detail & _CUT:
            self._renamed(old.seen, new.seen, exchanged=exchanged)

    def _renamed(self, old: bytes, new: bytes, *, exchanged: bool) -> None:
        known, links = self.known, self._places.links
        directories = known.is_directory(old) or (exchanged and known.is_directory(new))
        known.renamed(old, new, exchanged=exchanged)
        links.renamed(old, new, exchanged=exchanged)
        if directories and not lies_below(new, old):
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
                self.accesses.before(new, surely_new=ok),
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
                self.accesses.before(place, surely_new=ok),
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
