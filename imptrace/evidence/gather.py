"""Facts for an advice: the runs that were asked for, users, mounts, the catalogue, other programs.

Here is all the looking around that the classifier, which is pure, must not do itself.
"""

import grp
import os
import platform
import pwd
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from imptrace.catalogue import Catalogue, Entry, EntryPlace
from imptrace.db import queries
from imptrace.db.location import elsewhere
from imptrace.db.records import (
    WHOLE,
    Detail,
    Effect,
    OtherPrograms,
    Part,
    ProcessRecord,
    RunDetails,
    RunRecord,
)
from imptrace.db.uses import other_programs
from imptrace.errors import UsageError
from imptrace.evidence.links import standing_links
from imptrace.evidence.machine import Elsewhere, brought_along, joined
from imptrace.evidence.owners import owners_of_places
from imptrace.evidence.parts import (
    Wanted,
    both,
    executing,
    in_machine_runs,
    read_part,
    with_unit,
)
from imptrace.facts.paths import name_of, parent_of, parents_of
from imptrace.facts.patterns import is_called
from imptrace.facts.people import Home, is_person
from imptrace.facts.systemctl import answer_if_any, properties_in
from imptrace.facts.units import ASKED_PROPERTIES
from imptrace.judge.model import Facts, User
from imptrace.judge.names import executed_names, names_of_process
from imptrace.judge.words import is_telling
from imptrace.tracer.events import ABSENT, FileState, RunScope
from imptrace.tracer.snapshot import lstat_state

