"""Work that needs much memory, now and then: in a process of its own, gone when it is done.

What records for good is to stay small, and what is imported to remove old runs or to answer a user
is larger than all else that it needs. So a process is forked before there are threads, and forks
itself for each piece of work.
"""

import os
import pickle
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import NoReturn, TypeVar

R = TypeVar("R")

_MOST = 1 << 16
"""Bytes of one question."""
_UNHEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What ends the recorder ends it, too, when the recorder has ended."""


class Apart:
    """A process that does work when it is asked to; it ends with the one that made it."""

    def __init__(self) -> None:
        """Fork it. To be called while this process has one thread."""
        self._lock = Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if not self.pid:
            self._socket.close()
            _serve(theirs)
        theirs.close()

    def do(self, work: Callable[..., R], *arguments: object) -> R:
        """Do it there, or here if that process is gone. Returns, or raises, what `work` does.

        `work` is a function of a module; it, what it is given, returns and raises can be pickled.
        """
        answer, theirs = os.pipe()
        try:
            with self._lock:
                socket.send_fds(self._socket, [pickle.dumps((work, arguments))], [theirs])
        except OSError:
            os.close(answer)
            return work(*arguments)
        finally:
            os.close(theirs)
        with open(answer, "rb") as file:
            said = file.read()
        if not said:
            return work(*arguments)
        result, error = pickle.loads(said)  # noqa: S301 (of a process of ours)
        if error is not None:
            raise error
        found: R = result
        return found

    def close(self) -> None:
        """Have it end."""
        self._socket.close()
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _serve(asked: socket.socket) -> NoReturn:
    """Fork for each question, until nobody is left who could ask."""
    try:
        for number in _UNHEARD:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
        while True:
            question, (answer, *_), _, _ = socket.recv_fds(asked, _MOST, 1)
            if not os.fork():
                asked.close()
                _do(question, answer)
            os.close(answer)
    finally:
        os._exit(0)


def _do(question: bytes, answer: int) -> NoReturn:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        work, arguments = pickle.loads(question)  # noqa: S301 (of the process that forked us)
        said: tuple[object, Exception | None]
        try:
            said = work(*arguments), None
        except Exception as error:  # noqa: BLE001 (raised again by who asked)
            said = None, error
        with open(answer, "wb") as file:
            pickle.dump(said, file)
    finally:
        os._exit(0)
