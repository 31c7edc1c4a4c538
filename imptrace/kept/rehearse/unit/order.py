"""What the manager in the copy is to do: written before the copy is made, read in it."""

import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from imptrace.errors import ImptraceError
from imptrace.kept.rehearse.unit.files import UNIT_DIRECTORY
from imptrace.kept.rehearse.unit.live import LiveUnit

ORDER = "unit.json"
TARGET = "imptrace-rehearsal.target"
_PROGRAM = (
    "import os, sys; sys.path[:] = sys.argv.pop(1).split(os.pathsep); "
    "from imptrace.kept.rehearse.unit.machine import main; main()"
)
# The order keeps the unit in the manager's memory, and with it how it ended.
_TARGET_TEXT = "[Unit]\nDescription=What imptrace rehearses\nDefaultDependencies=no\nAfter={}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOrder:
    """One unit, and how to use it."""

    unit: str
    starts: tuple[str, ...]
    """What is started, in this order; the unit is the last."""
    systemd: str
    systemctl: str
    seconds: float
    """How long the unit is left running."""
    first: str | None
    again: str | None
    """For the shell, while it runs."""
    own_network: bool


def write_order(unit: LiveUnit, order: UnitOrder, exchange: Path) -> None:
    """Write the order and the files of the units. Raises OSError."""
    directory = exchange / UNIT_DIRECTORY
    directory.mkdir()
    for name, text in {**unit.files, TARGET: _TARGET_TEXT.format(order.unit)}.items():
        (directory / name).write_bytes(text.encode(errors="surrogateescape"))
    (exchange / ORDER).write_text(json.dumps(asdict(order)))


def read_order(exchange: Path) -> UnitOrder:
    """Read it back."""
    fields = json.loads((exchange / ORDER).read_text())
    return UnitOrder(**{**fields, "starts": tuple(fields["starts"])})


def commands(exchange: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the two commands that boot the copy: for the first start and for the second."""
    # A wrapper may have set up where imports are found.
    places = os.pathsep.join(each for each in sys.path if each)
    program = (sys.executable, "-c", _PROGRAM, places, os.fsdecode(exchange))
    return (*program, "first"), (*program, "again")


def find_systemd() -> tuple[str, str]:
    """Find the manager that runs here, and systemctl. Raises ImptraceError."""
    systemctl = shutil.which("systemctl")
    try:
        systemd = os.readlink("/proc/1/exe")
    except OSError:
        systemd = ""
    if systemctl is None or os.path.basename(systemd) != "systemd":
        raise ImptraceError("units need systemd as PID 1, which this machine has not")
    return systemd, systemctl
