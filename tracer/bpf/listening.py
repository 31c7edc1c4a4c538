"""Whoever listens to a part of what is recorded: a program of a user's, and all that it starts.

One thread reads the recorder and nobody else may touch it meanwhile; what others want of it they
hand to that thread. Nobody is waited for: what a listener does not take is dropped in the end
(tracer/bpf/listeners.c), and counted.
"""

from collections import deque
from collections.abc import Callable, Mapping
from threading import Condition, Lock
from typing import TYPE_CHECKING, Final

from imptrace.tracer import proc
from imptrace.tracer.bpf.holding import tell_held

if TYPE_CHECKING:
    from imptrace.tracer._bpf import Machine

WAITING: Final = 1 << 20
"""Bytes that wait for a listener here; what comes then waits where it may be dropped."""
_ANSWER_SECONDS: Final = 10.0


class Refused(Exception):  # noqa: N818 (what is said of it, no error of ours)
    """A program cannot be listened to; the text is for its user."""


class Listener:
    """One who listens."""

    def __init__(self, listeners: "Listeners", tree: int, start_ns: int) -> None:
        """Listen to a tree, whose times count from `start_ns`, of CLOCK_MONOTONIC."""
        self.start_ns = start_ns
        self.tree = tree
        self._listeners = listeners
        self._changed = Condition()
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._over = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come than what waits."""
        return self._over

    @property
    def has_room(self) -> bool:
        """Whether it takes more."""
        return self._bytes < WAITING

    def put(self, chunk: bytes) -> None:
        """Add what was recorded."""
        with self._changed:
            self._waiting.append(chunk)
            self._bytes += len(chunk)
            self._changed.notify_all()

    def end(self) -> None:
        """Say that nothing more will come."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def take(self, seconds: float) -> bytes | None:
        """Take what was recorded next; empty if nothing came in time, None if nothing will."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._over, seconds)
            if not self._waiting:
                return None if self._over else b""
            chunk = self._waiting.popleft()
            self._bytes -= len(chunk)
        self._listeners.wake()
        return chunk

    def close(self) -> None:
        """Listen no longer."""
        self._listeners.drop(self)


class Listeners:
    """A machine that is read, and whoever listens to parts of it: the source of a Drained."""

    def __init__(self, machine: "Machine") -> None:
        """Take over the reading of `machine`."""
        self._machine = machine
        self._asked: deque[Callable[[], None]] = deque()
        self._listening: dict[int, Listener] = {}
        self._closed = False
        self._waking = Lock()

    def listen(self, pid: int, user: int, *, writes_only: bool, stats: bool) -> Listener:
        """Listen to what a process is about to execute, from any thread. Raises Refused."""
        return self._begin(
            lambda: Listener(self, *self._machine.listen(pid, user, writes_only, stats))
        )

    def join(
        self, pids: Mapping[int, int], user: int, *, writes_only: bool, stats: bool
    ) -> Listener:
        """Listen to processes that run already: pidfds by pids; any thread. Raises Refused."""

        def start() -> Listener:
            tree = start_ns = 0
            for pid, pidfd in pids.items():
                try:
                    tree, start_ns, image = self._machine.join(
                        tree, pid, pidfd, user, proc.rights(pid)[1], writes_only, stats
                    )
                except OSError:
                    if tree:
                        self._machine.unlisten(tree)
                    raise
                tell_held(self._machine, pid, image, tree)
            return Listener(self, tree, start_ns)

        return self._begin(start)

    def _begin(self, start: Callable[[], Listener]) -> Listener:
        answer: list[Listener | OSError | None] = []
        done = Condition()

        def begin() -> None:
            found: Listener | OSError | None
            try:
                found = start()
            except OSError as error:
                found = error
            else:
                self._listening[found.tree] = found
            with done:
                if answer:
                    self._forget(found)
                answer.append(found)
                done.notify_all()

        self._hand_over(begin)
        with done:
            if not done.wait_for(lambda: answer, _ANSWER_SECONDS):
                answer.append(None)
            found = answer[0]
        if isinstance(found, Listener):
            return found
        reason = found.strerror if isinstance(found, OSError) else "the recorder is busy"
        raise Refused(f"the program cannot be followed: {reason}")

    def drop(self, listener: Listener) -> None:
        """Tell a listener no more, from any thread."""
        self._hand_over(lambda: self._forget(listener))

    def wake(self) -> None:
        """Have the reading thread look at once, from any thread."""
        with self._waking:
            if not self._closed:
                self._machine.wake()

    def read(self, timeout_ms: int) -> bytes:
        """Read the machine's own records, and hand the others to who listens."""
        while self._asked:
            self._asked.popleft()()
        ready = sum(1 << each.tree for each in self._listening.values() if each.has_room)
        chunk = self._machine.read(timeout_ms, ready)
        for listener in tuple(self._listening.values()):
            self._hand_on(listener)
        return chunk

    def _hand_on(self, listener: Listener) -> None:
        while listener.has_room:
            heard = self._machine.heard(listener.tree)
            if heard is None:
                self._forget(listener)  # its place is free as soon as its program has ended
            if not heard:
                return
            listener.put(heard)

    def close(self) -> None:
        """Record no longer."""
        with self._waking:
            self._closed = True
            self._machine.close()
        for listener in self._listening.values():
            listener.end()
        self._listening.clear()
        while self._asked:
            self._asked.popleft()

    def _hand_over(self, step: Callable[[], None]) -> None:
        self._asked.append(step)
        self.wake()

    def _forget(self, listener: Listener | OSError | None) -> None:
        # Its number may be another one's by now.
        if isinstance(listener, Listener) and self._listening.get(listener.tree) is listener:
            del self._listening[listener.tree]
            self._machine.unlisten(listener.tree)
            listener.end()