MOST_RUNS = 20
"""Runs of one program that an advice rests on, the newest: older ones tell of older versions."""
_FIRST_WORDS = 5
"""Where in a command line an interpreter has its script."""
_ORDINARY_ROOT = "root"
_FIRST_PERSON = 1000
_IN_A_HOME = re.compile(rb"/home/[^/]+/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whom advice is wanted for."""

    names: tuple[str, ...] = ()
    """Runs or programs. Nothing, and no service: the newest run."""
    service: str | None = None
    part: Part = WHOLE
    """What of runs of the whole machine is meant: all of their newest, where no run is named."""


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
    entry = _asked_entry(engine, question, catalogue)
    runs = _runs(engine, question, entry, catalogue, detail) if engine is not None else ()
    if not runs and entry is None and question.service is None:
        raise UsageError("nothing is recorded yet; begin with: imptrace run PROGRAM")
    programs = frozenset(name for run in runs for name in executed_names(run))
    entries = _entries(programs, catalogue)
    entry = entry or _entry_of(runs, entries, catalogue)
    elsewhere = joined(each for run in runs if (each := brought_along(run.run)))
    is_local = _is_local(runs)
    return Facts(
        runs=runs,
        users=_local_users(runs) if is_local else tuple(_foreign_users(runs, elsewhere)),
        groups=_groups() if is_local else elsewhere.groups,
        entry=entry,
        included=_included(entry, catalogue),
        entries=entries if entry is None or entry in entries else (entry, *entries),
        other_entries=owners_of_places(runs, _homes(runs), entries, catalogue),
        other_uses={**elsewhere.other_uses, **_other_uses(engine, runs, programs)},
        directories=_directories(runs) if is_local else elsewhere.directories,
        home=_home_of(runs) or _own_home(),
        unit_properties=_unit_properties(runs, entry),
        links=standing_links(runs, _homes(runs)) if is_local else {},
    )


def _asked_entry(
    engine: Engine | None, question: Question, catalogue: Catalogue | None
) -> Entry | None:
    """Find the entry of `--service`; without the catalogue the name is sought in the runs only."""
    if question.service is None or catalogue is None:
        return None
    try:
        return catalogue.find(question.service)
    except UsageError as error:
        if engine is None:
            raise
        if not _is_recorded(engine, question.service):
            raise UsageError(f"{error}{elsewhere(engine.url.database)}") from error
        # A unit of one's own.
        return None


def _is_recorded(engine: Engine, service: str) -> bool:
    name = _plain(service)
    labelled = (each.service for each in queries.runs(engine) if each.service)
    return name in map(_plain, (*labelled, *queries.recorded_units(engine)))


def _runs(
    engine: Engine,
    question: Question,
    entry: Entry | None,
    catalogue: Catalogue | None,
    detail: Detail,
) -> tuple[RunDetails, ...]:
    """Load the runs that were asked for, oldest first."""
    records = queries.runs(engine)
    if question.names:
        wanted = [
            each
            for name in question.names
            for each in _runs_called(engine, name, catalogue, records)
        ]
    elif question.service is not None:
        wanted = _of_service(engine, question.service, entry, records)
    elif question.part:
        wanted = in_machine_runs(records, question.part)
    else:
        wanted = [(record.id, WHOLE) for record in records[-1:]]
    scopes = {record.id: record.scope for record in records}
    found = tuple(
        run
        for number, part in sorted(dict.fromkeys(wanted), key=lambda each: each[0])
        for run in read_part(
            engine,
            (number, both(part, question.part)),
            scopes[number],
            question.service,
            detail,
        )
    )
    if found and not any(run.paths for run in found):
        _check_not_empty(engine, [number for number, _ in wanted])
    return found


def _check_not_empty(engine: Engine, run_ids: Iterable[int]) -> None:
    """Refuse runs that saw no path at all: from nothing follows nothing."""
    if not any(queries.run_details(engine, each).paths for each in run_ids):
        shown = ", ".join(map(str, run_ids))
        raise UsageError(f"run {shown} saw no path at all: record the program again")


def _runs_called(
    engine: Engine, name: str, catalogue: Catalogue | None, records: Sequence[RunRecord]
) -> list[Wanted]:
    """Find the runs of a name, which may also be the catalogue's name for a service."""
    try:
        return runs_named(engine, name, records)
    except UsageError:
        matching = catalogue.matching(name) if catalogue is not None else ()
        found = _of_service(engine, name, matching[0], records) if matching else []
        if not found:
            raise
        return found


def runs_named(engine: Engine, name: str, records: Sequence[RunRecord]) -> list[Wanted]:
    """Find the newest runs of a program or service, or the one run that a name means.

    Of runs of the whole machine it is what the program did in them.
    """
    program = os.fsencode(name)
    if not name.isdigit() and not any(record.label == name for record in records):
        found = [(record.id, WHOLE) for record in records if record.program == program]
        found = found or executing(engine, {program}, records)
        found = found or [
            (record.id, WHOLE)
            for record in records
            if record.service and _plain(record.service) == _plain(name)
        ]
        if found:
            return found[-MOST_RUNS:]
    executed = (each.decode(errors="replace") for each in queries.executed_programs(engine))
    return [(queries.resolve_run(engine, name, executed), WHOLE)]


def _of_service(
    engine: Engine, service: str, entry: Entry | None, records: Sequence[RunRecord]
) -> list[Wanted]:
    """Find the newest runs of a service: labelled so, else with its unit, else its programs."""
    names = {_plain(service)}
    programs = {os.fsencode(service)}
    units: tuple[str, ...] = ()
    if entry is not None:
        names |= {_plain(name) for name in (entry.id, *entry.aliases)}
        units = entry.units
        programs = {os.fsencode(program) for program in entry.programs}
    found = [
        (record.id, WHOLE)
        for record in records
        if record.service and (_plain(record.service) in names or _is_one(record.service, units))
    ]
    units = units or (service,)
    found = found or with_unit(engine, units, records) or executing(engine, programs, records)
    if not found and entry is None:
        known = {record.service for record in records if record.service}
        known |= {unit.removesuffix(".service") for unit in queries.recorded_units(engine)}
        hint = queries.nearest(service, known)
        other = elsewhere(engine.url.database)
        raise UsageError(f"no run of a service {service!r}; {hint}imptrace runs lists them{other}")
    return found[-MOST_RUNS:]


def _plain(service: str) -> str:
    """Make equal what means the same: a unit's name may leave out what kind it is."""
    return service.lower().removesuffix(".service")


def _is_one(service: str, units: Iterable[str]) -> bool:
    """Whether a unit is one of the catalogue's, where `*` stands for an instance."""
    return is_called(_plain(service), map(_plain, units))


def _entries(programs: Iterable[bytes], catalogue: Catalogue | None) -> tuple[Entry, ...]:
    """Every entry that one of the executed programs has."""
    if catalogue is None:
        return ()
    executed = {os.fsdecode(program) for program in programs}
    return tuple(entry for entry in catalogue if executed.intersection(entry.programs))


def _included(entry: Entry | None, catalogue: Catalogue | None) -> tuple[Entry, ...]:
    if entry is None or catalogue is None:
        return ()
    found = (catalogue.get(each, entry.place) for each in entry.includes)
    return tuple(each for each in found if each is not None)


def _entry_of(
    runs: Sequence[RunDetails], entries: Sequence[Entry], catalogue: Catalogue | None
) -> Entry | None:
    """Find the subject's own entry.

    That of the service that was named, else of the program that was run, else of the one that
    changed most.
    """
    if not runs or catalogue is None:
        return None
    newest = runs[-1]
    if newest.run.service is not None:
        of_service = catalogue.matching(newest.run.service, EntryPlace.SERVICE)
        # A unit of one's own is nobody else's, whatever its programs are.
        return of_service[0] if of_service else None
    # What somebody runs for himself keeps things in his home, which no service's option covers.
    of_person = is_person(newest.run.uid)
    fitting = [entry for entry in entries if not (of_person and entry.place is EntryPlace.SERVICE)]
    for program in (newest.run.program, *_busiest(newest)):
        name = os.fsdecode(program)
        found = next((entry for entry in fitting if name in entry.programs), None)
        if found is not None:
            return found
    return None


def _busiest(run: RunDetails) -> list[bytes]:
    """Sort the programs of a run by how many paths each left changed, most first."""
    names = {
        # A script is what was asked for; its interpreter is not.
        process.id: (script,)
        if _runs_script(process, script := run.run.program)
        else names_of_process(process)
        for process in run.processes
    }
    if run.processes:
        names[min(names)] = (run.run.program,)
    changed: Counter[bytes] = Counter()
    for path in run.paths:
        if path.effect in (Effect.CREATED, Effect.MODIFIED):
            by = {each.process for each in path.accesses}
            changed.update({name for process in by for name in names.get(process, ())})
    return [program for program, _ in changed.most_common()]


def _runs_script(process: ProcessRecord, script: bytes) -> bool:
    """Whether a process is an interpreter of the script that was run, or env on the way to it."""
    return any(name_of(word) == script for word in process.argv[1:_FIRST_WORDS])


def _is_local(runs: Iterable[RunDetails]) -> bool:
    """Whether what is on this machine says something about the runs."""
    return all(run.run.host == platform.node() for run in runs)


def _users() -> tuple[User, ...]:
    return tuple(
        User(name=user.pw_name, uid=user.pw_uid, gid=user.pw_gid, home=os.fsencode(user.pw_dir))
        for user in pwd.getpwall()
    )


def _local_users(runs: Sequence[RunDetails]) -> tuple[User, ...]:
    """Tell the users of this machine, and those of the runs whom it does not know (any longer)."""
    users = _users()
    known, homes = {user.uid for user in users}, {user.home for user in users}
    strangers = [run for run in runs if run.run.uid not in known]
    told = _foreign_users(strangers, Elsewhere()) if strangers else ()
    return (*users, *(each for each in told if each.uid not in known and each.home not in homes))


def _groups() -> dict[int, str]:
    return {group.gr_gid: group.gr_name for group in grp.getgrall()}


def _foreign_users(runs: Sequence[RunDetails], elsewhere: Elsewhere) -> list[User]:
    """Tell the users of another machine: those that came along, else those of $HOME in the runs."""
    if elsewhere.users:
        return list(elsewhere.users)
    found: dict[int, User] = {0: User(name=_ORDINARY_ROOT, uid=0, gid=0, home=b"/root")}
    for run in runs:
        for process in run.processes:
            home = process.environ.get("HOME")
            if home and (process.uid not in found or process.uid == run.run.uid):
                is_asker = process.uid == run.run.uid
                name = run.run.user if is_asker else os.fsdecode(home.rpartition(b"/")[2])
                found[process.uid] = User(name=name, uid=process.uid, gid=process.gid, home=home)
    return [*found.values(), *_by_place(runs, found)]


def _by_place(runs: Iterable[RunDetails], known: Mapping[int, User]) -> Iterator[User]:
    """Tell of homes that nothing names, by their place: /home/NAME is NAME's."""
    homes = {user.home for user in known.values()}
    uid = next((run.run.uid for run in runs if is_person(run.run.uid)), _FIRST_PERSON)
    paths = (path.path for run in runs for path in run.paths if path.effect is not None)
    for name in sorted({path.split(b"/")[2] for path in paths if _IN_A_HOME.match(path)}):
        home = b"/home/" + name
        if home not in homes:
            while uid in known:
                uid += 1
            yield User(name=os.fsdecode(name), uid=uid, gid=uid, home=home)
            uid += 1


def _home_of(runs: Sequence[RunDetails]) -> Home | None:
    """Tell the home of whoever ran the newest run."""
    if not runs:
        return None
    run = runs[-1].run
    homes = (each.environ.get("HOME") for each in runs[-1].processes if each.uid == run.uid)
    home = next((each for each in homes if each), None)
    return Home(user=run.user, path=home) if home and run.user else None


def _homes(runs: Iterable[RunDetails]) -> set[bytes]:
    """Tell the home directories of whoever ran something."""
    processes = [process for run in runs for process in run.processes]
    return {home for process in processes if (home := process.environ.get("HOME"))}


def _own_home() -> Home | None:
    try:
        user = pwd.getpwuid(os.getuid())
    except KeyError:
        return None
    return Home(user=user.pw_name, path=os.fsencode(os.environ.get("HOME") or user.pw_dir))


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
