"""What works here, and what to do about the rest. Each check tries the thing itself."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from imptrace.db.location import shown, unwritable
from imptrace.errors import ImptraceError
from imptrace.facts.commands import answer_if_any
from imptrace.tracer import targets
from imptrace.tracer.permission import is_privileged, yama_refusal, yama_scope
from imptrace.tracer.recorder import (
    RECORDERS,
    AttachError,
    RecorderInfo,
    RecorderOptions,
    find_recorder,
)


class Health(StrEnum):
    """How a check came out."""

    OK = "ok"
    LIMITED = "limited"
    """Works with a limit that the text names."""
    MISSING = "missing"
    """Optional, and not there."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check."""

    name: str
    health: Health
    text: str
    """What was found."""
    remedy: str | None = None
    """What to do about it."""


def examine(database: str | None) -> Iterator[Check]:
    """Try everything, one after the other."""
    yield from (_recorder(info) for info in RECORDERS if info.probes)
    yield _attaching()
    yield _privilege()
    yield _database(database)
    yield _tool(
        "strace", "logs for `imptrace import` can be recorded here", _version("strace", "-V")
    )
    yield _tool("nix-instantiate", "rendered Nix can be checked", _version("nix-instantiate"))
    yield _systemd()


def _recorder(info: RecorderInfo) -> Check:
    name = f"recorder {info.name}"
    try:
        text = info.probe()
    except ImptraceError as error:
        # One that only root can use is no fault where another works.
        health = Health.LIMITED if info.privileged and not is_privileged() else Health.BROKEN
        if info.is_asked and not info.load().is_there():
            health = Health.MISSING
        return Check(name=name, health=health, text=str(error), remedy=f"needs {info.needs}")
    return Check(name=name, health=Health.OK, text=f"{text}, Linux {os.uname().release}")


def _attaching() -> Check:
    """Attach to a process, and let go of it."""
    name = "attach"
    if refusal := yama_refusal():
        return Check(name=name, health=Health.BROKEN, text=refusal)
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            find_recorder("ptrace").attach([process.pid], RecorderOptions()).close()
        except AttachError as error:
            return Check(
                name=name, health=Health.BROKEN, text=str(targets.refusal(error.pid, error.errno))
            )
        answer, _ = process.communicate(b"still here")
    if answer != b"still here":
        return Check(name=name, health=Health.BROKEN, text="a process did not go on after it")
    whose = "to any process" if is_privileged() else "to your own processes"
    return Check(name=name, health=Health.OK, text=f"imptrace attach works, {whose}")


def _privilege() -> Check:
    scope = yama_scope()
    if is_privileged():
        return Check(
            name="privilege", health=Health.OK, text="root: every process can be read, sudo works"
        )
    limits = "setuid programs lose their privilege, agents that hide cannot be read"
    if scope:
        limits += f"; Yama's ptrace_scope is {scope}: only programs that imptrace started"
    return Check(
        name="privilege",
        health=Health.LIMITED,
        text=f"an ordinary user: {limits}",
        remedy="where that matters: sudo imptrace run --user $USER PROGRAM",
    )


def _database(place: str | None) -> Check:
    from imptrace.db import queries
    from imptrace.db.engine import reading
    from imptrace.db.trouble import NoDatabaseError

    if trouble := unwritable(place):
        # What cannot be made holds nothing yet.
        is_there = "may not be written" in trouble
        remedy = ("what is in it can be read; " if is_there else "") + (
            "to record: --db, or IMPTRACE_DB"
        )
        return Check(name="database", health=Health.BROKEN, text=trouble, remedy=remedy)
    try:
        with reading(place) as engine:
            count = len(queries.runs(engine))
    except NoDatabaseError:
        text = f"none yet at {shown(place)}: the first run makes it"
        return Check(name="database", health=Health.OK, text=text)
    except ImptraceError as error:
        return Check(
            name="database", health=Health.BROKEN, text=str(error), remedy="or name another: --db"
        )
    runs = "1 run" if count == 1 else f"{count:,} runs"
    return Check(name="database", health=Health.OK, text=f"{shown(place)}: {runs}")


def _tool(name: str, use: str, version: Callable[[], str]) -> Check:
    if shutil.which(name) is None:
        return Check(name=name, health=Health.MISSING, text="not installed", remedy=f"then {use}")
    return Check(name=name, health=Health.OK, text=f"{version()}: {use}")


def _version(name: str, option: str = "--version") -> Callable[[], str]:
    def ask() -> str:
        lines = answer_if_any(name, option).decode(errors="replace").splitlines()
        return lines[0] if lines else "there"

    return ask


def _systemd() -> Check:
    if Path("/run/systemd/system").is_dir():
        return Check(name="systemd", health=Health.OK, text="services can be recorded")
    return Check(
        name="systemd",
        health=Health.MISSING,
        text="not running here",
        remedy="`imptrace service` needs it; `imptrace run --service NAME` does not",
    )
