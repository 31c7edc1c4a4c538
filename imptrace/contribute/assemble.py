"""Everything from the database to the contribution, in one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from imptrace.catalogue import Catalogue, Entry
from imptrace.contribute.plan import Contribution, plan, service_of
from imptrace.contribute.proposal import HeldBack
from imptrace.contribute.repository import Repository, open_repository
from imptrace.contribute.selection import Rules, select
from imptrace.db.records import Detail
from imptrace.errors import UsageError
from imptrace.evidence.gather import Question, gather
from imptrace.evidence.provenance import private_names_of, provenance
from imptrace.judge.advise import advise


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody wants to contribute, and to which repository."""

    service: str
    runs: tuple[str, ...]
    repository: Path
    option: str | None = None
    shared: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A contribution and where it goes; nothing has been written yet."""

    repository: Repository
    contribution: Contribution
    held_back: Sequence[HeldBack]


def assemble(engine: Engine, request: Request, catalogue: Catalogue) -> Assembled:
    """Judge the recordings and work out the change. Raises UsageError; changes nothing."""
    repository = open_repository(request.repository)
    entry = _entry(request, catalogue)
    service = service_of(request.service, entry, request.option)
    question = Question(names=request.runs, service=entry.id if entry else request.service)
    facts = gather(engine, question, catalogue if entry else None, Detail.TIMELESS)
    rules = Rules(
        place=service.place,
        entry=entry,
        shared=request.shared,
        private=private_names_of(facts.runs),
    )
    selection = select(advise(facts, with_declared=False), rules)
    contribution = plan(repository, service, selection, provenance(facts.runs, service.programs))
    return Assembled(
        repository=repository,
        contribution=contribution,
        held_back=(*selection.held_back, *contribution.change.held_back),
    )


def _entry(request: Request, catalogue: Catalogue) -> Entry | None:
    """Find the service in the catalogue; one that is not there must come with its option."""
    if request.option is None or catalogue.matching(request.service):
        return _found(request, catalogue)
    return None


def _found(request: Request, catalogue: Catalogue) -> Entry:
    try:
        return catalogue.find(request.service)
    except UsageError as error:
        raise UsageError(
            f"{error}; a service that is new is named by --option as well, like "
            "--option services.foo"
        ) from error
