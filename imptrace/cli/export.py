"""`imptrace export`: evidence that can leave the machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from imptrace.catalogue import shipped
from imptrace.cli import completing
from imptrace.cli.messages import say
from imptrace.cli.options import Database
from imptrace.cli.output import write_new_file
from imptrace.db.engine import reading
from imptrace.errors import UsageError
from imptrace.evidence.export import Evidence, make_evidence
from imptrace.evidence.gather import Question, gather
from imptrace.render.words import counted


def export(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            autocompletion=completing.runs,
            help="Runs (id, label, latest), or a program.",
        ),
    ],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print exactly what would leave the machine.")
    ] = False,
    database: Database = None,
) -> None:
    """Write runs as a file to attach to an issue, without names.

    The names of users, homes and hosts are replaced. Only paths that the verdicts rest
    on are in it, as JSON lines (docs/evidence.md). The names of files stay as they are: look at
    them with --dry-run.

    Example: imptrace export networkmanager -o networkmanager.jsonl
    """
    if dry_run is (output is not None):
        raise UsageError("name the file with --output FILE, or look first with --dry-run")
    with reading(database) as engine:
        evidence = make_evidence(gather(engine, Question(names=tuple(runs)), shipped()))
    if output is None:
        sys.stdout.write(evidence.text)
    else:
        write_new_file(output, evidence.text.encode())
    _summarise(evidence)


def _summarise(evidence: Evidence) -> None:
    say(
        f"{counted(evidence.runs, 'run')}, {counted(evidence.paths, 'path')}; "
        f"{evidence.left_out:,} that no verdict rests on are left out"
    )
    if not evidence.is_faithful:
        say(
            "warning: judged without the private names, it gives another answer than here; "
            "compare both with imptrace recommend"
        )
