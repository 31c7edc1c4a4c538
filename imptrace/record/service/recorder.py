"""The notify recorder of one unit: a transient service of its own, outside of the unit's sandbox.

Three can be killed, and the unit goes on. If this process is, systemd takes the C supervisor
down with it and starts both again; if the supervisor is, this process ends and the same happens.
What is answered on (the listeners) is kept by PID 1 meanwhile, together with the socket where
shims come in and the page with the call that was being looked at. A new run begins then; the
old one shows as interrupted.
"""

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from imptrace.errors import ImptraceError
from imptrace.record.service import runs
from imptrace.record.service.notify import deposit, inherited_descriptors, tell_manager, withdraw
from imptrace.record.service.order import (
    RecordingOrder,
    RecordingOutcome,
    read_order,
    write_outcome,
)
from imptrace.record.service.place import FINISH, ORDER, OUTCOME, SOCKET

if TYPE_CHECKING:
    from imptrace.record.session import Session
    from imptrace.tracer.notify.recorder import ServiceRecorder

DOOR, PAGE, LISTENER = "door", "page", "listener"
"""Names in the descriptor store; the last is tracer/notify/door.h's."""
_POLL_SECONDS = 0.1
_LAST_WORDS_SECONDS = 1.0
"""The supervisor holds counts of repeats back for a quarter of this."""
_READER_SECONDS = 5.0
"""How long the outcome stays where `service finish` looks for it."""


class SupervisorLostError(ImptraceError):
    """The supervisor was killed: only a restart of this service brings it back."""


class UnitRecorder:
    """Records one unit until it is told to finish, then stays until nothing needs it."""

    def __init__(self, directory: Path) -> None:
        """Take over what a killed recorder left. Raises ImptraceError."""
        self._directory = directory
        self._order = read_order(directory / ORDER)
        self._outcome = directory / OUTCOME
        # Without an order, or with an outcome, there is nothing to record; there may be somebody
        # to answer.
        self._should_finish = self._order is None or self._outcome.exists()
        self._session: Session | None = None
        self._supervisor_is_gone = False
        self._kept = inherited_descriptors()
        self._recording = self._serve()
        signal.signal(signal.SIGTERM, self._told_to_finish)

    def run(self) -> None:
        """Do all of it. Raises SupervisorLostError."""
        tell_manager("READY=1", "STATUS=waiting for the unit to start")
        while self._order is not None and not self._should_finish:
            self._check_supervisor()
            if self._session is None:
                self._begin_when_something_comes(self._order)
            else:
                time.sleep(_POLL_SECONDS)
            # After the look, since what a short unit did may have come just before.
            self._should_finish |= (self._directory / FINISH).exists()
        self._close_door()
        if self._order is not None and not self._outcome.exists():
            write_outcome(self._outcome, self._finish())
        self._stay_until_unused()

    def _serve(self) -> "ServiceRecorder":
        from imptrace.tracer.notify.recorder import ServiceRecorder
        from imptrace.tracer.recorder import RecorderOptions

        kept, order = self._kept, self._order
        return ServiceRecorder(
            order.unit if order else "",
            RecorderOptions(
                stats=order is not None and order.stats,
                writes_only=order is not None and order.writes_only,
            ),
            door=kept[DOOR][0] if kept[DOOR] else self._open_door(),
            page=kept[PAGE][0] if kept[PAGE] else _new_page(),
            adopted=kept[LISTENER],
            user_manager=order is not None and order.user_manager,
        )

    def _open_door(self) -> int:
        door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        if self._should_finish:
            return door.detach()
        path = self._directory / SOCKET
        path.unlink(missing_ok=True)
        door.bind(str(path))
        # Whoever the unit runs as must come in; who else does is turned away by its cgroup.
        path.chmod(0o666)
        door.listen(socket.SOMAXCONN)
        deposit(door.fileno(), DOOR)
        return door.detach()

    def _begin_when_something_comes(self, order: RecordingOrder) -> None:
        first = self._recording.wait_for_first(int(_POLL_SECONDS * 1000))
        if first:
            self._session = runs.begin(order, self._recording)
            tell_manager(f"STATUS=recording {order.unit}")

    def _close_door(self) -> None:
        (self._directory / SOCKET).unlink(missing_ok=True)
        withdraw(DOOR)
        self._recording.leave()

    def _finish(self) -> RecordingOutcome:
        if self._session is None:
            return RecordingOutcome(run=None, predecessor=bool(self._kept[PAGE]))
        # Either the unit's processes have ended, and with them the records; or they run on, and
        # the last of what they did arrives within the supervisor's next report.
        _wait(lambda: self._supervisor_ended() or self._session_ended(), _LAST_WORDS_SECONDS)
        if not self._supervisor_ended():
            self._session.stop()
        return runs.outcome(self._session)

    def _stay_until_unused(self) -> None:
        tell_manager("STATUS=not recording; the unit runs on with its filter")
        since = time.monotonic()
        while not self._supervisor_ended():
            time.sleep(_POLL_SECONDS)
        if time.monotonic() - since > _READER_SECONDS:
            shutil.rmtree(self._directory, ignore_errors=True)

    def _told_to_finish(self, _number: int, _frame: object) -> None:
        self._should_finish = True

    def _check_supervisor(self) -> None:
        if self._supervisor_ended():
            raise SupervisorLostError("the supervisor was killed: this service starts again")

    def _session_ended(self) -> bool:
        return self._session is not None and self._session.finished.is_set()

    def _supervisor_ended(self) -> bool:
        if not self._supervisor_is_gone:
            pid, _ = os.waitpid(self._recording.supervisor, os.WNOHANG)
            self._supervisor_is_gone = pid != 0
        return self._supervisor_is_gone


def _new_page() -> int:
    from imptrace.tracer.notify.recorder import SERVICE_PAGE

    page = os.memfd_create("imptrace-page", os.MFD_CLOEXEC)
    os.ftruncate(page, SERVICE_PAGE)
    deposit(page, PAGE)
    return page


def _wait(is_so: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(_POLL_SECONDS / 2)
