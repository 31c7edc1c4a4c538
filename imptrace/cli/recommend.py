"""`imptrace recommend`: what to keep."""

import os
import sys
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from imptrace.cli.options import Database, keep_garbage, opened
from imptrace.errors import UsageError
from imptrace.facts.levels import Level

if TYPE_CHECKING:
    from imptrace.evidence.gather import Question
    from imptrace.judge.context import Facts
    from imptrace.judge.model import Advice

DEFAULT_PLAN_STORAGE = "/persistent"


class Format(StrEnum):
    """The form of the answer."""

    TABLE = "table"
    NIX = "nix"
    JSON = "json"
    PLAN = "plan"


class NixTarget(StrEnum):
    """The module that the Nix is for; imptrace.render.nix.Target, without its imports."""

    OPTIONS = "options"
    IMPERMANENCE = "impermanence"
    HOME_MANAGER = "home-manager"
    PRESERVATION = "preservation"


class LevelName(StrEnum):
    """imptrace.facts.levels.Level, as words that typer shows."""

    TRANSIENT = "transient"
    NORMAL = "normal"
    IMPORTANT = "important"
    SECRET = "secret"  # noqa: S105 (the name of a level)


def recommend(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]... | [PROGRAM]",
            help="Runs (id, label, latest), or a program: its newest 20 runs together. "
            "Default: the newest run.",
            show_default=False,
        ),
    ] = None,
    *,
    database: Database = None,
    service: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A service: id, alias, unit, option or program."),
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="The form of the answer.")
    ] = Format.TABLE,
    target: Annotated[
        NixTarget | None,
        typer.Option(
            help="The module that --format nix writes for. Default: options for a service, else "
            "home-manager or impermanence.",
            show_default=False,
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="The store, for --format nix and plan: /persistent."),
    ] = None,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Show also what need not be kept, and why.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="PATH", help="Show the whole chain of reasons for a path.")
    ] = None,
    level: Annotated[
        LevelName | None, typer.Option(help="Only what needs at least so much care.")
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Only what is at least so sure, 0 to 1.")
    ] = 0.0,
    no_catalogue: Annotated[
        bool, typer.Option("--no-catalogue", help="Judge by what was observed alone.")
    ] = False,
) -> None:
    """Recommend what to keep, from what was recorded.

    Example: imptrace recommend firefox
    """
    keep_garbage()
    from imptrace.evidence.gather import Question

    _check(output, target, storage, set_aside=set_aside, explain=explain)
    if service is not None and names:
        raise UsageError("name runs, or a service with --service: not both")
    question = Question(names=tuple(names or ()), service=service)
    facts, advice = _advice(
        question,
        database,
        with_catalogue=not no_catalogue,
        with_set_aside=set_aside or output is Format.JSON,
        with_verdicts=explain is not None,
    )
    advice = _filtered(advice, Level(level.value) if level else None, min_confidence)
    for warning in _warnings(advice):
        _say(warning)
    if explain is not None:
        _explain(advice, facts, explain)
    elif output is Format.JSON:
        _json(advice)
    elif output is Format.NIX:
        _nix(advice, target, storage)
    elif output is Format.PLAN:
        _plan(advice, facts, storage or DEFAULT_PLAN_STORAGE)
    else:
        _table(advice, set_aside=set_aside)


def _check(
    output: Format,
    target: NixTarget | None,
    storage: str | None,
    *,
    set_aside: bool,
    explain: str | None,
) -> None:
    """Refuse options that contradict each other."""
    if target is not None and output is not Format.NIX:
        raise UsageError("--target is for --format nix")
    if storage is not None and output not in (Format.NIX, Format.PLAN):
        raise UsageError("--storage is for --format nix and --format plan")
    if storage is not None and not storage.startswith("/"):
        raise UsageError(f"--storage must be an absolute path, and {storage!r} is not")
    if storage is not None and not set(storage.strip("/").split("/")).isdisjoint(("", ".", "..")):
        raise UsageError(f"--storage must name the store itself, which {storage!r} does not")
    if set_aside and output is not Format.TABLE:
        raise UsageError("--set-aside is for the table; --format json always has it")
    if explain is not None and (output is not Format.TABLE or set_aside):
        raise UsageError("--explain answers about one path: leave out --format and --set-aside")


def _advice(
    question: "Question",
    database: str | None,
    *,
    with_catalogue: bool,
    with_set_aside: bool,
    with_verdicts: bool,
) -> "tuple[Facts, Advice]":
    from imptrace.catalogue import shipped
    from imptrace.db.engine import NoDatabaseError
    from imptrace.db.records import Detail
    from imptrace.evidence.gather import gather
    from imptrace.judge.advise import advise

    in_full = with_set_aside or with_verdicts
    detail = Detail.TIMELESS if in_full else Detail.DECISIVE
    catalogue = shipped() if with_catalogue else None
    try:
        with opened(database) as engine:
            facts = gather(engine, question, catalogue, detail)
    except NoDatabaseError:
        if question.service is None or catalogue is None:
            raise
        facts = gather(None, question, catalogue)
    with_declared = question.service is not None
    advice = advise(facts, with_declared=with_declared, with_verdicts=with_verdicts)
    return facts, advice


def _filtered(advice: "Advice", level: Level | None, min_confidence: float) -> "Advice":
    return replace(
        advice,
        recommendations=tuple(
            each
            for each in advice.recommendations
            if (level is None or each.level >= level) and each.confidence >= min_confidence
        ),
    )


def _warnings(advice: "Advice") -> list[str]:
    from imptrace.render.reasons import in_words

    return [in_words(warning) for warning in advice.warnings]


def _table(advice: "Advice", *, set_aside: bool) -> None:
    from imptrace.render.recommendation_text import table
    from imptrace.render.style import style_for

    typer.echo(table(advice, style_for(sys.stdout), set_aside=set_aside))


def _explain(advice: "Advice", facts: "Facts", path: str) -> None:
    from imptrace.render.recommendation_text import explanation
    from imptrace.render.style import style_for

    # Not resolved: a link may be the very thing that is asked about.
    name = os.fsencode(os.path.abspath(os.path.expanduser(path)))
    typer.echo(explanation(advice, facts.runs, name, style_for(sys.stdout)))


def _json(advice: "Advice") -> None:
    from imptrace.render import recommendation_json
    from imptrace.render.json_text import dump

    typer.echo(dump(recommendation_json.recommendation(advice)))


def _nix(advice: "Advice", target: NixTarget | None, storage: str | None) -> None:
    from imptrace.render.nix import Target, default_target, nix

    chosen = Target(target.value) if target is not None else default_target(advice)
    answer = nix(advice, chosen, os.fsencode(storage) if storage is not None else None)
    for reason in answer.left_out:
        _say(f"left out: {reason}")
    typer.echo(answer.text)


def _plan(advice: "Advice", facts: "Facts", storage: str) -> None:
    from imptrace.kept.disk import survey
    from imptrace.render.plan import lacks_space, plan

    found = survey(advice.recommendations, os.fsencode(storage))
    lack = lacks_space(found)
    if lack is not None:
        _say(lack)
    entry = facts.context.entry
    units = [unit for unit in entry.units if "*" not in unit] if entry is not None else []
    typer.echo(plan(advice, found, units))


def _say(text: str) -> None:
    """Tell the user something; the renderers have made it printable."""
    sys.stderr.write(f"imptrace: {text}\n")
