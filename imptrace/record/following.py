"""Telling a user what a program of his does, which he is about to start: over the same socket.

The program's own process asks, so that the kernel says which one it is. What is told, and what not,
is decided where records are made (tracer/bpf/listeners.h). Nothing of it is stored here, and nobody
is waited for: what is not taken is dropped, and counted.
"""

import os
import socket
import struct
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING, NamedTuple

from imptrace.facts.answering import EVERYTHING, FOLLOWING, FRAME, NO, QUESTIONS, WRITES
from imptrace.tracer import proc
from imptrace.tracer.bpf.listening import Listener, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imptrace.tracer.bpf.recorder import BpfRecorder
    from imptrace.tracer.recorder import RecorderOptions

PROGRAMS = 16
PROGRAMS_OF_ONE = 4
FREEING_SECONDS = 2.0
"""How long is waited for the place of a program that has ended."""
TURN_SECONDS = 1.0
"""How often is looked whether anybody listens still."""
ANSWER_SECONDS = 5.0
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

    def serve(self, connection: socket.socket, peer: Peer, what: bytes) -> None:
        """Tell what the program of a process does, until it ends or nobody listens."""
        connection.settimeout(ANSWER_SECONDS)
        with self._admitted(peer.uid, connection) as followed:
            try:
                listener = self._begin(peer, what, admitted=followed is not None)
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

    def _begin(self, peer: Peer, what: bytes, *, admitted: bool) -> Listener:
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
        return self._recorder.listen(
            peer.pid, peer.uid, writes_only=what == WRITES, stats=what == QUESTIONS
        )


def _tell(connection: socket.socket, listener: Listener) -> None:
    while (chunk := listener.take(TURN_SECONDS)) is not None:
        if chunk:
            connection.sendall(FRAME.pack(len(chunk)) + chunk)
        elif _has_hung_up(connection):
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
