"""`imptrace export`: evidence that can leave the machine."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json
from imptrace.errors import UsageError
from imptrace.kept.backup import BackupProgram


def export(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            autocompletion=completing.subjects,
            help="Runs (id, label, latest), or a program; with --for also services and paths.",
        ),
    ],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print exactly what would leave the machine.")
    ] = False,
    program: Annotated[
        BackupProgram | None,
        typer.Option(
            "--for", help="Write what is to be kept as a list for a backup program instead."
        ),
    ] = None,
    json: Json = False,
    database: Database = None,
) -> None:
    """Write runs as a file to attach to an issue, without names.

    The names of users, homes and hosts are replaced. Only paths that the verdicts rest
    on are in it, as JSON lines (docs/evidence.md). The names of files stay as they are: look at
    them with --dry-run.

    With --for it is the list of what to save: caches left out, secrets marked, beside a database
    the command that dumps it, where the catalogue knows one (docs/act.md).
    For restic, FILE.exclude is written beside it: what to leave out.

    Example: imptrace export networkmanager -o networkmanager.jsonl
    """
    from imptrace.cli.work import export as work

    if program is not None:
        work.backup_list(runs, program, output, database, json=json)
        return
    if dry_run is (output is not None):
        raise UsageError("name the file with --output FILE, or look first with --dry-run")
    work.export(runs, output, database, json=json)
