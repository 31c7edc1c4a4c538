"""`imptrace watch` for good: its unit, and forgetting what is old."""

import os
import time
import tomllib
from collections.abc import Sequence
from importlib import resources

from imptrace.record.service.execline import quote
from imptrace.record.service.launch import this_program
from imptrace.tracer.events import Scope

KEEP = "30d"
"""How long the unit keeps what it recorded."""
RUN = "1d"
"""How long a run of the unit is: what is old is forgotten run by run."""


def unit(words: Sequence[str]) -> str:
    """Write a unit of systemd's that always runs `imptrace watch` with these options."""
    settings = resources.files("imptrace.nix").joinpath("modules", "watch.toml")
    sections = tomllib.loads(settings.read_text(encoding="utf-8"))
    command = [*this_program(), "watch", "--quiet", *words]
    start = " ".join(quote(word, literal="%$") for word in command)
    sections["Service"] = {"ExecStart": start, **sections["Service"]}
    return "\n".join(_section(name, table) for name, table in sections.items())


def _section(name: str, table: dict[str, str | int | bool]) -> str:
    lines = [f"{key}={_value(value)}\n" for key, value in table.items()]
    return f"[{name}]\n" + "".join(lines)


def _value(value: str | int | bool) -> str:  # noqa: FBT001 (a setting's value, no switch)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def forget(database: str | os.PathLike[str] | None, seconds: float) -> None:
    """Remove the machine's runs that ended longer ago; other runs stay. Raises ImptraceError."""
    # Slow to import, and only who forgets needs them.
    from imptrace.db import queries  # noqa: PLC0415
    from imptrace.db.engine import explained, open_database  # noqa: PLC0415

    oldest = time.time_ns() - int(seconds * 1e9)
    engine = open_database(database, create=True, read_only=False)
    try:
        with explained(database):
            queries.delete_runs(engine, queries.ended_before(engine, oldest, Scope.MACHINE))
    finally:
        engine.dispose()
