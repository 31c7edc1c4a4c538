"""Recording a unit from its start at the next boot on: asked for now, by a unit of our own then.

What lies below /run is gone at a boot, so the request lies where `systemctl set-property` keeps
its settings. It holds none of the unit's commands: it has `imptrace service start` run before the
unit is started, which finds the unit as it is by then. The first thing that does is to remove the
request, so that one boot is recorded and no more. Until the boot nothing about the unit changes.
"""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imptrace.errors import UsageError
from imptrace.facts.file_systems import IN_MEMORY_TYPES
from imptrace.facts.paths import is_within
from imptrace.facts.systemctl import ManagerError
from imptrace.record.service.execline import quote
from imptrace.record.service.launch import handed_on, this_program
from imptrace.record.service.manager import Manager
from imptrace.record.service.place import RecordingFiles
from imptrace.record.service.recording import RecordingWish, Started, examine, start
from imptrace.tracer.mountinfo import own_mounts

_TIMEOUT = "60s"
"""How long the unit waits for us at most; then it starts unrecorded."""


@dataclass(frozen=True, slots=True)
class Requested:
    """What `request` did."""

    unit: str
    file: Path


def request(name: str, manager: Manager, wish: RecordingWish) -> Requested:
    """Have a unit recorded from its start at the next boot on, in that boot only.

    Raises UsageError where it cannot be, ManagerError where the request would not survive;
    then nothing is left behind.
    """
    unit = examine(name, manager)
    place = RecordingFiles(unit.name, manager)
    if unit.properties.get("DefaultDependencies") == "no":
        raise UsageError(
            f"{unit.name} starts so early at boot (DefaultDependencies=no) that nothing could "
            f"record it: record a restart, imptrace service start {unit.name}"
        )
    _refuse_if_volatile(manager.control_directory, unit.name)
    try:
        _write(place, wish)
        _check(place)
    except OSError as error:
        _remove(place)
        raise ManagerError(
            f"cannot write {error.filename}: {error.strerror}; without it nothing survives a "
            f"reboot, so record a restart: imptrace service start {unit.name}"
        ) from None
    except BaseException:
        _remove(place)
        raise
    return Requested(unit.name, place.boot_file)


def withdraw(place: RecordingFiles) -> bool:
    """Take the request back; answer whether there was one."""
    was_there = bool(place.boot_files())
    if was_there:
        _remove(place)
    return was_there


def start_in_this_boot(name: str, manager: Manager, wish: RecordingWish) -> Started:
    """Do what was asked for before the boot: to be called before the unit starts."""
    _remove_files(RecordingFiles(name, manager))
    return start(name, manager, wish)


def _remove(place: RecordingFiles) -> None:
    _remove_files(place)
    with contextlib.suppress(OSError):  # it holds something else
        place.directory.rmdir()
        place.directory.parent.rmdir()
    place.manager.tell("daemon-reload")


def _remove_files(place: RecordingFiles) -> None:
    for path in place.boot_files():
        path.unlink()
    for path in (*place.boot_links, place.boot_file):
        with contextlib.suppress(OSError):  # as above
            path.parent.rmdir()


def _write(place: RecordingFiles, wish: RecordingWish) -> None:
    # Its being there says that this is still the boot of the request: see _render.
    place.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    for link in place.boot_links:
        link.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        link.symlink_to(place.boot_file)
    text = _render(place, wish)
    place.boot_file.write_text(text, encoding="utf-8", errors="surrogateescape")


def _render(place: RecordingFiles, wish: RecordingWish) -> str:
    flag = ["--user"] if place.manager.user else []
    words = [*this_program(), "service", "start", *flag, "--this-boot", *_options(wish)]
    command = " ".join(quote(word, literal="%$") for word in [*words, "--", place.unit])
    environment = " ".join(quote(each, literal="%") for each in handed_on())
    lines = [
        f"# imptrace records {place.unit} from the next boot's start of it on.",
        f"# To undo: {' '.join(['imptrace service reset', *flag, place.unit])}",
        "[Unit]",
        f"Description=Have imptrace record {place.unit.replace('%', '%%')} in this boot",
        # Made when it was asked for, and gone once the machine was booted anew.
        f"ConditionPathExists=!{place.directory}",
        "DefaultDependencies=no",
        # Every unit with default dependencies starts after it, so that this makes no circle.
        "After=basic.target",
        f"Before={place.unit.replace('%', '%%')} shutdown.target",
        "Conflicts=shutdown.target",
        "",
        "[Service]",
        "Type=oneshot",
        f"TimeoutStartSec={_TIMEOUT}",
        *([f"Environment={environment}"] if environment else []),
        f"ExecStart={command}",
    ]
    return "\n".join([*lines, ""])


def _options(wish: RecordingWish) -> Sequence[str]:
    given = {"--db": wish.database, "--label": wish.label, "--recorder": wish.recorder}
    words = [f"{option}={value}" for option, value in given.items() if value is not None]
    flags = {"--stats": wish.stats, "--writes-only": wish.writes_only}
    return [*words, *(flag for flag, is_on in flags.items() if is_on)]


def _check(place: RecordingFiles) -> None:
    """Have systemd read it now, so that what it would not take is told now."""
    place.manager.tell("daemon-reload")
    wanted = place.manager.show(place.unit).get("Wants", "").split()
    if place.boot_unit not in wanted:
        raise ManagerError(f"{place.unit}: systemd does not take the request {place.boot_file}")


def _refuse_if_volatile(directory: Path, unit: str) -> None:
    """Raise ManagerError where it is plain that the directory is empty after a boot."""
    covering = os.fsencode(directory.resolve())
    mounts = [each for each in own_mounts() if is_within(covering, each.mountpoint)]
    nearest = max(mounts, key=lambda each: len(each.mountpoint), default=None)
    if nearest is not None and nearest.fstype in IN_MEMORY_TYPES:
        raise ManagerError(
            f"{directory} is on a {nearest.fstype}, which a reboot empties: record a restart "
            f"(imptrace service start {unit}), or make that directory persistent (docs/services.md)"
        )
