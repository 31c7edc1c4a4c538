"""`imptrace export`: evidence that can leave the machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imptrace.cli.options import Database, opened
from imptrace.errors import UsageError

if TYPE_CHECKING:
    from imptrace.evidence.export import Evidence


def export(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Runs (id, label, latest), or a program."),
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
    """Write runs as a file to attach to an issue, without names of users, homes and hosts.

    Only paths that the verdicts rest on are in it, as JSON lines (docs/evidence.md). The names of
    files stay as they are: look at them with --dry-run.

    Example: imptrace export networkmanager -o networkmanager.jsonl
    """
    from imptrace.catalogue import shipped
    from imptrace.cli.new_file import write_new_file
    from imptrace.evidence.export import make_evidence
    from imptrace.evidence.gather import Question, gather

    if dry_run is (output is not None):
        raise UsageError("name the file with --output FILE, or look first with --dry-run")
    with opened(database) as engine:
        evidence = make_evidence(gather(engine, Question(names=tuple(runs)), shipped()))
    if output is None:
        typer.echo(evidence.text, nl=False)
    else:
        write_new_file(output, evidence.text.encode())
    _summarise(evidence)


def _summarise(evidence: "Evidence") -> None:
    runs = "1 run" if evidence.runs == 1 else f"{evidence.runs} runs"
    typer.echo(
        f"imptrace: {runs}, {evidence.paths:,} paths; {evidence.left_out:,} that no verdict rests "
        "on are left out",
        err=True,
    )
    if not evidence.is_faithful:
        typer.echo(
            "imptrace: warning: judged without the private names, it gives another answer than "
            "here; compare both with imptrace recommend",
            err=True,
        )
