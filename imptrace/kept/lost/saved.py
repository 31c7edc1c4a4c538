"""The list of what a wipe takes, saved at shutdown for the boot after it."""

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imptrace.errors import ImptraceError
from imptrace.facts.given import read_given
from imptrace.facts.levels import Kind, Level
from imptrace.judge.model import Scope
from imptrace.kept.leaks.model import Leak
from imptrace.kept.writers import Attributed, Writer

_SCHEMA = "imptrace.saved-leaks/1"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Saved:
    """What would have been lost, and in which boot that was."""

    boot: str
    leaks: tuple[Leak, ...]

    @property
    def is_of_this_boot(self) -> bool:
        """Whether no boot, and so no wipe, has come since."""
        return self.boot == _boot()


def save(leaks: tuple[Leak, ...], file: bytes) -> None:
    """Write the list, whole or not at all. Raises ImptraceError."""
    text = json.dumps({"schema": _SCHEMA, "boot": _boot(), "leaks": [*map(_to_json, leaks)]})
    making = file + b".new"
    try:
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "w", encoding="ascii") as opened:
            opened.write(text + "\n")
            opened.flush()
            os.fsync(descriptor)
        os.replace(making, file)
    except OSError as error:
        raise ImptraceError(f"{os.fsdecode(file)} cannot be written: {error.strerror}") from error


def read_saved(file: bytes) -> Saved | None:
    """Read a list; None where there is none. Raises ImptraceError if it is something else."""
    try:
        value = json.loads(read_given(file).decode("ascii"))
        return Saved(
            str(value["boot"]), tuple(map(_from_json, {_SCHEMA: value["leaks"]}[value["schema"]]))
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ImptraceError(f"{os.fsdecode(file)} holds no list of leaks: {error}") from error


def _boot() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip()


def _to_json(leak: Leak) -> dict[str, Any]:
    return {
        "path": base64.b64encode(leak.path).decode("ascii"),
        "kind": leak.kind.value,
        "size": leak.size,
        "files": leak.files,
        "mtime_ns": leak.mtime_ns,
        "level": leak.level.value,
        "scope": leak.scope.value,
        "user": leak.user,
        "option": leak.option,
        "attributed": leak.attributed,
        "writers": [
            [None if each.program is None else os.fsdecode(each.program), each.unit, each.user]
            for each in leak.writers
        ],
    }


def _from_json(value: dict[str, Any]) -> Leak:
    return Leak(
        path=base64.b64decode(value["path"]),
        kind=Kind(value["kind"]),
        size=int(value["size"]),
        files=int(value["files"]),
        mtime_ns=int(value["mtime_ns"]),
        level=Level(value["level"]),
        scope=Scope(value["scope"]),
        user=str(value["user"]),
        writers=tuple(
            Writer(program=None if program is None else os.fsencode(program), unit=unit, user=user)
            for program, unit, user in value["writers"]
        ),
        attributed=None if value["attributed"] is None else Attributed(value["attributed"]),
        option=value["option"],
        reasons=(),
    )
