"""`imptrace attach`: record what already runs."""

from typing import Annotated

import typer

from imptrace.catalogue import shipped
from imptrace.cli import completing
from imptrace.cli.messages import say, summarise
from imptrace.cli.naming import check_label, check_service
from imptrace.cli.options import Database, Label, Quiet, Service, Stats
from imptrace.errors import UsageError
from imptrace.record import terminal
from imptrace.record.attach import (
    Choice,
    begin,
    chosen_by_name,
    chosen_by_pid,
    chosen_by_unit,
    read_duration,
)
from imptrace.record.session import RecordingRequest, Session
from imptrace.tracer.events import RunScope
from imptrace.tracer.recorder import ATTACHERS, AUTO, RecorderOptions


def attach(
    pids: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="[PID]...",
            min=1,
            autocompletion=completing.pids,
            help="Processes to attach to.",
        ),
    ] = None,
    *,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.units,
            help="All processes of a systemd unit, or catalogue name.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="PROGRAM",
            autocompletion=completing.running_programs,
            help="All processes of a program.",
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="TIME",
            autocompletion=completing.TIMES,
            help="Let go after this time: 30s, 5m, 1h.",
        ),
    ] = None,
    database: Database = None,
    label: Label = None,
    service: Service = None,
    writes_only: Annotated[
        bool, typer.Option("--writes-only", help="Record only what can change a file.")
    ] = False,
    stats: Stats = False,
    recorder: Annotated[
        str,
        typer.Option(
            metavar="|".join([AUTO, *ATTACHERS]),
            autocompletion=completing.one_of(AUTO, *ATTACHERS),
            help="How accesses are seen (docs/recorders.md).",
        ),
    ] = AUTO,
    quiet: Quiet = False,
) -> None:
    """Record processes that run already, and all that they start.

    Ctrl-C lets go of them. They run on when imptrace ends, however it ends.

    Example: imptrace attach --name firefox --for 5m
    """
    check_label(label)
    check_service(service)
    seconds = read_duration(duration) if duration else None
    choice = _choice(pids or [], unit, name)
    options = RecorderOptions(stats=stats, writes_only=writes_only)
    wake = terminal.waker()
    blocked = terminal.hold_signals()
    try:
        recording, notes = begin(choice, options, recorder)
    except BaseException:
        terminal.release_signals(blocked)
        raise
    request = RecordingRequest(
        subject=choice.subject,
        label=label,
        service=service or choice.service,
        scope=RunScope.UNIT if choice.service else RunScope.PROCESSES,
        properties=choice.properties,
        database=database,
        wait_for_children=True,
        summary=not quiet,
    )
    session = Session(recording, request, wake).start()
    for note in notes:
        say(note)
    if not quiet:
        say(f"attached to {choice}; {'Ctrl-C' if seconds is None else duration} lets go")
    terminal.attend_attached(session, recording.leave, tracer=recording.supervisor, seconds=seconds)
    result = session.result()
    if result.summary is not None:
        program = choice.subject.program.decode(errors="replace")
        summarise(result, program, recording.name, database, service=request.service)
    if not session.all_gone:
        say("its tracer was killed: what ran on from then is not recorded")
    if result.failure is not None:
        raise result.failure


def _choice(pids: list[int], unit: str | None, name: str | None) -> Choice:
    def known(word: str) -> list[str]:
        return [unit for entry in shipped().matching(word) for unit in entry.units]

    if bool(pids) + (unit is not None) + (name is not None) != 1:
        raise UsageError("name what to attach to: PIDs, or --unit NAME, or --name PROGRAM")
    if unit is not None:
        return chosen_by_unit(unit, known)
    if name is not None:
        return chosen_by_name(name)
    return chosen_by_pid(pids)
