"""Telling a user what a program of his does, which he is about to start: over the same socket.

The program's own process asks, so that the kernel says which one it is. What is told, and what not,
is decided where records are made (tracer/bpf/listeners.h). Nothing of it is stored here, and nobody
is waited for: what is not taken is dropped, and counted.
"""

import math
import os
import signal
import socket
import struct
import time
from contextlib import ExitStack, contextmanager
from threading import Condition
from typing import TYPE_CHECKING, NamedTuple

from imptrace.facts.answering import EVERYTHING, FOLLOWING, FRAME, NO, QUESTIONS, WRITES
from imptrace.tracer import proc
from imptrace.tracer.bpf.listening import Listener, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from imptrace.tracer.bpf.recorder import BpfRecorder
    from imptrace.tracer.recorder import RecorderOptions

PROGRAMS = 16
PROGRAMS_OF_ONE = 4
FREEING_SECONDS = 2.0
"""How long is waited for the place of a program that has ended."""
TURN_SECONDS = 0.25
"""How often is looked whether anybody listens still."""
LEAVING_SECONDS = 0.1
"""How long is told on to one who wants no more: what was seen before is on its way."""
ANSWER_SECONDS = 5.0
_PID_DIGITS = 9
_CREDENTIALS = struct.Struct("3i")


class Peer(NamedTuple):
    """Who asks."""

    pid: int
    uid: int


def peer_of(connection: socket.socket) -> Peer:
    """Say which process connected, and by whose rights, as the kernel knows it."""
    size = _CREDENTIALS.size
    pid, uid, _ = _CREDENTIALS.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    return Peer(pid, uid)


class _Followed:
    """One program that is followed, and who is told."""

    def __init__(self, uid: int, connection: socket.socket) -> None:
        self.uid = uid
        self.listener: Listener | None = None
        self._connection = connection

    def is_ending(self) -> bool:
        """Whether its place will be free in a moment."""
        if self.listener is not None and _has_hung_up(self._connection):
            self.listener.end()
        return self.listener is not None and self.listener.is_over


class Following:
    """The programs that users have followed."""

    def __init__(self, recorder: "BpfRecorder", options: "RecorderOptions") -> None:
        """Tell what `recorder` sees, which records so much."""
        self._recorder = recorder
        self._options = options
        self._changed = Condition()
        self._followed: list[_Followed] = []
        self._waiting = 0

    def serve(
        self, connection: socket.socket, peer: Peer, what: bytes, pids: "Sequence[bytes]" = ()
    ) -> None:
        """Tell what the program of a process does, until it ends or nobody listens.

        Or what processes of his do that run already: `pids`, as he writes them.
        """
        connection.settimeout(ANSWER_SECONDS)
        with self._admitted(peer.uid, connection) as followed:
            try:
                self._refuse(peer, what, admitted=followed is not None)
                listener = self._joined(peer, what, pids) if pids else self._begun(peer, what)
            except Refused as refusal:
                connection.sendall(NO + str(refusal).encode() + b"\n")
                return
            if followed is not None:
                followed.listener = listener
            try:
                connection.sendall(FOLLOWING + b"%d\n" % listener.start_ns)
                # One who is stopped takes nothing for as long: what waits for him is bounded.
                connection.settimeout(None)
                _tell(connection, listener)
            finally:
                listener.close()

    @contextmanager
    def _admitted(self, uid: int, connection: socket.socket) -> "Iterator[_Followed | None]":
        followed = _Followed(uid, connection)
        with self._changed:
            if self._waiting < PROGRAMS:
                self._waiting += 1
                self._changed.wait_for(
                    lambda: self._has_room(uid) or not self._is_one_ending(), FREEING_SECONDS
                )
                self._waiting -= 1
            admitted = self._has_room(uid)
            if admitted:
                self._followed.append(followed)
        try:
            yield followed if admitted else None
        finally:
            with self._changed:
                if admitted:
                    self._followed.remove(followed)
                self._changed.notify_all()

    def _has_room(self, uid: int) -> bool:
        of_him = sum(each.uid == uid for each in self._followed)
        return of_him < PROGRAMS_OF_ONE and len(self._followed) < PROGRAMS

    def _is_one_ending(self) -> bool:
        return any(each.is_ending() for each in self._followed)

    def _refuse(self, peer: Peer, what: bytes, *, admitted: bool) -> None:
        refusals: tuple[tuple[Callable[[], bool], str], ...] = (
            (lambda: what not in (EVERYTHING, WRITES, QUESTIONS), "this is no question"),
            (lambda: not admitted, "too many programs are followed already"),
            (
                lambda: what == QUESTIONS and not self._options.stats,
                "the machine is recorded without --stats",
            ),
            (
                lambda: what != WRITES and self._options.writes_only,
                "of the machine only changes are recorded",
            ),
            (lambda: not _is_his(peer), "your process cannot be seen from here"),
            (
                lambda: not _sees_the_same(peer.pid),
                "your process has a root directory or mounts of its own",
            ),
        )
        for is_refused, reason in refusals:
            if is_refused():
                raise Refused(reason)

    def _begun(self, peer: Peer, what: bytes) -> Listener:
        return self._recorder.listen(
            peer.pid, peer.uid, writes_only=what == WRITES, stats=what == QUESTIONS
        )

    def _joined(self, peer: Peer, what: bytes, words: "Sequence[bytes]") -> Listener:
        with ExitStack() as opened:
            pids: dict[int, int] = {}
            for word in words:
                pid = int(word) if word.isdigit() and len(word) <= _PID_DIGITS else 0
                pids[pid] = _opened(pid, peer, opened)
            return self._recorder.join(
                pids, peer.uid, writes_only=what == WRITES, stats=what == QUESTIONS
            )


