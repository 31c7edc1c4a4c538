"""A unit as systemd has it loaded, and whether it can be recorded."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from imptrace.errors import UsageError
from imptrace.facts.units import RUN_PROPERTIES
from imptrace.record.service.execline import ExecLine, ExecLineError, read_exec_lines
from imptrace.record.service.manager import Manager

RECORDER_PREFIX = "imptrace-record-"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that can be recorded, as systemd has it loaded."""

    name: str
    properties: Mapping[str, str]
    lines: Mapping[str, tuple[ExecLine, ...]]
    """Its commands as they are without us, by key; programs as absolute paths."""

    @property
    def is_active(self) -> bool:
        """Whether it runs, or is about to."""
        return self.properties.get("ActiveState") in ("active", "activating", "reloading")

    @property
    def is_running(self) -> bool:
        """Whether it has processes that a restart would end."""
        return self.is_active and self.properties.get("SubState") != "exited"

    @property
    def facts(self) -> dict[str, str]:
        """The properties that a run keeps."""
        return {name: self.properties[name] for name in RUN_PROPERTIES if self.properties.get(name)}


def load_unit(name: str, manager: Manager) -> Unit:
    """Read a unit that exists. Raises UsageError where it cannot be recorded."""
    properties = manager.show(name)
    name = properties.get("Id", name)
    if problem := _problem(name, properties):
        raise UsageError(problem)
    try:
        lines = read_exec_lines(_texts(properties))
    except ExecLineError as error:
        raise UsageError(f"{name}: {error}") from None
    if not any(lines.values()):
        raise UsageError(f"{name} has no processes: there is nothing to record")
    search = properties.get("ExecSearchPath", manager.search_path()).split(":")
    absolute = {
        key: tuple(_with_absolute_path(line, search) for line in found)
        for key, found in lines.items()
    }
    return Unit(name, properties, absolute)


def _problem(name: str, properties: Mapping[str, str]) -> str | None:
    state = properties.get("LoadState")
    if state == "masked":
        return f"{name} is masked: it never starts (systemctl unmask {name})"
    if state != "loaded":
        return f"{name} cannot be loaded ({state}): see systemctl status {name}"
    if properties.get("Transient") == "yes":
        return f"{name} is transient and cannot be restarted: use imptrace attach --unit {name}"
    if name.startswith(RECORDER_PREFIX):
        return f"{name} is a recorder of imptrace itself"
    return None


def _texts(properties: Mapping[str, str]) -> list[str]:
    """Read the unit's files in the order in which systemd applies them."""
    paths = [properties.get("FragmentPath", ""), *properties.get("DropInPaths", "").split()]
    return [_read(Path(path)) for path in paths if path]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"cannot read the unit file {path}: {error.strerror}") from None


def _with_absolute_path(line: ExecLine, search: Iterable[str]) -> ExecLine:
    if "/" in line.path or line.path.startswith("%"):
        return line
    found = (f"{directory}/{line.path}" for directory in search)
    path = next((each for each in found if os.access(each, os.X_OK)), None)
    if path is None:
        return line
    return replace(line, path=path, argv0=line.argv0 or line.program_word)
