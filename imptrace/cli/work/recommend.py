"""What `imptrace recommend` does."""

import os
import sys
from dataclasses import dataclass

from imptrace.catalogue import shipped
from imptrace.cli.messages import say
from imptrace.cli.output import answer, answer_json, screen
from imptrace.cli.recommend import Format
from imptrace.cli.work.parts import part_of
from imptrace.db.engine import reading
from imptrace.db.location import elsewhere
from imptrace.db.records import Detail
from imptrace.db.trouble import NoDatabaseError
from imptrace.errors import UsageError
from imptrace.evidence.gather import gather
from imptrace.evidence.questions import of_catalogue, questions
from imptrace.evidence.rehearsed import with_rehearsal
from imptrace.facts.levels import Level
from imptrace.judge.advise import advise
from imptrace.judge.model import Advice, Facts
from imptrace.kept.disk import survey
from imptrace.render import recommendation_json
from imptrace.render.nix import Target, nix
from imptrace.render.plan import lacks_space, plan
from imptrace.render.reasons import in_words
from imptrace.render.text import printable
from imptrace.render.wholes import only

DEFAULT_PLAN_STORAGE = "/persistent"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendOptions:
    """The question, and the form of the answer: the options of the command, which it checked."""

    names: tuple[str, ...]
    services: tuple[str, ...]
    unit: str | None
    program: str | None
    user: str | None
    database: str | None
    everything: bool
    with_catalogue: bool
    output: Format
    target: Target | None
    storage: str | None
    parts: bool
    set_aside: bool
    explain: str | None
    level: Level | None
    min_confidence: float
    pager: bool


def recommend(wanted: RecommendOptions) -> None:
    """Answer what to keep."""
    found = _advices(wanted)
    advices = [only(advice, wanted.level, wanted.min_confidence) for _, advice in found]
    for warning in _warnings(advices):
        say(warning)
    if not any(facts.runs for facts, _ in found):
        _tell_of_the_other_database(wanted.database)
    if wanted.explain is not None:
        _explain(found, wanted.explain)
    elif wanted.output is Format.JSON:
        answer_json(recommendation_json.recommendations(advices))
    elif wanted.output is Format.NIX:
        _nix(advices, wanted.target, wanted.storage)
    elif wanted.output is Format.PLAN:
        _plan(advices, [facts for facts, _ in found], wanted.storage or DEFAULT_PLAN_STORAGE)
    else:
        from imptrace.render.recommendation_text import table

        shown = (
            table(each, screen(), set_aside=wanted.set_aside, parts=wanted.parts)
            for each in advices
        )
        answer("\n\n".join(shown), pager=wanted.pager)


def _advices(wanted: RecommendOptions) -> list[tuple[Facts, Advice]]:
    """Answer about each subject of the question apart: the facts, and what follows from them."""
    catalogue = shipped() if wanted.with_catalogue else None
    in_full = wanted.set_aside or wanted.output is Format.JSON or wanted.explain is not None
    detail = Detail.TIMELESS if in_full else Detail.DECISIVE

    def advised(facts: Facts) -> Advice:
        return advise(facts, with_declared=True, with_verdicts=wanted.explain is not None)

    try:
        with reading(wanted.database) as engine:
            asked = questions(
                engine,
                wanted.names,
                wanted.services,
                catalogue,
                part=part_of(wanted.unit, wanted.program, wanted.user),
                everything=wanted.everything,
            )
            gathered = [gather(engine, each, catalogue, detail) for each in asked]
            found = [(facts, with_rehearsal(engine, advised(facts))) for facts in gathered]
    except NoDatabaseError:
        asked = of_catalogue(wanted.names, wanted.services, catalogue)
        if not asked:
            raise
        gathered = [gather(None, each, catalogue) for each in asked]
        found = [(facts, advised(facts)) for facts in gathered]
    if wanted.everything:
        return [each for each in found if each[1].recommendations] or found[:1]
    return found


def _warnings(advices: list[Advice]) -> list[str]:
    """Say what makes an answer less than certain; whose it is, where there are several."""
    return [
        f"{printable(advice.subject.name)}: {in_words(each)}"
        if len(advices) > 1
        else in_words(each)
        for advice in advices
        for each in advice.warnings
    ]


def _tell_of_the_other_database(database: str | None) -> None:
    """Where nothing was recorded here: root's recordings are not the user's, nor the reverse."""
    other = elsewhere(database).removeprefix("; ")
    if other:
        say(other)


def _explain(found: list[tuple[Facts, Advice]], path: str) -> None:
    # Not resolved: a link may be the very thing that is asked about.
    name = os.fsencode(os.path.abspath(os.path.expanduser(path)))
    from imptrace.render.recommendation_text import explanation

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
    text, left_out = nix(advices, target, os.fsencode(storage) if storage is not None else None)
    if not sys.stdout.isatty():  # where it is, the comments of the answer are seen
        for reason in left_out:
            say(f"left out: {reason}")
    answer(text, pager=False)


def _plan(advices: list[Advice], facts: list[Facts], storage: str) -> None:
    kept = {each.path: each for advice in advices for each in advice.recommendations}
    with_replaced = any(advice.subject.option is not None for advice in advices)
    found = survey(tuple(kept.values()), os.fsencode(storage), with_replaced=with_replaced)
    lack = lacks_space(found)
    if lack is not None:
        say(lack)
    # What somebody keeps at home is no unit's of the system.
    of_system = any(each.recommendation.home is None for each in found.present)
    units = [unit for each in facts for unit in _units(each) if of_system]
    answer(plan(advices[0], found, units), pager=False)


def _units(facts: Facts) -> tuple[str, ...]:
    """Name the units whose data it is: the catalogue's, else the one that was recorded."""
    entry = facts.entry
    if entry is not None:
        return tuple(unit for unit in entry.units if "*" not in unit)
    named = {run.run.service for run in facts.runs if run.run.service}
    return tuple(sorted(name for name in named if name.endswith(".service")))
