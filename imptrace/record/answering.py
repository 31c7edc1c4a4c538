"""Answering ordinary users about what their own processes did, over a local socket.

A user can ask for an extract of the record (imptrace.db.extract), or to be told what a program does
that he is about to start (imptrace.record.following). Nothing that he sends is stored; what he can
take of the machine is bounded: connections, time, and how often an extract is made for him. Who he
is the kernel says (SO_PEERCRED).
"""

import os
import socket
import sqlite3
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from threading import BoundedSemaphore, Event, Lock, Thread
from typing import TYPE_CHECKING

from imptrace.errors import ImptraceError
from imptrace.facts.answering import ATTACH, FOLLOW, MOST_LINE, NO, OK, READ
from imptrace.record.following import Following, Peer, peer_of

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECTIONS = 16
CONNECTIONS_OF_ONE = 4
AT_ONCE = 2
"""Extracts that are made at the same time."""
PAUSE_SECONDS = 1.0
"""Between two extracts for the same user."""
ASKING_SECONDS = 5.0
"""How long a question may take to come."""
READY_SECONDS = 2.0
"""How long a program waits for a recorder that is starting."""
TAKING_SECONDS = 30.0
"""How long a client may take for an answer."""
_PIECE = 1 << 18


class Answering:
    """Serves a socket until it is closed, in threads of its own."""

    def __init__(
        self,
        place: Path,
        database: Path,
        extract: "Callable[[Path, int, Path], None] | None" = None,
    ) -> None:
        """Listen at `place`; `extract` stands in for extract_of. Raises ImptraceError."""
        self._place = place
        self._database = database
        self._extract = extract or extract_of
        self._lock = Lock()
        self._of_user: dict[int, int] = {}
        self._made: dict[int, float] = {}
        self._making = BoundedSemaphore(AT_ONCE)
        self._following: Following | None = None
        self._ready = Event()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with suppress(FileNotFoundError):
                place.unlink()
            self._listening.bind(os.fspath(place))
            place.chmod(0o666)
            self._listening.listen(CONNECTIONS)
        except OSError as error:
            self._listening.close()
            raise ImptraceError(f"{place}: users cannot ask there: {error.strerror}") from error

    def start(self) -> "Answering":
        """Begin to answer."""
        Thread(target=self._accept, name="answer", daemon=True).start()
        return self

    def follow(self, following: Following) -> None:
        """Tell users what their programs do, too, from now on."""
        self._following = following
        self._ready.set()

    def close(self) -> None:
        """Listen no longer."""
        with suppress(OSError):
            self._place.unlink()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                if self._listening.fileno() < 0:
                    return
                time.sleep(PAUSE_SECONDS)  # no descriptor is left: others may end meanwhile
                continue
            peer = peer_of(connection)
            if not self._admit(peer.uid):
                connection.close()
                continue
            Thread(target=self._serve, args=(connection, peer), daemon=True).start()

    def _admit(self, uid: int) -> bool:
        with self._lock:
            count = self._of_user.get(uid, 0)
            if count >= CONNECTIONS_OF_ONE or sum(self._of_user.values()) >= CONNECTIONS:
                return False
            self._of_user[uid] = count + 1
            return True

    def _serve(self, connection: socket.socket, peer: Peer) -> None:
        question = b""
        try:
            with suppress(OSError):
                question = _question(connection)
                if not question.startswith((FOLLOW, ATTACH)):
                    self._answer(connection, peer.uid, question)
        finally:
            with self._lock:
                self._of_user[peer.uid] -= 1
                if not self._of_user[peer.uid]:
                    del self._of_user[peer.uid]
        # However long the program runs: those are counted apart.
        with connection, suppress(OSError):
            if not question.startswith((FOLLOW, ATTACH)):
                return
            if not self._ready.wait(READY_SECONDS) or self._following is None:
                connection.sendall(NO + b"programs are not followed here\n")
            elif question.startswith(FOLLOW):
                self._following.serve(connection, peer, question.removeprefix(FOLLOW).strip())
            else:
                what, *pids = question.removeprefix(ATTACH).split() or [b""]
                self._following.serve(connection, peer, what, pids)

    def _answer(self, connection: socket.socket, uid: int, question: bytes) -> None:
        if question != READ:
            connection.sendall(NO + b"this is no question\n")
            return
        with tempfile.TemporaryDirectory(dir=self._database.parent, prefix=".told-") as place:
            file = Path(place) / "imptrace.db"
            try:
                self._make(uid, file)
            except (sqlite3.Error, OSError):
                connection.sendall(NO + b"nothing can be read at the moment\n")
                return
            opened = file.open("rb")
        # Its name is gone: it goes with the connection.
        with opened:
            _send(connection, opened.fileno())

    def _make(self, uid: int, file: Path) -> None:
        with self._lock:
            due = self._made.get(uid, 0) + PAUSE_SECONDS
            now = time.monotonic()
            self._made = {each: at for each, at in self._made.items() if at > now - PAUSE_SECONDS}
            self._made[uid] = max(now, due)
        time.sleep(max(due - now, 0))
        with self._making:
            self._extract(self._database, uid, file)


def extract_of(database: Path, uid: int, file: Path) -> None:
    """Write what a user may know of a database into a file. Raises sqlite3.Error, OSError."""
    from imptrace.db.extract import extract

    extract(database, uid, file)


def _question(connection: socket.socket) -> bytes:
    """Read one line, as long as a question may be, within the time for it."""
    end = time.monotonic() + ASKING_SECONDS
    line = b""
    while len(line) < MOST_LINE and not line.endswith(b"\n"):
        connection.settimeout(max(end - time.monotonic(), 0.01))
        more = connection.recv(MOST_LINE - len(line))
        if not more or time.monotonic() > end:
            break
        line += more
    return line


def _send(connection: socket.socket, file: int) -> None:
    end = time.monotonic() + TAKING_SECONDS
    size = os.fstat(file).st_size
    connection.settimeout(ASKING_SECONDS)
    connection.sendall(OK + b"%d\n" % size)
    with closing(os.fdopen(os.dup(file), "rb")) as opened:
        while piece := opened.read(_PIECE):
            if time.monotonic() > end:
                return
            connection.sendall(piece)
