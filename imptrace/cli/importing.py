"""`imptrace import`: runs from files that others have written."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli.options import Database, Json, Label, Quiet, Service, Stats


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Logs that strace wrote (of strace -ff -o NAME give NAME, or all NAME.PID), or "
            "evidence files.",
        ),
    ],
    *,
    database: Database = None,
    label: Label = None,
    service: Service = None,
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
    stats: Stats = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Import logs that strace wrote, and evidence files.

    Each run in them becomes one here.

    Example: strace -f -y -ttt -o firefox.log firefox; imptrace import --here firefox.log
    """
    from imptrace.cli.work import importing as work

    work.import_(
        files=files,
        database=database,
        label=label,
        service=service,
        program=program,
        cwd=cwd,
        here=here,
        stats=stats,
        quiet=quiet,
        json=json,
    )
