"""Who speaks in a log: threads and processes from their birth to their end.

A child may speak before the line that tells its id, because a call is logged when it returns.
"""

import re
from collections.abc import Mapping
from typing import Final

from imptrace.facts.paths import is_within
from imptrace.tracer.events import Access, Op, Outcome, ProcessExited, ProcessStarted
from imptrace.tracer.strace.flags import flags_value
from imptrace.tracer.strace.moves import enter_namespace
from imptrace.tracer.strace.paths import View
from imptrace.tracer.strace.places import LogPlace
from imptrace.tracer.strace.state import (
    Birth,
    Descriptors,
    LoggedProcess,
    PendingEvents,
    Task,
    access_flags,
)
from imptrace.tracer.syscalls import (
    CLONE_FILES,
    CLONE_FS,
    CLONE_NEWNS,
    CLONE_PARENT,
    CLONE_THREAD,
)

CLONES: Final = frozenset({b"clone", b"clone2", b"clone3", b"fork", b"vfork"})
_CLONE_FLAGS: Final = re.compile(rb"flags=([A-Za-z0-9_|]+)")
_LEAVING_LIMIT: Final = 1_000
_ALIVE_LIMIT: Final = 65_536
"""More threads than that are never alive: these are from a log that leaves out ends, or forged."""
_BIRTH_LIMIT: Final = 10_000
"""Children that were announced and never spoke (-e, -b): the oldest are forgotten."""


