"""Where the traces of a recording are, so that all of them can be found and removed."""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imptrace.record.service.manager import Manager, runtime_directory
from imptrace.record.service.order import read_order
from imptrace.record.service.units import RECORDER_PREFIX

_STEM_MAX = 60
"""Keeps the socket's path below the 108 bytes that an address holds."""
DROPIN = "zz-imptrace.conf"
ORDER, OUTCOME, FINISH, SOCKET = "order.json", "outcome.json", "finish", "socket"
"""What the directory of a recording holds."""
BOOT_PREFIX = "imptrace-boot-"


@dataclass(frozen=True, slots=True)
class RecordingFiles:
    """The files of one unit's recording; none need exist."""

    unit: str
    manager: Manager

    @property
    def slug(self) -> str:
        """A name that is plain in paths and unit names, and differs between units."""
        stem = re.sub(r"[^A-Za-z0-9_.-]", "-", self.unit.removesuffix(".service"))
        mark = hashlib.sha256(self.unit.encode("utf-8", "surrogateescape")).hexdigest()[:8]
        return f"{stem[:_STEM_MAX]}-{mark}"

    @property
    def directory(self) -> Path:
        """Holds the rest of the recorder's files."""
        return runtime_directory(user=self.manager.user) / self.slug

    @property
    def socket(self) -> Path:
        """Where the shim finds the recorder."""
        return self.directory / SOCKET

    @property
    def order(self) -> Path:
        """What is to be recorded: imptrace.record.service.order."""
        return self.directory / ORDER

    @property
    def outcome(self) -> Path:
        """What was recorded, written when the recorder has finished."""
        return self.directory / OUTCOME

    @property
    def finish(self) -> Path:
        """Is there once the recorder is to finish."""
        return self.directory / FINISH

    @property
    def recorder(self) -> str:
        """The recorder's own unit."""
        return f"{RECORDER_PREFIX}{self.slug}.service"

    @property
    def boot_unit(self) -> str:
        """The unit that asks for the recording at the next boot."""
        return f"{BOOT_PREFIX}{self.slug}.service"

    @property
    def boot_file(self) -> Path:
        """Its file, which a reboot leaves."""
        return self.manager.control_directory / self.boot_unit

    @property
    def boot_links(self) -> list[Path]:
        """What has it start before the unit does, and at the boot if the unit does not."""
        control = self.manager.control_directory
        wanting = (self.unit, self.manager.boot_target)
        return [control / f"{each}.wants" / self.boot_unit for each in wanting]

    def boot_files(self) -> list[Path]:
        """All of a request for the next boot that there is; by the links it is found again."""
        return [path for path in (self.boot_file, *self.boot_links) if os.path.lexists(path)]

    @property
    def dropin_directory(self) -> Path:
        """Where the unit's drop-ins of this boot are."""
        return self.manager.unit_directory / f"{self.unit}.d"

    def dropins(self) -> list[Path]:
        """Those of ours that exist."""
        return sorted(self.dropin_directory.glob(f"*{DROPIN}"))

    def dropin_after(self, others: str) -> Path:
        """Make a name that sorts behind the unit's other drop-ins: the last one decides."""
        last = max((Path(path).name for path in others.split()), default="")
        name = DROPIN if last < DROPIN else f"{last.removesuffix('.conf')}~{DROPIN}"
        return self.dropin_directory / name


def recorded_units(manager: Manager) -> Iterator[RecordingFiles]:
    """Every unit that has a drop-in, recorder or request of ours, whatever state they are in."""
    base = runtime_directory(user=manager.user)
    control = manager.control_directory
    requests = control.glob(f"*.wants/{BOOT_PREFIX}*.service")
    ours = manager.unit_directory.glob(f"*.d/*{DROPIN}")
    names = {path.parent.name.removesuffix(".d") for path in ours}
    names |= {path.parent.name.removesuffix(".wants") for path in requests}
    names.discard(manager.boot_target)
    for path in sorted(base.glob(f"*/{ORDER}")) if base.is_dir() else []:
        if order := read_order(path):
            names.add(order.unit)
    return (RecordingFiles(name, manager) for name in sorted(names))
