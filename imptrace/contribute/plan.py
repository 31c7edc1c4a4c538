"""From recordings to a change with its message, ready to be committed, and what comes then."""

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Engine

from imptrace.catalogue import Catalogue, Entry, EntryPlace
from imptrace.contribute.layouts.catalogue import CatalogueLayout
from imptrace.contribute.layouts.nixos_impermanence import ImpermanenceLayout
from imptrace.contribute.message import compose
from imptrace.contribute.proposal import Change, HeldBack, Layout, Proposal, shown
from imptrace.contribute.repository import (
    CommittedFiles,
    Repository,
    RepositoryError,
    open_repository,
)
from imptrace.contribute.selection import Rules, Selection, select
from imptrace.db.location import elsewhere
from imptrace.db.location import shown as located
from imptrace.db.records import Detail
from imptrace.errors import UsageError
from imptrace.evidence.asked_runs import Question
from imptrace.evidence.gather import gather
from imptrace.evidence.provenance import Provenance, private_names_of, provenance
from imptrace.evidence.rehearsed import CAME_BACK, with_rehearsal
from imptrace.facts.units import own_dropins
from imptrace.judge.advise import advise

LAYOUTS = (CatalogueLayout, ImpermanenceLayout)

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_OPTION = re.compile(r"[A-Za-z_][A-Za-z0-9_'-]*(\.[A-Za-z_][A-Za-z0-9_'-]*)+")
_LONGEST_ID = 64
_GITHUB = re.compile(r"(?:^|[/@.])github\.com[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service that a contribution is for."""

    id: str
    title: str
    option: str
    enable: tuple[str, ...]
    place: EntryPlace = EntryPlace.SERVICE
    units: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """All that is to be done in a repository."""

    service: Service
    layout: str
    change: Change
    message: str

    @property
    def branch(self) -> str:
        """The name of the branch, unless another one is asked for."""
        return f"{self.service.id}-persistence"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionRequest:
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


def assemble(engine: Engine, request: ContributionRequest, catalogue: Catalogue) -> Assembled:
    """Judge the recordings and work out the change. Raises UsageError; changes nothing."""
    repository = open_repository(request.repository)
    entry = _entry(request, catalogue)
    service = service_of(request.service, entry, request.option)
    question = Question(names=request.runs, service=entry.id if entry else request.service)
    facts = gather(engine, question, catalogue if entry else None, Detail.TIMELESS)
    if not facts.runs:
        place = engine.url.database
        raise UsageError(
            f"nothing to contribute: no run of {shown(service.id)} is in {located(place)}; record "
            f"one: imptrace service start {service.id}, or imptrace run --service {service.id} "
            f"PROGRAM{elsewhere(place)}"
        )
    rules = Rules(
        place=service.place,
        entry=entry,
        shared=request.shared,
        private=private_names_of(facts.runs),
        has_own_dropins=any(own_dropins(run.run.properties) for run in facts.runs),
    )
    selection = select(advise(facts, with_declared=False), rules)
    whole = with_rehearsal(engine, advise(facts, with_declared=True))
    origin = provenance(facts.runs, service.programs)
    if whole.rehearsed is not None and whole.rehearsed.is_current:
        origin = replace(origin, rehearsed=whole.rehearsed.verdict == CAME_BACK)
    contribution = plan(repository, service, selection, origin)
    return Assembled(
        repository=repository,
        contribution=contribution,
        held_back=(*selection.held_back, *contribution.change.held_back),
    )


def _entry(request: ContributionRequest, catalogue: Catalogue) -> Entry | None:
    """Find the service in the catalogue; one that is not there must come with its option."""
    if request.option is None or catalogue.matching(request.service):
        return _found(request, catalogue)
    return None


def _found(request: ContributionRequest, catalogue: Catalogue) -> Entry:
    try:
        return catalogue.find(request.service)
    except UsageError as error:
        raise UsageError(
            f"{error}; a service that is new is named by --option as well, like "
            "--option services.foo"
        ) from error


def service_of(name: str, entry: Entry | None, option: str | None) -> Service:
    """Settle name and option of a service. Raises UsageError where one is missing or hostile."""
    if entry is None and (len(name) > _LONGEST_ID or not _ID.fullmatch(name)):
        raise UsageError(
            f"{shown(name)} is no name for a service: use lower case letters, digits and dashes"
        )
    if option is not None and not _OPTION.fullmatch(option):
        raise UsageError(f"{shown(option)} is no option path: give it like --option services.foo")
    found = option or (entry.option if entry else None)
    service_id = entry.id if entry else name
    if found is None:
        raise UsageError(
            f"the option of {shown(service_id)} is not known: name it, like "
            f"--option services.{service_id}"
        )
    if entry is None or option is not None:
        enable: tuple[str, ...] = (f"{found}.enable",)
    else:
        enable = entry.enable
    return Service(
        id=service_id,
        title=entry.title if entry else service_id,
        option=found,
        enable=enable,
        place=entry.place if entry else EntryPlace.SERVICE,
        units=entry.units if entry else (),
        programs=entry.programs if entry else (),
    )


def recognise(snapshot: CommittedFiles) -> Layout:
    """Find out how a repository is laid out. Raises RepositoryError for an unknown layout."""
    for layout in LAYOUTS:
        if layout.fits(snapshot):
            return layout(snapshot)
    looked_for = "; ".join(f"{layout.looked_for} ({layout.name})" for layout in LAYOUTS)
    raise RepositoryError(f"this repository has no layout that is known; looked for {looked_for}")


def plan(
    repository: Repository,
    service: Service,
    selection: Selection,
    came_from: Provenance,
) -> Contribution:
    """Work out the whole contribution. Raises UsageError if there is nothing to contribute."""
    snapshot = repository.snapshot()
    layout = recognise(snapshot)
    if not selection.paths:
        raise UsageError(f"nothing to contribute: {_why_nothing(service, selection)}")
    proposal = Proposal(
        service=service.id,
        title=service.title,
        option=service.option,
        enable=service.enable,
        paths=selection.paths,
        place=service.place,
        units=service.units,
        programs=service.programs,
    )
    change = layout.plan(proposal)
    if not change.files:
        raise UsageError(f"nothing to contribute: {_why_no_change(service, change)}")
    # What was seen and is held back for another reason was observed all the same.
    seen = {each.path for each in selection.held_back}
    unobserved = tuple(each for each in change.unobserved if os.fsdecode(each.path) not in seen)
    change = replace(change, unobserved=unobserved)
    repository.check_untracked(change.files)
    message = compose(proposal, change, came_from, repository.subjects())
    return Contribution(service=service, layout=layout.name, change=change, message=message)


def _why_nothing(service: Service, selection: Selection) -> str:
    held_back = selection.held_back
    if not held_back:
        return (
            f"no recording shows what {shown(service.id)} keeps; name the run, or record one with "
            f"`imptrace run --service {service.id}`"
        )
    more = f" ({len(held_back) - 1} more are held back)" if len(held_back) > 1 else ""
    return f"{shown(held_back[0].path)} is held back: {held_back[0].why}{more}"


def _why_no_change(service: Service, change: Change) -> str:
    if change.held_back:
        return f"{shown(change.held_back[0].path)} is held back: {change.held_back[0].why}"
    kept = (
        f"the repository keeps all that was observed of {shown(service.id)}; the evidence helps "
        f"all the same, as a file for an issue: imptrace export {service.id} -o {service.id}.jsonl"
    )
    for each in change.other_levels:
        if each.declared and each.observed:
            there, here = each.declared.level, each.observed.level
            return f"{kept}; {shown(each.path)} at level {there}, which was observed as {here}"
    return kept


def next_steps(repository: Repository, branch: str) -> list[str]:
    """List the commands, ready to be pasted into a shell."""
    directory, name = shlex.quote(str(repository.top)), shlex.quote(branch)
    steps = [f"git -C {directory} show {name}"]
    upstream = repository.remote()
    if upstream is None:
        steps.append(f"git -C {directory} remote add origin URL")
        return [*steps, f"git -C {directory} push --set-upstream origin {name}"]
    project = _GITHUB.search(repository.remote_url(upstream))
    fork = repository.fork(upstream)
    if project is None or fork is not None:
        pushed_to = shlex.quote(fork or upstream)
        steps.append(f"git -C {directory} push --set-upstream {pushed_to} {name}")
    else:
        # Few may push upstream; a fork is made once, and is nothing where it is there already.
        steps.append(f"cd {directory} && gh repo fork --remote --remote-name fork")
        steps.append(f"git -C {directory} push --set-upstream fork {name}")
    if project is not None:
        head = f'"$(gh api user --jq .login):"{name}'
        steps.append(f"gh pr create --repo {project['name']} --head {head} --fill")
    return steps
