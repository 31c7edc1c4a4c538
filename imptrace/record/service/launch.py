"""Starting the recorder of a unit: a transient unit of its own, outside of the other's sandbox."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from imptrace.facts.commands import CommandError, answer_of
from imptrace.facts.systemctl import ManagerError
from imptrace.record.service.place import RecordingFiles

RECORDER_PROPERTIES = (
    "Type=notify",
    "NotifyAccess=all",
    # What PID 1 keeps for the recorder: see tracer/notify/door.h. Killed, it is back at once.
    "FileDescriptorStoreMax=4096",
    "Restart=on-failure",
    "RestartSec=100ms",
    "StartLimitIntervalSec=0",
    "KillMode=mixed",
    "TimeoutStopSec=20s",
    # Outlives the unit at shutdown, and serves those that start early.
    "DefaultDependencies=no",
    "Conflicts=shutdown.target",
    "Before=shutdown.target",
    "CollectMode=inactive-or-failed",
)
SYSTEM_RECORDER_PROPERTIES = ("OOMScoreAdjust=-500",)
"""What a user's manager is not allowed to give."""


def start_recorder(place: RecordingFiles) -> None:
    """Start it as a transient unit. Raises ManagerError."""
    mode = ["--user"] if place.manager.user else ["--system"]
    wanted = RECORDER_PROPERTIES + (() if place.manager.user else SYSTEM_RECORDER_PROPERTIES)
    properties = [f"--property={each}" for each in wanted]
    command = [
        "systemd-run", *mode, "--quiet", f"--unit={place.recorder}",
        f"--description=imptrace records {place.unit}",
        *properties, *(f"--setenv={each}" for each in handed_on()),
        "--", *this_program(), "service", "record", str(place.directory),
    ]  # fmt: skip
    try:
        answer_of(*command)
    except CommandError as error:
        raise ManagerError(
            f"the recorder of {place.unit} does not start: {error} "
            f"(journalctl -u {place.recorder} tells more)"
        ) from error


def handed_on() -> list[str]:
    """List what the recorder's environment must have as ours: systemctl in its path, the database.

    As NAME=VALUE.
    """
    wanted = ("PATH", "XDG_STATE_HOME")
    return [f"{name}={os.environ[name]}" for name in wanted if name in os.environ]


def this_program() -> Sequence[str]:
    """Answer with imptrace as it was called: a wrapper may have set up its imports."""
    called = Path(sys.argv[0]).absolute()
    if os.access(called, os.X_OK):
        return [str(called)]
    return [sys.executable, "-c", "from imptrace.cli.app import main; main()"]
