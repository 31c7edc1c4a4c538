"""The bpf recorder of one unit: programs in the kernel that know the unit by its control group.

Nothing of the unit is touched: no restart, no drop-in, no shim. Killed, it is started again by
systemd, and begins a new run; what the unit did in between is not seen.
"""

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from imptrace.record.groups import at_path, members
from imptrace.record.service import runs
from imptrace.record.service.manager import Manager
from imptrace.record.service.notify import tell_manager
from imptrace.record.service.order import RecordingOrder, RecordingOutcome, write_outcome
from imptrace.record.service.place import FINISH, OUTCOME
from imptrace.tracer.bpf.recorder import Where, load_machine, watch
from imptrace.tracer.recorder import RecorderOptions, RecorderUnavailableError

if TYPE_CHECKING:
    from imptrace.record.session import Session
    from imptrace.tracer.bpf.recorder import BpfRecorder

_POLL_SECONDS = 0.1


def group_path(name: str, properties: Mapping[str, str]) -> tuple[str, ...]:
    """Tell where the unit's control group is, or will be once it runs."""
    told = properties.get("ControlGroup", "")
    if told:
        return tuple(told.strip("/").split("/"))
    words = properties.get("Slice", "system.slice").removesuffix(".slice").split("-")
    slices = ("-".join(words[:count]) + ".slice" for count in range(1, len(words) + 1))
    return (*(each for each in slices if each != "-.slice"), name)


def refusal(manager: Manager, path: tuple[str, ...]) -> str | None:
    """Say why a unit cannot be recorded so; None if it can."""
    if manager.user:
        return "the bpf recorder needs root"
    if at_path(path) is None:
        return "the bpf recorder needs control groups of version 2"
    try:
        load_machine(RecorderOptions()).close()
    except RecorderUnavailableError as error:
        return str(error)
    return None


class PassiveRecorder:
    """Records one unit until it is told to finish."""

    def __init__(self, directory: Path, order: RecordingOrder) -> None:
        """Begin to record. Raises ImptraceError."""
        self._directory = directory
        self._order = order
        self._session: Session | None = None
        self._told = False
        self._recording = _attached(order)
        signal.signal(signal.SIGTERM, self._told_to_finish)

    def run(self) -> None:
        """Do all of it."""
        tell_manager("READY=1", "STATUS=waiting for the unit to do something")
        while not (self._told or (self._directory / FINISH).exists()):
            time.sleep(_POLL_SECONDS)
            self._begin_when_something_comes()
        self._recording.leave()
        # What came before is on its way still.
        self._begin_when_something_comes()
        found = runs.outcome(self._session) if self._session else RecordingOutcome(run=None)
        write_outcome(self._directory / OUTCOME, found)
        self._recording.close()

    def _begin_when_something_comes(self) -> None:
        if self._session is None and self._recording.wait_for_first(int(_POLL_SECONDS * 1000)):
            self._session = runs.begin(self._order, self._recording)
            tell_manager(f"STATUS=recording {self._order.unit}")

    def _told_to_finish(self, _number: int, _frame: object) -> None:
        self._told = True


def _attached(order: RecordingOrder) -> "BpfRecorder":
    options = RecorderOptions(stats=order.stats, writes_only=order.writes_only)
    return watch(options, Where(group=at_path(order.group)), members(order.group))
