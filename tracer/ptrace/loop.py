"""The loop of the ptrace recorder: what to do at each stop of a tracee.

Runs in a process of its own, so that neither the database nor the user's terminal ever keeps a
tracee waiting. Whenever that process ends, by itself or by SIGKILL, the kernel lets all tracees go
on as if they had never been traced: letting go of them needs no other ceremony.
"""

import os
import signal
from collections.abc import Callable, Iterable

from imptrace.tracer import _native, proc
from imptrace.tracer.ptrace import api as ptrace_api
from imptrace.tracer.ptrace.turns import Thread, Turn

IO_URING_SETUP = 425
"""The same number on every architecture."""

_MOMENT_SECONDS = 0.002

_STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
_NEW_TRACEE = (ptrace_api.EVENT_FORK, ptrace_api.EVENT_VFORK, ptrace_api.EVENT_CLONE)


class Tracer:
    """Traces threads of this and other processes, until none is left."""

    def __init__(self, observer: _native.Observer, program: int | None = None) -> None:
        """Trace for `observer`. `program` is the pid of what was launched, and not attached to."""
        self._observer = observer
        self._program = program
        self._threads: dict[int, Thread] = {}
        self._turn: Turn | None = None
        self._info = ptrace_api.SyscallInfo()
        self._warned = False
        self._leaving = False

    def attach(self, pids: Iterable[int]) -> None:
        """Begin to trace these processes, and record what they hold already.

        Raises OSError with the pid as its `filename` if one cannot be traced. Processes that end
        meanwhile are none.
        """
        new: list[int] = []
        for pid in pids:
            new += self._seize(pid)
            self._observer.attached(pid)
            self._record_holdings(pid)
        # Only now does any of them stop, and from here on somebody answers.
        for tid in new:
            _unless_gone(ptrace_api.interrupt, tid)

    def follow(self, pid: int) -> None:
        """Trace a child of ours that is about to execute the program. Raises OSError."""
        for tid in self._seize(pid):
            ptrace_api.interrupt(tid)

    def run(self) -> None:
        """Answer stops until nothing is left to trace, or `leave` was called.

        When this process ends then, no tracee waits for an answer: a signal that one of them was
        about to get would be lost otherwise.
        """
        while self._threads and not self._leaving:
            for tid, status in self._stops():
                try:
                    self._answer(tid, status)
                except ProcessLookupError:
                    continue  # killed while it was stopped: its end is reported next
            if self._turn is not None:
                self._take_turns(self._turn)

    def leave(self) -> None:
        """Let `run` return soon. To be called by another thread."""
        self._leaving = True
        if not os.fork():
            os._exit(0)  # its end is an event for which `run` wakes up

    def _seize(self, pid: int) -> list[int]:
        """Trace all threads of a process, those included that come while we look."""
        seized: list[int] = []
        while new := [tid for tid in proc.threads(pid) if tid not in self._threads]:
            for tid in new:
                try:
                    ptrace_api.seize(tid)
                    seized.append(tid)
                except ProcessLookupError:
                    continue
                except PermissionError as error:
                    # A child of a thread that is traced is traced from its birth.
                    if proc.tracer(tid) != os.getpid():
                        raise OSError(error.errno, error.strerror, pid) from None
                self._threads[tid] = Thread()
        return seized

    def _record_holdings(self, pid: int) -> None:
        for path, writable in proc.mapped_files(pid):
            self._observer.holds_mapped(pid, path, writable)
        for fd, flags, target in proc.descriptors(pid):
            if target == b"anon_inode:[io_uring]":
                self._warn_of_io_uring()
            elif target.startswith(b"/") and not flags & os.O_PATH:
                self._observer.holds_open(pid, fd, flags)

    def _stops(self) -> list[tuple[int, int]]:
        """Wait for a stop or an end; take all that have come, so that no thread is left behind."""
        stops: list[tuple[int, int]] = []
        flags = ptrace_api.WALL
        if self._turn is not None:
            signal.sigtimedwait({signal.SIGCHLD}, _MOMENT_SECONDS)
            flags |= os.WNOHANG
        while True:
            try:
                stop = os.waitpid(-1, flags)
            except ChildProcessError:
                break
            if not stop[0]:
                return stops
            stops.append(stop)
            if len(self._threads) == 1:
                return stops
            flags |= os.WNOHANG
        if not stops:
            self._threads.clear()
        return stops

    def _answer(self, tid: int, status: int) -> None:
        thread = self._threads.get(tid)
        if thread is None:
            if not os.WIFSTOPPED(status):
                self._observer.ended(tid, status)
                return
            # A new thread's first stop may come before its parent's report of it.
            thread = self._threads[tid] = Thread()
        if status == ptrace_api.SYSCALL_STOP:
            self._at_call(tid, thread)
        elif os.WIFSTOPPED(status):
            self._at_event(tid, status >> 16, os.WSTOPSIG(status))
        else:
            self._ended(tid, thread, status)

    def _at_call(self, tid: int, thread: Thread) -> None:
        if thread.inside:
            self._at_exit(tid, thread)
        elif self._turn is not None:
            self._turn.waiting.append(tid)
        else:
            self._at_entry(tid, thread)

    def _at_exit(self, tid: int, thread: Thread) -> None:
        thread.inside = thread.is_slow = False
        staged, thread.staged = thread.staged, None
        if staged is not None:
            ptrace_api.read_syscall(tid, self._info)
            staged.returned(self._info)
        ptrace_api.go_on(tid)

    def _at_entry(self, tid: int, thread: Thread) -> None:
        info = self._info
        ptrace_api.read_syscall(tid, info)
        if info.op == ptrace_api.ENTRY:
            thread.inside = True
            thread.staged = self._observer.entry(tid, info)
            if info.nr == IO_URING_SETUP:
                self._warn_of_io_uring()
        staged = thread.staged
        if staged is not None and len(self._threads) > 1 and staged.moves_names():
            if self._turn is None:
                self._turn = Turn(tid)
            else:
                thread.inside, thread.staged = False, None
                self._turn.waiting.append(tid)
            return
        ptrace_api.go_on(tid)

    def _take_turns(self, turn: Turn) -> None:
        """Let the one that is waited for, or those that wait for it, go on where that may be."""
        mover = self._threads.get(turn.mover)
        if not turn.begun and mover is not None and turn.may_begin(self._threads):
            turn.begin()
            _unless_gone(self._look_again, turn.mover)
        if turn.is_over(self._threads):
            self._turn = None
            turn.let_in(self._threads, self._enter)

    def _look_again(self, tid: int) -> None:
        """Look at a call before which others were made since it was looked at first."""
        ptrace_api.read_syscall(tid, self._info)
        thread = self._threads[tid]
        thread.staged = None
        thread.staged = self._observer.entry(tid, self._info)
        ptrace_api.go_on(tid)

    def _enter(self, tid: int, thread: Thread) -> None:
        _unless_gone(lambda tid: self._at_entry(tid, thread), tid)

    def _at_event(self, tid: int, event: int, number: int) -> None:
        if event == ptrace_api.EVENT_STOP and number in _STOPPING:
            if tid == self._program:
                self._observer.program_stopped(number << 8 | 0x7F)
            ptrace_api.listen(tid)
            return
        if event in _NEW_TRACEE:
            born = ptrace_api.event_message(tid)
            # Known from now on: its parent, and all others, may end before its first stop.
            self._threads.setdefault(born, Thread())
            self._observer.born(born)
        elif event == ptrace_api.EVENT_EXEC:
            self._executed(tid)
        # Without an event it is a signal that the tracee is to get.
        ptrace_api.go_on(tid, 0 if event else number)

    def _executed(self, pid: int) -> None:
        """Move a thread that executed to its new id, which is its process's from now on."""
        thread = self._threads.pop(ptrace_api.event_message(pid), None) or Thread(inside=True)
        self._threads[pid] = thread
        staged, thread.staged = thread.staged, None
        if staged is not None:
            staged.executed()
        else:
            self._observer.executed(pid)

    def _ended(self, tid: int, thread: Thread, status: int) -> None:
        del self._threads[tid]
        if thread.staged is not None:
            thread.staged.unknown()
        if tid == self._program:
            left = {proc.process_of(each) for each in self._threads}
            self._observer.program_ended(tid, status, len(left - {None}))
        else:
            self._observer.ended(tid, status)

    def _warn_of_io_uring(self) -> None:
        if not self._warned:
            self._warned = True
            self._observer.uses_io_uring()


def _unless_gone(request: Callable[[int], None], tid: int) -> None:
    try:
        request(tid)
    except ProcessLookupError:
        return
