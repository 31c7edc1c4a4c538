"""What `service start` tells the recorder, and what the recorder tells `service finish`."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOrder:
    """A recording that was asked for."""

    unit: str
    user_manager: bool
    database: str | None
    """As --db gave it; None for the default."""
    label: str | None
    argv: tuple[str, ...]
    """The unit's main command."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Properties of the unit as they were."""
    group: tuple[str, ...] = ()
    """The path of its control group, by which the bpf recorder knows it; empty: by a shim."""
    stats: bool = False
    writes_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOutcome:
    """What came of it."""

    run: int | None
    """None: the unit never started, as far as this recorder saw."""
    predecessor: bool = False
    """A recorder before this one was killed, and left a run of its own."""
    read: int = 0
    created: int = 0
    modified: int = 0
    deleted: int = 0
    lost: int = 0
    unseen: int = 0
    failure: str | None = None
    """What could not be stored, and why."""


def write_order(path: Path, order: RecordingOrder) -> None:
    """Write it for the eyes of its owner only."""
    _write(path, asdict(order))


def read_order(path: Path) -> RecordingOrder | None:
    """Read it back; None where there is none that can be read."""
    fields = _read(path)
    try:
        return (
            None
            if fields is None
            else RecordingOrder(
                **fields | {"argv": tuple(fields["argv"]), "group": tuple(fields["group"])}
            )
        )
    except (KeyError, TypeError):
        return None


def write_outcome(path: Path, outcome: RecordingOutcome) -> None:
    """Write it so that a reader sees all of it or nothing."""
    _write(path, asdict(outcome))


def read_outcome(path: Path) -> RecordingOutcome | None:
    """Read it back; None where there is none yet."""
    fields = _read(path)
    try:
        return None if fields is None else RecordingOutcome(**fields)
    except TypeError:
        return None


def _write(path: Path, fields: Mapping[str, Any]) -> None:
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(fields, file)
    temporary.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        fields = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return fields if isinstance(fields, dict) else None
