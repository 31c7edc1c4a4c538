"""Which entries of the catalogue are the subject's: of what was asked for, and of what ran."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Engine

from imptrace.catalogue import Catalogue, Entry, EntryPlace
from imptrace.db.location import elsewhere
from imptrace.db.records import Effect, ProcessRecord, RunDetails
from imptrace.errors import UsageError
from imptrace.evidence.asked_runs import Question, is_recorded
from imptrace.facts.paths import name_of
from imptrace.facts.people import is_person
from imptrace.judge.names import names_of_process

_FIRST_WORDS = 5
"""Where in a command line an interpreter has its script."""


def asked_entry(
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
        if not is_recorded(engine, question.service):
            raise UsageError(f"{error}{elsewhere(engine.url.database)}") from error
        # A unit of one's own.
        return None


def entries_of(programs: Iterable[bytes], catalogue: Catalogue | None) -> tuple[Entry, ...]:
    """Every entry that one of the executed programs has."""
    if catalogue is None:
        return ()
    executed = {os.fsdecode(program) for program in programs}
    return tuple(entry for entry in catalogue if executed.intersection(entry.programs))


def included_in(entry: Entry | None, catalogue: Catalogue | None) -> tuple[Entry, ...]:
    """Find the entries of what the subject brings with it."""
    if entry is None or catalogue is None:
        return ()
    found = (catalogue.get(each, entry.place) for each in entry.includes)
    return tuple(each for each in found if each is not None)


def entry_of(
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
