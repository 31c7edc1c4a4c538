"""`imptrace import`: runs from files that others have written."""

import os
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imptrace.cli.options import Database
from imptrace.db.location import shown
from imptrace.render.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imptrace.log_import import Imported


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Logs that strace wrote. Of strace -ff -o NAME give NAME, or all NAME.PID.",
        ),
    ],
    *,
    database: Database = None,
    label: Annotated[str | None, typer.Option(help="A name for the run, to ask for it by.")] = None,
    service: Annotated[
        str | None, typer.Option(help="The NixOS service that the program belongs to.")
    ] = None,
    program: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The program's name, for a log that does not show its start."
        ),
    ] = None,
    cwd: Annotated[
        Path | None,
        typer.Option(
            "--cwd",
            metavar="DIR",
            help="Where strace was started: relative paths of a log without -y begin there.",
        ),
    ] = None,
    here: Annotated[
        bool,
        typer.Option(
            "--here",
            help="The log is of this machine: follow its symbolic links, and look at what the "
            "program left behind.",
        ),
    ] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Record also stat, access and readlink.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary; errors only.")] = False,
) -> None:
    """Import logs that strace wrote; each becomes a run.

    Example: strace -f -y -ttt -o firefox.log firefox; imptrace import --here firefox.log
    """
    from imptrace.db.engine import open_database
    from imptrace.log_import import LogOptions, find_logs, import_log

    logs = find_logs(files)
    options = LogOptions(
        label=label,
        service=service,
        program=program,
        cwd=None if cwd is None else os.path.abspath(os.fsencode(cwd)),
        here=here,
        stats=stats,
    )
    engine = open_database(database, create=True, read_only=False)
    with closing_engine(engine):
        for log in logs:
            with _progress(log) as advance:
                imported = import_log(engine, log, options, advance)
            if not quiet:
                _summarise(imported, database)
