"""`imptrace recommend`: what to keep."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from imptrace.catalogue import shipped
from imptrace.cli import completing
from imptrace.cli.messages import say
from imptrace.cli.options import Database, Pager, keep_garbage
from imptrace.cli.output import answer, answer_json, screen
from imptrace.db.engine import NoDatabaseError, reading
from imptrace.db.records import Detail
from imptrace.errors import UsageError
from imptrace.evidence.gather import Question, gather
from imptrace.evidence.questions import questions
from imptrace.facts.levels import Level
from imptrace.judge.advise import advise
from imptrace.judge.model import Advice, Facts
from imptrace.kept.disk import survey
from imptrace.render import recommendation_json
from imptrace.render.nix import Target, nix
from imptrace.render.plan import lacks_space, plan
from imptrace.render.reasons import in_words
from imptrace.render.recommendation_text import explanation, name_of_subject, table
from imptrace.render.wholes import only

DEFAULT_PLAN_STORAGE = "/persistent"


class Format(StrEnum):
    """The form of the answer."""

    TABLE = "table"
    NIX = "nix"
    JSON = "json"
    PLAN = "plan"


class LevelName(StrEnum):
    """imptrace.facts.levels.Level, as words that typer shows; a test holds them together."""

    TRANSIENT = "transient"
    NORMAL = "normal"
    IMPORTANT = "important"
    SECRET = "secret"  # noqa: S105 (the name of a level)


def recommend(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN | PROGRAM]...",
            autocompletion=completing.runs,
            help="Runs (id, label, latest), or programs: the newest 20 runs of each together. "
            "Default: the newest run.",
            show_default=False,
        ),
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that was recorded, each under its own name.")
    ] = False,
    service: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.services,
            help="A service: id, alias, unit, option or program. May be repeated.",
        ),
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="The form of the answer.")
    ] = Format.TABLE,
    json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
    target: Annotated[
        Target | None,
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
    parts: Annotated[
        bool,
        typer.Option("--parts", help="Give a row to each path that a kept directory holds, too."),
    ] = False,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Show also what need not be kept, and why.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="PATH", help="Show the whole chain of reasons for a path.")
    ] = None,
    level: Annotated[
        LevelName | None, typer.Option(help="Only what holds something of this level or above.")
    ] = None,
    min_confidence: Annotated[
        float,
        typer.Option(
            metavar="NUMBER", min=0.0, max=1.0, help="Only what is at least so sure, 0 to 1."
        ),
    ] = 0.0,
    no_catalogue: Annotated[
        bool, typer.Option("--no-catalogue", help="Judge by what was observed alone.")
    ] = False,
    database: Database = None,
    pager: Pager = True,
) -> None:
    """Recommend what to keep, from what was recorded.

    LEVEL says how much care a path needs: transient can be made again (caches), normal is tedious
    to lose (settings), important is what people made (databases, documents), secret is keys and
    passwords. SURE says how sure it is that the path is the program's own state: very (85 % and
    more), quite (70 %), fairly (60 %), hardly; "not seen" is what the catalogue or the unit
    declares and no run has shown.

    Example: imptrace recommend firefox --format nix
    """
    keep_garbage()
    output = Format.JSON if json else output
    _check(output, target, storage, set_aside=set_aside, explain=explain, parts=parts)
    if bool(names) + bool(service) + everything > 1:
        raise UsageError("name runs or programs, or services with --service, or --all: not both")
    found = _advices(
        tuple(names or ()),
        tuple(service or ()),
        database,
        everything=everything,
        with_catalogue=not no_catalogue,
        in_full=set_aside or output is Format.JSON or explain is not None,
        with_verdicts=explain is not None,
    )
    wanted = Level(level.value) if level else None
    advices = [only(advice, wanted, min_confidence) for _, advice in found]
    for warning in _warnings(advices):
        say(warning)
    if explain is not None:
        _explain(found, explain)
    elif output is Format.JSON:
        answer_json(recommendation_json.recommendations(advices))
    elif output is Format.NIX:
        _nix(advices, target, storage)
    elif output is Format.PLAN:
        _plan(advices, [facts for facts, _ in found], storage or DEFAULT_PLAN_STORAGE)
    else:
        shown = (table(each, screen(), set_aside=set_aside, parts=parts) for each in advices)
        answer("\n\n".join(shown), pager=pager)


def _check(
    output: Format,
    target: Target | None,
    storage: str | None,
    *,
    set_aside: bool,
    explain: str | None,
    parts: bool,
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
    if (set_aside or parts) and output is not Format.TABLE:
        name = "--set-aside" if set_aside else "--parts"
        raise UsageError(f"{name} is for the table; --format json always has it")
    if explain is not None and (output is not Format.TABLE or set_aside):
        raise UsageError("--explain answers about one path: leave out --format and --set-aside")


def _advices(
    names: tuple[str, ...],
    services: tuple[str, ...],
    database: str | None,
    *,
    everything: bool,
    with_catalogue: bool,
    in_full: bool,
    with_verdicts: bool,
) -> list[tuple[Facts, Advice]]:
    """Answer about each subject of the question apart: the facts, and what follows from them."""
    catalogue = shipped() if with_catalogue else None
    detail = Detail.TIMELESS if in_full else Detail.DECISIVE
    try:
        with reading(database) as engine:
            asked = questions(engine, names, services, catalogue, everything=everything)
            gathered = [gather(engine, each, catalogue, detail) for each in asked]
    except NoDatabaseError:
        if not services or catalogue is None:
            raise
        gathered = [gather(None, Question(service=each), catalogue) for each in services]
    found = [
        (facts, advise(facts, with_declared=True, with_verdicts=with_verdicts))
        for facts in gathered
    ]
    if everything:
        return [each for each in found if each[1].recommendations] or found[:1]
    return found


def _warnings(advices: list[Advice]) -> list[str]:
    """Say what makes an answer less than certain; whose it is, where there are several."""
    return [
        f"{name_of_subject(advice)}: {in_words(each)}" if len(advices) > 1 else in_words(each)
        for advice in advices
        for each in advice.warnings
    ]


def _explain(found: list[tuple[Facts, Advice]], path: str) -> None:
    # Not resolved: a link may be the very thing that is asked about.
    name = os.fsencode(os.path.abspath(os.path.expanduser(path)))
    failure: UsageError | None = None
    texts = []
    for facts, advice in found:
        try:
            texts.append(explanation(advice, facts.runs, name, screen()))
        except UsageError as error:
            failure = error
    if not texts and failure is not None:
        raise failure
    answer("\n\n".join(texts))


def _nix(advices: list[Advice], target: Target | None, storage: str | None) -> None:
    written = nix(advices, target, os.fsencode(storage) if storage is not None else None)
    for reason in written.left_out:
        say(f"left out: {reason}")
    answer(written.text, pager=False)


def _plan(advices: list[Advice], facts: list[Facts], storage: str) -> None:
    kept = {each.path: each for advice in advices for each in advice.recommendations}
    with_replaced = any(advice.subject.option is not None for advice in advices)
    found = survey(tuple(kept.values()), os.fsencode(storage), with_replaced=with_replaced)
    lack = lacks_space(found)
    if lack is not None:
        say(lack)
    entries = [each.context.entry for each in facts if each.context.entry is not None]
    # What somebody keeps at home is no unit's of the system.
    of_system = any(each.recommendation.home is None for each in found.present)
    units = [unit for entry in entries for unit in entry.units if "*" not in unit and of_system]
    answer(plan(advices[0], found, units), pager=False)
