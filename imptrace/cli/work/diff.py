"""What `imptrace diff` does."""

from pathlib import Path

from imptrace.catalogue import Entry, shipped
from imptrace.cli.messages import say
from imptrace.cli.output import answer, answer_json, screen
from imptrace.db.engine import reading
from imptrace.db.records import Detail
from imptrace.errors import UsageError
from imptrace.evidence.asked_runs import Question
from imptrace.evidence.gather import gather
from imptrace.facts.given import read_given
from imptrace.judge.advise import advise
from imptrace.judge.model import Advice, Scope
from imptrace.kept.compare import Declared, Observed, Status, compare
from imptrace.kept.declared import declared_by_configuration, declared_by_entry
from imptrace.render import comparison

SOMETHING_MISSING = 1


def diff(
    *, runs: list[str] | None, service: str, config: Path | None, json: bool, database: str | None
) -> int:
    """Do what imptrace.cli.diff was asked, where each option is explained."""
    entry = shipped().find(service)
    with reading(database) as engine:
        question = Question(names=tuple(runs or ()), service=entry.id)
        facts = gather(engine, question, shipped(), Detail.TIMELESS)
    advice = advise(facts, with_declared=False)
    observed = _observed(advice)
    differences = compare(_declared(entry, config, advice, observed), observed)
    if json:
        answer_json(comparison.as_json(differences, entry.id))
    elif differences:
        answer(comparison.table(differences, screen()))
    else:
        say("nothing observed, and nothing declared")
    return SOMETHING_MISSING if any(d.status is Status.MISSING for d in differences) else 0


def _observed(advice: Advice) -> list[Observed]:
    return [
        Observed(path=each.path, kind=each.kind, level=each.level)
        for each in advice.recommendations
        if each.scope is Scope.OWNED and each.observed
    ]


def _declared(
    entry: Entry, config: Path | None, advice: Advice, observed: list[Observed]
) -> list[Declared]:
    if config is None:
        return declared_by_entry(entry, advice.subject.home, observed)
    return declared_by_configuration(_read(config), str(config))


def _read(config: Path) -> str:
    try:
        raw = read_given("/dev/stdin" if str(config) == "-" else config)
    except OSError as error:
        raise UsageError(f"{config} cannot be read: {error.strerror}") from error
    return raw.decode(errors="surrogateescape")
