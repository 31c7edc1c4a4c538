"""What `imptrace report` does."""

import os
import sys
from pathlib import Path

from imptrace.catalogue import shipped
from imptrace.cli.messages import say
from imptrace.cli.output import write_new_file
from imptrace.db.engine import reading, reading_if_there
from imptrace.db.records import Detail
from imptrace.errors import UsageError
from imptrace.evidence.asked_runs import Question
from imptrace.evidence.gather import gather
from imptrace.judge.advise import advise
from imptrace.kept.leaks.answer import LeaksQuestion, answer
from imptrace.kept.wiped import Said
from imptrace.render.report import Report, page
from imptrace.render.report.subjects import of_advice, of_leaks


def report(
    *,
    name: str | None,
    leaks: bool,
    ephemeral: list[Path] | None,
    output: Path | None,
    force: bool,
    database: str | None,
) -> None:
    """Do what imptrace.cli.report was asked, where each option is explained."""
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
