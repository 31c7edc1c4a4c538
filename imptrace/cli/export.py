"""`imptrace export`: evidence that can leave the machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from imptrace.catalogue import shipped
from imptrace.cli import completing
from imptrace.cli.asked import asked
from imptrace.cli.messages import say
from imptrace.cli.options import Database
from imptrace.cli.output import write_new_file
from imptrace.db.engine import reading
from imptrace.errors import UsageError
from imptrace.evidence.export import Evidence, make_evidence
from imptrace.evidence.gather import Question, gather
from imptrace.kept.backup import Program, backup, restic_excludes, unwritable
from imptrace.render.text import printable
from imptrace.render.words import counted


def export(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            autocompletion=completing.runs,
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
        Program | None,
        typer.Option(
            "--for", help="Write what is to be kept as a list for a backup program instead."
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Write runs as a file to attach to an issue, without names.

    The names of users, homes and hosts are replaced. Only paths that the verdicts rest
    on are in it, as JSON lines (docs/evidence.md). The names of files stay as they are: look at
    them with --dry-run.

    With --for it is the list of what to save: caches left out, secrets marked (docs/act.md).
    For restic, FILE.exclude is written beside it: what to leave out.

    Example: imptrace export networkmanager -o networkmanager.jsonl
    """
    if program is not None:
        _backup(runs, program, output, database)
        return
    if dry_run is (output is not None):
        raise UsageError("name the file with --output FILE, or look first with --dry-run")
    with reading(database) as engine:
        evidence = make_evidence(gather(engine, Question(names=tuple(runs)), shipped()))
    if output is None:
        sys.stdout.write(evidence.text)
    else:
        write_new_file(output, evidence.text.encode())
    _summarise(evidence)


def _backup(what: list[str], program: Program, output: Path | None, database: str | None) -> None:
    wanted = [each for one in asked(what, database) for each in one.recommendations]
    for path in unwritable(wanted):
        say(f"left out, since its name spans lines: {printable(path)}")
    text = _text(backup(wanted, program, what[0]))
    if output is None:
        sys.stdout.buffer.write(text)
        if program is Program.RESTIC:
            say("caches inside are left out by FILE.exclude, which --output FILE writes too")
        return
    write_new_file(output, text)
    if program is Program.RESTIC:
        _write_beside(output, _text(restic_excludes(wanted)))


def _write_beside(output: Path, excludes: bytes) -> None:
    """Write the second list, or leave none: the first one alone would save the caches."""
    try:
        write_new_file(output.with_name(f"{output.name}.exclude"), excludes)
    except UsageError:
        output.unlink(missing_ok=True)
        raise


def _text(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n"


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