def _opened(pid: int, peer: Peer, until: ExitStack) -> int:
    """Open a process that he may attach to, as ptrace(2) would let him. Raises Refused."""
    try:
        pidfd = os.pidfd_open(pid)
        until.callback(os.close, pidfd)
        if not _may_attach(pid, peer.uid):
            raise Refused(f"process {pid} is not yours alone")
        if not (_sees_the_same(pid) and _numbers_alike(peer.pid)):
            raise Refused(f"process {pid} has a root directory or mounts of its own")
        # It runs still: all that was looked at was its, not of another one with its number.
        signal.pidfd_send_signal(pidfd, 0)
    except (OSError, ValueError) as error:
        raise Refused(f"there is no process {pid}") from error
    return pidfd


def _may_attach(pid: int, uid: int) -> bool:
    """Whether a process has no rights but the user's, and does not hide what it has in memory."""
    fields = proc.status(pid)
    users, groups = (set(fields.get(name, "").split()) for name in ("Uid", "Gid"))
    return (
        users == {str(uid)}
        and len(groups) == 1
        and int(fields.get("CapPrm", "1"), 16) == 0
        and os.stat(f"/proc/{pid}/stat").st_uid == uid
    )


def _numbers_alike(pid: int) -> bool:
    """Whether a process calls others by the numbers by which we do."""
    return os.path.samefile(f"/proc/{pid}/ns/pid", "/proc/self/ns/pid")


def _tell(connection: socket.socket, listener: Listener) -> None:
    until = math.inf
    while (chunk := listener.take(TURN_SECONDS)) is not None:
        if chunk:
            connection.sendall(FRAME.pack(len(chunk)) + chunk)
        if until == math.inf and _has_hung_up(connection):
            until = time.monotonic() + LEAVING_SECONDS
        if time.monotonic() >= until:
            return


def _has_hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _is_his(peer: Peer) -> bool:
    """Whether the process is there, and still of who asked: another may have its number by now."""
    return peer.pid > 0 and proc.rights(peer.pid)[0] == peer.uid


def _sees_the_same(pid: int) -> bool:
    try:
        same = os.stat(f"/proc/{pid}/ns/mnt").st_ino == os.stat("/proc/self/ns/mnt").st_ino
        return same and os.path.samefile(f"/proc/{pid}/root", "/proc/self/root")
    except OSError:
        return False
