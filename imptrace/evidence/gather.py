"""Facts for an advice: the runs that were asked for, users, mounts, the catalogue, other programs.

Here is all the looking around that the classifier, which is pure, must not do itself.
"""

import platform
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Engine

from imptrace.catalogue import Catalogue, Entry
from imptrace.db.records import Detail, Effect, OtherPrograms, RunDetails
from imptrace.db.uses import other_programs
from imptrace.errors import UsageError
from imptrace.evidence.asked_runs import Question, asked_runs
from imptrace.evidence.entries import asked_entry, entries_of, entry_of, included_in
from imptrace.evidence.links import standing_links
from imptrace.evidence.machine import brought_along, joined
from imptrace.evidence.owners import owners_of_places
from imptrace.evidence.users import (
    foreign_users,
    home_of,
    homes_of,
    local_groups,
    local_users,
    own_home,
)
from imptrace.facts.paths import name_of, parent_of, parents_of
from imptrace.facts.systemctl import answer_if_any, properties_in
from imptrace.facts.units import ASKED_PROPERTIES
from imptrace.judge.model import Facts
from imptrace.judge.names import executed_names
from imptrace.judge.words import is_telling
from imptrace.tracer.events import ABSENT, FileState, RunScope
from imptrace.tracer.snapshot import lstat_state


def gather(
    engine: Engine | None,
    question: Question,
    catalogue: Catalogue | None,
    detail: Detail = Detail.EXACT,
) -> Facts:
    """Collect the facts that `question` is about. `engine`: None where nothing was ever recorded.

    `detail`: DECISIVE leads to the same recommendations, but not all that was set aside is known.

    Raises UsageError, with the nearest names, for a run, program or service that is not there.
    """
    entry = asked_entry(engine, question, catalogue)
    runs = asked_runs(engine, question, entry, catalogue, detail) if engine is not None else ()
    if not runs and entry is None and question.service is None:
        raise UsageError("nothing is recorded yet; begin with: imptrace run PROGRAM")
    programs = frozenset(name for run in runs for name in executed_names(run))
    entries = entries_of(programs, catalogue)
    entry = entry or entry_of(runs, entries, catalogue)
    elsewhere = joined(each for run in runs if (each := brought_along(run.run)))
    is_local = _is_local(runs)
    return Facts(
        runs=runs,
        users=local_users(runs) if is_local else tuple(foreign_users(runs, elsewhere)),
        groups=local_groups() if is_local else elsewhere.groups,
        entry=entry,
        included=included_in(entry, catalogue),
        entries=entries if entry is None or entry in entries else (entry, *entries),
        other_entries=owners_of_places(runs, homes_of(runs), entries, catalogue),
        other_uses={**elsewhere.other_uses, **_other_uses(engine, runs, programs)},
        directories=_directories(runs) if is_local else elsewhere.directories,
        home=home_of(runs) or own_home(),
        unit_properties=_unit_properties(runs, entry),
        links=standing_links(runs, homes_of(runs)) if is_local else {},
    )


def _is_local(runs: Iterable[RunDetails]) -> bool:
    """Whether what is on this machine says something about the runs."""
    return all(run.run.host == platform.node() for run in runs)


def _other_uses(
    engine: Engine | None, runs: Sequence[RunDetails], programs: frozenset[bytes]
) -> Mapping[bytes, OtherPrograms]:
    if engine is None or not runs:
        return {}
    left = {
        path.path
        for run in runs
        for path in run.paths
        if path.effect in (Effect.CREATED, Effect.MODIFIED)
    }
    return other_programs(
        engine,
        left,
        runs=frozenset(run.run.id for run in runs if run.run.scope is not RunScope.MACHINE),
        processes=frozenset(
            (run.run.id, process.id)
            for run in runs
            if run.run.scope is RunScope.MACHINE
            for process in run.processes
        ),
        programs=programs,
    )


def _directories(runs: Iterable[RunDetails]) -> dict[bytes, FileState]:
    """Look at the directories above what was changed, as they are now.

    So at what was read there and may be a secret: nobody recorded the mode of what is only read.
    """
    runs = tuple(runs)
    changed = {path.path for run in runs for path in run.paths if path.effect is not None}
    above = {parent for path in changed for parent in parents_of(path)}
    beside = {
        path.path
        for run in runs
        for path in run.paths
        if path.effect is None and is_telling(name_of(path.path)) and parent_of(path.path) in above
    }
    wanted = above | beside
    return {path: state for path in wanted if (state := lstat_state(path)) and state != ABSENT}


def _unit_properties(runs: Sequence[RunDetails], entry: Entry | None) -> Mapping[str, str]:
    """Tell what the unit declares: as recorded with the newest run, else as systemd says now."""
    recorded = (run.run.properties for run in reversed(runs))
    found = next((properties for properties in recorded if properties), None)
    if found is not None:
        return found
    units = [unit for unit in entry.units if "*" not in unit] if entry is not None else []
    if not units and runs and runs[-1].run.service is not None:
        units = [runs[-1].run.service]
    return _ask_systemd(units[0]) if units else {}


def _ask_systemd(unit: str) -> dict[str, str]:
    """Ask the running systemd; nothing is declared where there is none, or no such unit."""
    asked = f"--property={','.join(ASKED_PROPERTIES)}"
    shown = properties_in(answer_if_any("show", asked, "--", unit))
    found = {key: value for key, value in shown.items() if value}
    # Of a unit that is not there systemd shows the defaults.
    return found if found.get("LoadState") == "loaded" else {}
