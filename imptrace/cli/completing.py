"""What the shell completes: names of everything that we know. Mistakes complete to nothing.

Every command names these functions, and few are ever called: each imports what it asks.
"""

import os
import pwd
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import typer

from imptrace.db.location import ENVIRONMENT
from imptrace.errors import ImptraceError
from imptrace.facts.systemctl import answer_if_any

if TYPE_CHECKING:
    from imptrace.db.names import Row

P = ParamSpec("P")
_SYSTEMCTL_SECONDS = 2


def _quietly(complete: Callable[P, Iterable[str]]) -> Callable[P, list[str]]:
    """Nobody asked for an answer yet: what cannot be looked at is no error here."""

    @wraps(complete)
    def completed(*args: P.args, **kwargs: P.kwargs) -> list[str]:
        try:
            return list(dict.fromkeys(complete(*args, **kwargs)))
        except (ImptraceError, OSError):
            return []

    return completed


@_quietly
def runs(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Complete `latest`, labels, programs and ids of runs."""
    from imptrace.db.names import run_names

    found = _recorded_runs(context)
    names = run_names(found)
    if incomplete.isdigit():
        names += (str(number) for number, *_ in found)
    return [name for name in names if name.startswith(incomplete)]


@_quietly
def subjects(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Complete what advice is wanted of: runs, programs and, once begun, what is catalogued."""
    if "/" in incomplete or incomplete.startswith(("~", ".")):
        return []
    known = services(context, incomplete) if incomplete else []
    return [*runs(context, incomplete), *known]


@_quietly
def recorded_programs(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Complete programs of all recordings."""
    from imptrace.db import queries
    from imptrace.db.engine import reading

    with reading(_database(context)) as engine:
        found = (name.decode(errors="replace") for name in queries.executed_programs(engine))
        return [name for name in sorted(found) if name.startswith(incomplete)]


@_quietly
def recorded_units(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Complete units of all recordings."""
    from imptrace.db import queries
    from imptrace.db.engine import reading

    with reading(_database(context)) as engine:
        return [
            each for each in sorted(queries.recorded_units(engine)) if each.startswith(incomplete)
        ]


@_quietly
def commands(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Complete the program to run; its own arguments are left to the shell."""
    if context.params.get("command") or "/" in incomplete or not incomplete:
        return []
    found: set[str] = set()
    for directory in os.environ.get("PATH", "").split(":"):
        if directory and os.path.isdir(directory):
            found.update(each for each in os.listdir(directory) if each.startswith(incomplete))
    return sorted(found)


@_quietly
def services(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Complete services of the catalogue and of the recordings."""
    from imptrace.catalogue import shipped

    found = [name for entry in shipped() for name in (entry.id, *entry.aliases)]
    with suppress(ImptraceError):
        found += sorted({service for *_, service in _recorded_runs(context) if service})
    return [name for name in found if name.startswith(incomplete)]


@_quietly
def entries(incomplete: str) -> Iterable[str]:
    """Complete ids of the catalogue."""
    from imptrace.catalogue import shipped

    return [entry.id for entry in shipped() if entry.id.startswith(incomplete)]


@_quietly
def units(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Complete units of the running systemd, and the catalogue's names of services."""
    listed = answer_if_any(
        *("list-units", "--all", "--plain", "--no-legend"),
        user=bool(context.params.get("user")),
        seconds=_SYSTEMCTL_SECONDS,
    )
    known = (line.split()[0] for line in listed.splitlines() if line.strip())
    names = [name for name in known if name.endswith((".service", ".scope"))]
    return [name for name in (*names, *_catalogued()) if name.startswith(incomplete)]


@_quietly
def pids(incomplete: str) -> Iterable[str]:
    """Complete processes that one may look at."""
    return [each.name for each in _processes() if each.name.startswith(incomplete)]


@_quietly
def running_programs(incomplete: str) -> Iterable[str]:
    """Complete names of programs that run."""
    names = {os.path.basename(os.readlink(each / "exe")) for each in _processes()}
    return [name for name in sorted(names) if name.startswith(incomplete)]


@_quietly
def units_being_recorded(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Complete the units that are being recorded; any unit where none is."""
    from imptrace.record.service.manager import Manager
    from imptrace.record.service.place import recorded_units as recorded

    found = [place.unit for place in recorded(Manager(user=bool(context.params.get("user"))))]
    return [each for each in found if each.startswith(incomplete)] or units(context, incomplete)


@_quietly
def variables(incomplete: str) -> Iterable[str]:
    """Complete names of the environment."""
    return [name for name in sorted(os.environ) if name.startswith(incomplete)]


@_quietly
def catalogued_options(incomplete: str) -> Iterable[str]:
    """Complete NixOS options of the catalogue's services."""
    from imptrace.catalogue import shipped

    found = sorted({entry.option for entry in shipped() if entry.option})
    return [name for name in found if name.startswith(incomplete)]


def one_of(*words: str) -> Callable[[str], list[str]]:
    """Complete one of a few words, as times and recorders are."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete


TIMES = one_of("30s", "5m", "1h")
AGES = one_of("30d", "90d", "1y")
SPANS = one_of("12h", "1d", "7d")
SIZES = one_of("100M", "500M", "2G")


@_quietly
def users(incomplete: str) -> Iterable[str]:
    """Complete names of users."""
    return [user.pw_name for user in pwd.getpwall() if user.pw_name.startswith(incomplete)]


def _catalogued() -> list[str]:
    from imptrace.catalogue import shipped

    return [entry.id for entry in shipped() if entry.units]


def _processes() -> list[Path]:
    return [
        each
        for each in Path("/proc").iterdir()
        if each.name.isdigit() and os.access(each / "exe", os.R_OK) and _has_program(each)
    ]


def _has_program(process: Path) -> bool:
    try:
        os.readlink(process / "exe")
    except OSError:
        return False
    return True


def _recorded_runs(context: typer.Context) -> "list[Row]":
    """List the runs, of a file without all that a server or the machine's recorder needs."""
    from imptrace.db.names import runs_in_file

    found = runs_in_file(_database(context))
    if found is not None:
        return found
    from imptrace.db import queries
    from imptrace.db.engine import reading

    with reading(_database(context)) as engine:
        newest_first = reversed(queries.runs(engine))
        return [(run.id, run.program, run.label, run.service) for run in newest_first]


def _database(context: typer.Context) -> str | None:
    return context.params.get("database") or os.environ.get(ENVIRONMENT) or None
