"""`imptrace report`: one page of HTML."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from imptrace.catalogue import shipped
from imptrace.cli import completing
from imptrace.cli.messages import say
from imptrace.cli.options import Database
from imptrace.cli.output import write_new_file
from imptrace.db.engine import reading, reading_if_there
from imptrace.db.records import Detail
from imptrace.errors import UsageError
from imptrace.evidence.gather import Question, gather
from imptrace.judge.advise import advise
from imptrace.kept.leaks.answer import Question as LeaksQuestion
from imptrace.kept.leaks.answer import answer
from imptrace.kept.wiped import Said
from imptrace.render.report import Report, page
from imptrace.render.report.subjects import of_advice, of_leaks


def report(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN | PROGRAM]",
            autocompletion=completing.runs,
            help="A run, or a program's newest runs. Default: the newest run.",
        ),
    ] = None,
    *,
    leaks: Annotated[bool, typer.Option("--leaks", help="Tell what the next boot takes.")] = False,
    ephemeral: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="With --leaks: the next boot wipes this directory."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The page. Default: stdout."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    database: Database = None,
) -> None:
    """Write one page of HTML: what matters and why, who changed it, and when.

    Example: imptrace report firefox -o firefox.html
    """
    if leaks and name is not None:
        raise UsageError("a run or program and --leaks exclude each other")
    if ephemeral and not leaks:
        raise UsageError("--ephemeral is for --leaks")
    if leaks:
        said = Said(ephemeral=tuple(os.path.abspath(os.fsencode(each)) for each in ephemeral or ()))
        with reading_if_there(database) as engine:
            made = of_leaks(answer(LeaksQuestion(said=said, detailed=True), engine))
    else:
        made = _of_runs(name, database)
    text = page(made).encode()
    if output is None:
        sys.stdout.buffer.write(text)
        return
    if force:
        output.unlink(missing_ok=True)
    write_new_file(output, text)
    say(f"{output}: open it in any browser")


def _of_runs(name: str | None, database: str | None) -> Report:
    names = () if name is None else (name,)
    with reading(database) as engine:
        facts = gather(engine, Question(names=names), shipped(), Detail.EXACT)
    return of_advice(facts.runs, advise(facts, with_verdicts=True))
