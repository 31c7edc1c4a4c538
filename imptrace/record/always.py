"""`imptrace watch` for good: its unit, and forgetting what is old."""

import os
import re
import time
import tomllib
from collections.abc import Sequence
from importlib import resources

from imptrace.errors import UsageError
from imptrace.record.service.execline import quote
from imptrace.record.service.launch import this_program
from imptrace.tracer.events import RunScope

KEEP = "30d"
"""How long the unit keeps what it recorded."""
RUN = "1d"
"""How long a run of the unit is: what is old is forgotten run by run."""
AT_MOST = "500M"
"""How large the unit's database may become."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kMG])B?", re.ASCII)
_BYTES = {"k": 1e3, "M": 1e6, "G": 1e9}


def read_size(text: str) -> int:
    """Read a size, in bytes: 500M, 1.5G. Raises UsageError."""
    found = _SIZE.fullmatch(text)
    if found is None or not float(found[1]):
        raise UsageError(f"{text!r} is no size: write 500M or 2G")
    return int(float(found[1]) * _BYTES[found[2]])


def unit(words: Sequence[str]) -> str:
    """Write a unit of systemd's that always runs `imptrace watch` with these options."""
    settings = resources.files("imptrace.nix").joinpath("modules", "watch.toml")
    sections = tomllib.loads(settings.read_text(encoding="utf-8"))
    commands = {"ExecStart": ["watch", "--quiet", *words], "ExecStop": ["lost", "--save"]}
    lines = {key: _line([*this_program(), *command]) for key, command in commands.items()}
    # That the list of what the next boot takes cannot be saved is no failure of the service.
    lines["ExecStop"] = "-" + lines["ExecStop"]
    sections["Service"] = {**lines, **sections["Service"]}
    return "\n".join(_section(name, table) for name, table in sections.items())


def _line(command: Sequence[str]) -> str:
    return " ".join(quote(word, literal="%$") for word in command)


def _section(name: str, table: dict[str, str | int | bool]) -> str:
    lines = [f"{key}={_value(value)}\n" for key, value in table.items()]
    return f"[{name}]\n" + "".join(lines)


def _value(value: str | int | bool) -> str:  # noqa: FBT001 (a setting's value, no switch)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def prepare(database: str | os.PathLike[str] | None) -> None:
    """Make the database, or bring it up to date. Raises ImptraceError."""
    from imptrace.db.engine import writing

    with writing(database, create=True):
        pass


def forget(database: str | os.PathLike[str] | None, seconds: float) -> None:
    """Remove the machine's runs that ended longer ago; other runs stay. Raises ImptraceError."""
    from imptrace.db import queries
    from imptrace.db.engine import writing

    oldest = time.time_ns() - int(seconds * 1e9)
    with writing(database, create=True) as engine:
        queries.delete_runs(engine, queries.ended_before(engine, oldest, RunScope.MACHINE))


def bound(database: str | os.PathLike[str] | None, most: int) -> bool:
    """Remove the machine's oldest runs until the database is small enough; other runs stay.

    Whether it is: what is being recorded cannot be removed. Raises ImptraceError.
    """
    from imptrace.db import queries
    from imptrace.db.engine import compact, used_bytes, writing

    with writing(database, create=True) as engine:
        while used_bytes(engine) > most:
            old = queries.ended_before(engine, time.time_ns(), RunScope.MACHINE)[:1]
            if not old:
                return False
            queries.delete_runs(engine, old)
        compact(engine, most)
    return True
