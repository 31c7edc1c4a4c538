"""From the lines of a log that strace wrote to the events of imptrace.

One pass, no line kept: what stays in memory is what runs and what is open at the moment, and a
bounded memory of paths.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from signal import Signals
from typing import Final, NamedTuple

from imptrace.tracer.events import KEPT_VARIABLES, Event, Op
from imptrace.tracer.strace.calls import PathCalls
from imptrace.tracer.strace.clock import Clock
from imptrace.tracer.strace.hearing import MOVES, Hearing
from imptrace.tracer.strace.lines import (
    HEAD,
    LAST_WORDS,
    PLAIN_HEAD,
    LineKind,
    first_part,
    parse_call,
    parse_line,
    parse_text,
    parse_texts,
    split_interruption,
)
from imptrace.tracer.strace.moves import Moves
from imptrace.tracer.strace.paths import Links, ReadLink
from imptrace.tracer.strace.places import LogPlaces
from imptrace.tracer.strace.state import LoggedProcess, PendingEvents, Task
from imptrace.tracer.strace.tasks import CLONES, Tasks
from imptrace.tracer.syscalls import SYSCALLS

_OPENS: Final = frozenset({b"open", b"openat"})
_EXECS: Final = frozenset({b"execve", b"execveat"})
_READS: Final = frozenset({b"read", b"pread64", b"readv", b"preadv", b"preadv2"})
_STATS_OF_OPEN: Final = frozenset({b"fstat", b"fstat64"})
_STATS: Final = frozenset(
    name.encode("ascii")
    for name, syscall in SYSCALLS.items()
    if syscall.op is Op.STAT and "link" not in name
)
_END: Final = re.compile(
    rb"(?:exited with (\d{1,3})|killed by (SIG[A-Z0-9+_]{1,20}|\d{1,3})( \(core dumped\))?"
    rb"|superseded by execve in pid (\d{1,7})) \+\+\+"
)
_OF_OPEN: Final = re.compile(rb'(\d{1,10})(?:<.*?>(?:\(deleted\))?)?, ""')
_LEADING_NUMBER: Final = re.compile(rb"\d{1,10}")
_HELD_LIMIT: Final = 1 << 24
"""Bytes of lines that wait for it to be known who said them."""
_LONGEST_BROKEN: Final = 1 << 16
_SHOWN_LIMIT: Final = 5
_CORE_DUMPED: Final = 0x80
_FIRST_REAL_TIME: Final = 32
_LAST_SIGNAL: Final = 64

Handler = Callable[[Task, bytes, bytes, int], None]


class Utterance(NamedTuple):
    """An interesting line, less its time."""

    tid: int | None
    name: bytes
    resumed: bool
    end: bool
    rest: bytes
    at: int
    number: int


class StraceLog:
    """The state of a log that is being read. Feed it lines, take its events."""

    def __init__(
        self,
        *,
        cwd: bytes | None = None,
        uid: int = 0,
        gid: int = 0,
        stats: bool = False,
        look: ReadLink | None = None,
    ) -> None:
        self.clock = Clock()
        self.file = ""
        """Name of the file that the next lines stand in."""
        self.lines = 0
        """Number of the last line fed, from 1; whoever reads several files sets it."""
        self.total_lines = 0
        """Lines fed so far, of all files."""
        self.not_understood = 0
        self.not_understood_first: list[tuple[str, int]] = []
        """File and number of the first few lines that were not understood."""
        self.spawned: list[int] = []
        """Ids of children that the lines fed last told of; whoever reads them clears them."""
        self.program = b""
        """Name of the program that the log begins with, as it was executed."""
        self._entries = PendingEvents()
        self._tasks = Tasks(self._entries, cwd=cwd, uid=uid, gid=gid)
        self._hearing = Hearing()
        self._places = LogPlaces(self._entries, Links(look), self._hearing)
        self._calls = PathCalls(self._entries, self._places, stats=stats)
        self._calls.renamed_directory = self._tasks.renamed_directory
        self._moves = Moves(self._calls, self._places)
        self._handlers = self._all_handlers()
        self._held: dict[int, list[Utterance]] = {}
        self._held_size = 0
        self._broken = b""
        self._hears_descriptors = False

    def _all_handlers(self) -> dict[bytes, Handler]:
        handlers: dict[bytes, Handler] = {
            name.encode("ascii"): self._path_call for name in SYSCALLS
        }
        handlers |= dict.fromkeys(self._moves.handlers, self._move)
        handlers |= dict.fromkeys(_OPENS, self._open)
        handlers |= dict.fromkeys(_EXECS, self._exec)
        handlers |= dict.fromkeys(CLONES, self._clone)
        handlers |= dict.fromkeys(_READS, self._read)
        handlers |= dict.fromkeys(_STATS_OF_OPEN, self._stat_of_open)
        handlers |= dict.fromkeys(_STATS, self._stat)
        handlers[b"close"] = self._close
        handlers |= dict.fromkeys((b"exit", b"exit_group"), self._exit)
        return handlers

    @property
    def first_process(self) -> LoggedProcess | None:
        """The process that the log begins with."""
        return self._tasks.first

    @property
    def relative_paths(self) -> int:
        """Calls that named a path relative to a directory that the log does not tell."""
        return self._places.relative

    @property
    def lacks_descriptors(self) -> bool:
        """Whether no call about a descriptor was heard, as with -e trace=file."""
        return not self._hears_descriptors and self._tasks.first is not None

    @property
    def lacks_directories(self) -> bool:
        """Whether nothing shows that changes of the working directory are told, as with -P."""
        return not self._hearing.tells_directories

    @property
    def pending(self) -> int:
        """How many events there are to take."""
        return len(self._entries)

    def take(self) -> list[Event]:
        """Hand on the events of the lines fed so far."""
        return self._entries.take()

    def feed(self, lines: Iterable[bytes], tid: int | None = None) -> None:
        """Take in lines, without their newlines. `tid`: of lines that do not begin with one."""
        before = self.lines
        handlers, clock, plain_head = self._handlers, self.clock, PLAIN_HEAD.match
        hearing = self._hearing
        for line in lines:
            self.lines += 1
            if self._broken or (line.endswith(LAST_WORDS) and b"Process " in line):
                line = self._mended(line, tid)  # noqa: PLW2901 (its beginning stood before)
            match = plain_head(line)
            if match is None:
                self._feed_any(line, tid)
                continue
            pid, time, name = match.groups()
            if not hearing.moves:
                hearing.call(name, line[match.end() :])
            if name in handlers:
                at = clock.tick() if time is None else clock.read(time)
                self._called(int(pid), name, line[match.end() :], at)
        self.total_lines += self.lines - before

    def _feed_any(self, line: bytes, tid: int | None) -> None:
        """Take in a line of any form."""
        match = HEAD.match(line)
        if match is None:
            self._remark(line)
            return
        pid, other_pid, time, step, name, resumed, marker = match.groups()
        if step is not None and time is None:
            self.clock.step(step)
        rest = line[match.end() :]
        if not self._hearing.moves and marker is None:
            self._hearing.call(name or resumed, rest)
        if marker == b"---" or (marker is None and (name or resumed) not in self._handlers):
            return
        at = self.clock.tick() if time is None else self.clock.read(time)
        pid = pid or other_pid
        speaker = int(pid) if pid else tid
        if name is not None:
            self._called(speaker, name, rest, at)
        else:
            heard, ended = resumed is not None, marker is not None
            self._hear(Utterance(speaker, resumed, heard, ended, rest, at, self.lines))

    def _called(self, speaker: int | None, name: bytes, rest: bytes, at: int) -> None:
        """Take in a call, or the first part of one."""
        task = self._tasks.alive.get(speaker)
        if task is None or self._held or rest.endswith(b"...>"):
            self._hear(Utterance(speaker, name, False, False, rest, at, self.lines))
            return
        self._tasks.latest = task
        if task.begun is not None:
            self._give_up(task)
        try:
            self._handlers[name](task, name, rest, at)
        except NotUnderstoodError:
            self._puzzled(self.lines)

    def finish(self) -> None:
        """Take in what was begun and never finished: the log or the program was cut off there."""
        for tid in list(self._held):
            self._release(tid, may_wait=False)
        for task in list(self._tasks.alive.values()):
            self._give_up(task)

    def _mended(self, line: bytes, tid: int | None) -> bytes:
        """Put a line together that strace's own words have cut in two.

        Nothing comes back for the part before those words, nor for such words on their own.
        """
        parts = split_interruption(line)
        if parts is None:
            own = parse_line(line)
            if own and own.kind is LineKind.ATTACHED and own.tid is not None:
                self._tasks.attached(own.tid, None)
                return b""
            if own and own.kind is LineKind.REMARK:
                if own.name == b"detached" and own.tid is not None:
                    self._detached(own.tid)
                return b""
            whole, self._broken = self._broken + line, b""
            return whole
        before, child, is_attached = self._broken + parts[0], *parts[1:]
        match = HEAD.match(before)
        if match is None or len(before) > _LONGEST_BROKEN:
            self._broken = b""
            return line
        self._broken = before
        speaker = match[1] or match[2]
        parent = self._tasks.find(int(speaker) if speaker else tid, may_wait=False)
        is_clone = parent is not None and match[5] in CLONES
        if is_attached:
            self._tasks.attached(
                child, (parent, before[match.end() :]) if parent and is_clone else None
            )
        return b""

    def _remark(self, line: bytes) -> None:
        if line and parse_line(line) is None:
            self._puzzled(self.lines)

    def _puzzled(self, number: int) -> None:
        self.not_understood += 1
        if len(self.not_understood_first) < _SHOWN_LIMIT:
            self.not_understood_first.append((self.file, number))

    def _hear(self, utterance: Utterance) -> None:
        tid = utterance.tid
        task = None
        if tid not in self._held or tid is None:
            task = self._tasks.find(tid, may_wait=self._held_size < _HELD_LIMIT)
        if task is None and tid is not None:
            self._held.setdefault(tid, []).append(utterance)
            self._held_size += len(utterance.rest)
        elif task is not None:
            self._understand(task, utterance)

    def _release(self, tid: int, *, may_wait: bool) -> None:
        """Take in what a thread said, if it is known by now who it is."""
        if self._tasks.find(tid, may_wait=may_wait) is None:
            return
        for utterance in self._held.pop(tid):
            self._held_size -= len(utterance.rest)
            self._hear(utterance)

    def _understand(self, task: Task, utterance: Utterance) -> None:
        rest, name, at = utterance.rest, utterance.name, utterance.at
        if utterance.end:
            self._ended(task, rest, at)
            return
        begun = first_part(rest)
        if utterance.resumed:
            if task.begun is None or task.begun[0] != name:
                return  # attached to in the middle of it
            _, before, at = task.begun
            task.begun = None
            rest = before + rest
            if begun is not None:
                begun = before + begun
        elif task.begun is not None:
            self._give_up(task)
        if begun is not None:
            task.begun = (name, begun, at)
            if name in CLONES:
                self._tasks.cloning[task.tid] = task
            if rest.endswith(b"<detached ...>") and task.tid is not None:
                self._detached(task.tid)
            return
        try:
            self._handlers[name](task, name, rest, at)
        except NotUnderstoodError:
            self._puzzled(utterance.number)

    def _ended(self, task: Task, rest: bytes, at: int) -> None:
        match = _END.match(rest)
        if match is None:
            return
        code, signal, core, heir = match.groups()
        if heir:
            self._tasks.superseded(task, int(heir))
        else:
            self._give_up(task)
            if code:
                status: int | None = (int(code) & 0xFF) << 8
            else:
                status = _signal_number(signal)
            if status is not None and core:
                status |= _CORE_DUMPED
            self._tasks.ended(task, status, at)

    def _detached(self, tid: int) -> None:
        """Take in that strace let go of a thread, of which nothing more is heard."""
        task = self._tasks.alive.get(tid)
        if task is not None:
            self._give_up(task)
            self._tasks.ended(task, None, 0)

    def _give_up(self, task: Task) -> None:
        """Take in a call whose result nothing tells: its thread ended, or -z left it out."""
        if task.begun is None:
            return
        name, begun, at = task.begun
        task.begun = None
        self._tasks.cloning.pop(task.tid, None)
        if name in MOVES:
            task.view.cwd = None
        if name not in CLONES and name not in _EXECS:
            try:
                self._handlers[name](task, name, begun.rstrip(b", ") + b") = ?", at)
            except NotUnderstoodError:
                self._entries.unseen(task.process.id)

    def _path_call(self, task: Task, name: bytes, rest: bytes, at: int) -> None:
        call = parse_call(rest)
        if call is None:
            raise NotUnderstoodError
        if not task.process.announced:
            self._tasks.announce(task, at)
        self._calls.interpret(task, name, call, at)

    def _open(self, task: Task, name: bytes, rest: bytes, at: int) -> None:
        if not task.process.announced:
            self._tasks.announce(task, at)
        if not self._calls.opens.plainly(task, rest, at):
            self._path_call(task, name, rest, at)
        if not self._hears_descriptors and b"O_DIRECTORY" in rest:
            self._moves.entered_unheard(task, rest)

    def _move(self, task: Task, name: bytes, rest: bytes, _at: int) -> None:
        if name.startswith(b"fcntl") and b"F_DUPFD" not in rest and b"F_SETFD" not in rest:
            return
        call = parse_call(rest)
        if call is None:
            raise NotUnderstoodError
        self._moves.interpret(task, name, call)

    def _exec(self, task: Task, name: bytes, rest: bytes, at: int) -> None:
        call = parse_call(rest)
        if call is None:
            raise NotUnderstoodError
        place, result = self._calls.executed(task, name, call, at)
        if result is None or not result.ok:
            if place and result:
                self._calls.exec_failed(self._tasks.executing(task, at), place, result, at)
            return
        arrays = call.arguments[2:4] if name == b"execveat" else call.arguments[1:3]
        argv = tuple(
            (text.value + b"..." if text.cut else text.value).replace(b"\0", b"")
            for text in parse_texts(arrays[0])
        )
        if task.process is self._tasks.first and not self.program:
            named = parse_text(call.arguments[1 if name == b"execveat" else 0])
            self.program = named.value.rpartition(b"/")[2] if named else b""
        self._tasks.executed(task, place, argv, _environ(arrays[1]), at)

    def _clone(self, task: Task, _name: bytes, rest: bytes, _at: int) -> None:
        self._tasks.cloning.pop(task.tid, None)
        call = parse_call(rest)
        if call is None:
            raise NotUnderstoodError
        if call.result.isdigit() and call.result != b"0":
            child = int(call.result)
            self._tasks.cloned(task, rest, child)
            self.spawned.append(child)
        for tid in list(self._held):
            self._release(tid, may_wait=True)

    def _exit(self, task: Task, name: bytes, _rest: bytes, _at: int) -> None:
        self._tasks.leaving(task, with_threads=name == b"exit_group")

    def _close(self, task: Task, _name: bytes, rest: bytes, _at: int) -> None:
        self._hears_descriptors = True
        self._moves.close(task, rest)

    def _read(self, task: Task, _name: bytes, rest: bytes, _at: int) -> None:
        if task.files.doubtful:
            self._moves.read(task, rest)

    def _stat_of_open(self, task: Task, _name: bytes, rest: bytes, _at: int) -> None:
        match = _LEADING_NUMBER.match(rest)
        if match:
            self._calls.opens.settle_by_stat(task, int(match[0]), rest)

    def _stat(self, task: Task, name: bytes, rest: bytes, at: int) -> None:
        match = _OF_OPEN.match(rest)
        if match:
            self._calls.opens.settle_by_stat(task, int(match[1]), rest)
        elif not self._calls.opens.asked_plainly(task, name, rest):
            self._path_call(task, name, rest, at)


class NotUnderstoodError(Exception):
    """A line is nothing that strace writes."""


def _signal_number(name: bytes) -> int | None:
    """Tell the number of a signal; None for a name that this kernel has not."""
    real_time = name.removeprefix(b"SIGRT_")
    if real_time.isdigit():
        number = int(real_time) + (_FIRST_REAL_TIME if real_time != name else 0)
        return number if 0 < number <= _LAST_SIGNAL else None
    signal = Signals.__members__.get(name.decode("ascii"))
    return None if signal is None else int(signal)


def _environ(array: bytes | None) -> Mapping[str, bytes] | None:
    """Return what matters of an environment, where the log shows it (-v)."""
    if not array or array[:1] != b"[":
        return None
    found = {}
    for text in parse_texts(array):
        name, _, value = text.value.partition(b"=")
        variable = name.decode("ascii", "replace")
        if not text.cut and b"\0" not in value and variable in KEPT_VARIABLES:
            found[variable] = value
    return found