class Tasks:
    """The threads that are alive, by thread id."""

    def __init__(self, entries: PendingEvents, *, cwd: bytes | None, uid: int, gid: int) -> None:
        self.alive: dict[int | None, Task] = {}
        self.first: LoggedProcess | None = None
        """The process that the log begins with, in its present image."""
        self.cloning: dict[int | None, Task] = {}
        """Threads in the middle of a clone, by thread id."""
        self._entries = entries
        self._start = (cwd, uid, gid)
        self._births: dict[int, Birth] = {}
        self._early: dict[int, Task] = {}
        """Children that spoke before their clone returned, with the parent they were given."""
        self._attached: set[int] = set()
        self._leaving: dict[int | None, Task] = {}
        self._processes = 0
        self._some_moved = False
        """One that is gone had moved: whoever turns up without a birth may be its child."""
        self.latest: Task | None = None
        """Who spoke last."""

    def find(self, tid: int | None, *, may_wait: bool) -> Task | None:
        """Return who speaks on a line with this thread id (None: it bears none).

        None if it cannot be told yet, which is never so unless it `may_wait`.
        """
        task = self.alive.get(tid)
        if task is None:
            task = self._speaker() if tid is None else self._meet(tid, may_wait=may_wait)
        self.latest = task or self.latest
        return task

    def _speaker(self) -> Task:
        """Find the one that lines without an id are about: the only one, or the last.

        On stderr strace names nobody where one is left; with -qq no end of the others was told.
        """
        left = [task for tid, task in self.alive.items() if tid not in self._leaving]
        if len(left) == 1:
            return left[0]
        if self.latest is not None and self.latest.tid in self.alive:
            return self.latest
        return self._root(None)

    def _meet(self, tid: int, *, may_wait: bool) -> Task | None:
        birth = self._births.pop(tid, None)
        if birth is not None:
            return self._born(tid, birth)
        unnamed = self.alive.get(None)
        if unnamed is not None and tid not in self._attached:
            return self._name(unnamed, tid)
        if self.cloning:
            if len(self.cloning) > 1 and may_wait:
                return None
            parent = next(reversed(self.cloning.values()))
            self._early[tid] = parent
            return self._born(tid, birth_of(parent, parent.begun[1] if parent.begun else b""))
        if self._births and tid not in self._attached:
            # In a pid namespace of its own a clone returns other numbers than strace shows.
            return self._born(tid, self._births.pop(next(iter(self._births))))
        return self._root(tid)

    def _name(self, task: Task, tid: int) -> Task:
        del self.alive[None]
        task.tid = tid
        task.process.pid = tid
        self.alive[tid] = task
        return task

    def _root(self, tid: int | None) -> Task:
        cwd, uid, gid = self._start
        if self._some_moved or any(task.view.cwd != cwd for task in self.alive.values()):
            cwd = None  # nothing tells whose child it is, and some have moved
        process = self._new_process(tid or 0, None, uid, gid)
        if self.first is None:
            self.first = process
        return self._living(Task(tid, process, View(cwd), Descriptors()))

    def _living(self, task: Task) -> Task:
        if len(self.alive) >= _ALIVE_LIMIT:
            for old in list(self.alive.values())[: _ALIVE_LIMIT // 2]:
                self._gone(old, None, 0)
        self.alive[task.tid] = task
        return task

    def _new_process(
        self, pid: int, parent: LoggedProcess | None, uid: int, gid: int
    ) -> LoggedProcess:
        self._processes += 1
        return LoggedProcess(self._processes, pid, parent, uid, gid)

    def _born(self, tid: int, birth: Birth) -> Task:
        parent = birth.parent.process
        if birth.flags & CLONE_THREAD:
            process = parent
            process.threads += 1
        else:
            above = parent.parent if birth.flags & CLONE_PARENT else parent
            process = self._new_process(tid, above, parent.uid, parent.gid)
            process.exe, process.argv = parent.exe, parent.argv
            process.environ = parent.environ
        task = Task(tid, process, birth.view, birth.files)
        if birth.flags & CLONE_NEWNS:
            enter_namespace(task)
        return self._living(task)

    def attached(self, tid: int, parent: tuple[Task, bytes] | None) -> None:
        """Note that strace attached to a thread; `parent` and its call, if that broke them off."""
        if len(self._attached) >= _ALIVE_LIMIT:
            self._attached.clear()
        self._attached.add(tid)
        if parent is not None and tid not in self.alive:
            self._expect(tid, birth_of(*parent))

    def cloned(self, parent: Task, arguments: bytes, child: int) -> None:
        """Note that a clone has returned the id of a child."""
        if self._early.pop(child, None) is parent:
            return
        if child in self.alive and child not in self._attached:
            self._gone(self.alive[child], None, 0)  # its end was not logged (-qq)
        if child not in self.alive:
            self._births.pop(child, None)
            self._expect(child, birth_of(parent, arguments))

    def _expect(self, tid: int, birth: Birth) -> None:
        self._births[tid] = birth
        if len(self._births) > _BIRTH_LIMIT:
            del self._births[next(iter(self._births))]

    def announce(self, task: Task, at: int) -> None:
        """Hand on who a process is, before anything that it did."""
        self._announce(task.process, task.view.cwd or b"", at)

    def _announce(self, process: LoggedProcess, cwd: bytes, at: int) -> None:
        chain = []
        above: LoggedProcess | None = process
        while above is not None and not above.announced:
            chain.append(above)
            above = above.parent
        for one in reversed(chain):
            one.announced = True
            self._entries.add_event(
                ProcessStarted(
                    one.id,
                    one.parent.id if one.parent else None,
                    one.previous,
                    one.pid,
                    one.exe,
                    one.argv,
                    cwd,
                    one.uid,
                    one.gid,
                    b"",
                    one.environ,
                    at,
                )
            )

    def executing(self, task: Task, at: int) -> int:
        """Tell the id of who is said to execute, which is handed on if need be."""
        process = _executing(task.process) or task.process
        self._announce(process, task.view.cwd or b"", at)
        return process.id

    def executed(
        self,
        task: Task,
        place: LogPlace | None,
        argv: tuple[bytes, ...],
        environ: Mapping[str, bytes] | None,
        at: int,
    ) -> None:
        """Replace the image of a process: a new one if the old one did anything."""
        old = task.process
        caller = _executing(old)
        process = old
        if old.announced:
            process = self._new_process(old.pid, old.parent, old.uid, old.gid)
            process.previous, process.environ = old.id, old.environ
            if self.first is old:
                self.first = process
        process.exe = place.path if place else b""
        process.argv = argv
        process.threads = 1
        if environ is not None:
            process.environ = environ
        task.process = process
        task.files = task.files.after_exec()
        task.view = task.view.copied()
        self.announce(task, at)
        if place:
            self._entries.add(
                Access(
                    (caller or process).id,
                    Op.EXEC,
                    place.path,
                    None,
                    Outcome.OK,
                    at,
                    0,
                    access_flags(place.flags),
                )
            )

    def superseded(self, leader: Task, by: int) -> None:
        """Note that a thread that execs takes over the id of its process's leader."""
        heir = self.alive.pop(by, None)
        self.cloning.pop(by, None)
        if heir is not None:
            heir.tid = leader.tid
            self.alive[leader.tid] = heir

    def renamed_directory(self, names: Mapping[bytes, bytes]) -> None:
        """Give what is open in directories that were renamed the new names."""
        # Threads share views and tables, copied tables share what is open: once for each.
        views = {task.view for task in self.alive.values()}
        tables = {task.files for task in self.alive.values()}
        directories = {
            opened for table in tables for opened in table.opened.values() if opened.directory
        }
        for view in views:
            view.cwd = None if view.cwd is None else _renamed(view.cwd, names)
        for opened in directories:
            opened.path = None if opened.path is None else _renamed(opened.path, names)

    def ended(self, task: Task, status: int | None, at: int) -> None:
        """Note that a thread ended, with a status as of waitpid(2)."""
        self._gone(task, status, at)

    def leaving(self, task: Task, *, with_threads: bool) -> None:
        """Note that a thread asked to end: with -qq there is nothing else to hear of it."""
        self._leaving[task.tid] = task
        if with_threads and task.process.threads > 1:
            self._leaving |= {
                tid: each for tid, each in self.alive.items() if each.process is task.process
            }
        if len(self._leaving) > _LEAVING_LIMIT:
            for gone in list(self._leaving.values()):
                self._gone(gone, None, 0)
            self._leaving.clear()

    def _gone(self, task: Task, status: int | None, at: int) -> None:
        self._some_moved = self._some_moved or task.view.cwd != self._start[0]
        self.alive.pop(task.tid, None)
        self.cloning.pop(task.tid, None)
        self._leaving.pop(task.tid, None)
        if task.tid is not None:
            self._attached.discard(task.tid)
            self._early.pop(task.tid, None)
        process = task.process
        process.threads -= 1
        if task.tid == process.pid or process.status is None:
            process.status = status
        if process.threads <= 0 and process.announced:
            self._entries.add_event(ProcessExited(process.id, process.status, at))


def _executing(process: LoggedProcess) -> LoggedProcess | None:
    """Find who is said to execute: a child that did nothing else is nobody yet, its parent is."""
    return process if process.announced else process.parent


def _renamed(path: bytes, names: Mapping[bytes, bytes]) -> bytes:
    for old, new in names.items():
        if is_within(path, old):
            return new + path[len(old) :]
    return path


def birth_of(parent: Task, arguments: bytes) -> Birth:
    """Tell what a child of a clone with these arguments begins with."""
    match = _CLONE_FLAGS.search(arguments)
    flags = flags_value(match[1]) if match else 0
    return Birth(
        parent,
        flags,
        parent.view if flags & CLONE_FS else parent.view.copied(),
        parent.files if flags & CLONE_FILES else parent.files.copied(),
    )
