"""Parts of a run: what a unit, a program or a user did in it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select

from imptrace.db.codes import DONE_CODES, SCOPE_CODES, WRITE_CODES, unpack_strings
from imptrace.db.models import AccessTable, ProcessTable, RunTable
from imptrace.db.records import Part, ProcessRecord
from imptrace.facts.patterns import is_called
from imptrace.facts.programs import is_asked_shell, names_of, program_name
from imptrace.facts.units import unit_patterns
from imptrace.tracer.events import RunScope


class PartCount(NamedTuple):
    """A program as one user in one unit, and how much of a run is its own."""

    unit: str | None
    program: bytes
    uid: int
    processes: int
    changed: int
    """Paths."""
    touched: int


def belonging(processes: Sequence[ProcessRecord], part: Part) -> list[ProcessRecord]:
    """Choose the processes of a part, of all of a run in the order in which they began.

    To a program belongs what it starts as well, in its own unit, as in a run of it; but for what
    somebody types into a shell that it started.
    """
    found = processes if part.program is None else _of_program(processes, part.program)
    units = unit_patterns(part.units)
    return [
        process
        for process in found
        if (part.uid is None or process.uid == part.uid)
        and (not units or (process.unit is not None and is_called(process.unit, units)))
    ]


def _of_program(processes: Sequence[ProcessRecord], program: bytes) -> list[ProcessRecord]:
    found: dict[int, ProcessRecord] = {}
    for process in processes:
        is_it = program == process.exe or program in names_of(process.exe, process.argv)
        above = found.get(process.previous or 0) or found.get(process.parent or 0)
        is_helper = (
            above is not None
            and above.unit == process.unit
            and not is_asked_shell(process.exe, process.argv)
        )
        if is_it or is_helper:
            found[process.id] = process
    return list(found.values())


def machine_runs(connection: Connection) -> list[int]:
    """List the runs of the whole machine, oldest first."""
    of_machine = RunTable.scope == SCOPE_CODES[RunScope.MACHINE]
    return list(connection.scalars(select(RunTable.id).where(of_machine).order_by(RunTable.id)))


def counts(engine: Engine, run_id: int) -> list[PartCount]:
    """Count what each program did as each user in each unit; who changed most comes first."""
    with engine.connect() as connection:
        of_run = select(
            ProcessTable.id,
            ProcessTable.unit,
            ProcessTable.exe,
            ProcessTable.argv,
            ProcessTable.uid,
        )
        keys: dict[int, tuple[str | None, bytes, int]] = {}
        processes: dict[tuple[str | None, bytes, int], int] = {}
        for number, unit, exe, argv, uid in connection.execute(
            of_run.where(ProcessTable.run_id == run_id)
        ):
            name = shown_name(exe, unpack_strings(argv))
            if name:
                key = keys[number] = (unit, name, uid)
                processes[key] = processes.get(key, 0) + 1
        of_accesses = select(AccessTable.process_id, AccessTable.path_id).where(
            AccessTable.run_id == run_id
        )
        touched = _distinct(keys, connection.execute(of_accesses.distinct()).all())
        changing = of_accesses.where(
            AccessTable.op.in_(WRITE_CODES), AccessTable.outcome.in_(DONE_CODES)
        )
        changed = _distinct(keys, connection.execute(changing.distinct()).all())
    found = [
        PartCount(*key, count, len(changed.get(key, ())), len(touched.get(key, ())))
        for key, count in processes.items()
    ]
    return sorted(found, key=lambda part: (-part.changed, -part.touched, part.program))


def shown_name(exe: bytes, argv: Sequence[bytes]) -> bytes:
    """Name a process as people do: by its script, where it runs one."""
    names = names_of(exe, argv)
    return names[-1] if len(names) > 1 and names[-1] != names[0] and argv[1:] else program_name(exe)


def _distinct(
    keys: dict[int, tuple[str | None, bytes, int]], rows: Iterable[Sequence[int]]
) -> dict[tuple[str | None, bytes, int], set[int]]:
    found: dict[tuple[str | None, bytes, int], set[int]] = {}
    for process, path in rows:
        if process in keys:
            found.setdefault(keys[process], set()).add(path)
    return found
