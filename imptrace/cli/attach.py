"""`imptrace attach`: record what already runs."""

from typing import TYPE_CHECKING, Annotated

import typer

from imptrace.cli.messages import say, summarise
from imptrace.cli.options import Database
from imptrace.errors import UsageError

if TYPE_CHECKING:
    from imptrace.record.attach import Choice


def attach(
    pids: Annotated[
        list[int] | None, typer.Argument(metavar="[PID]...", min=1, help="Processes to attach to.")
    ] = None,
    *,
    unit: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="All processes of a systemd unit, or catalogue name."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="PROGRAM", help="All processes of a program.")
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="Let go after this time: 30s, 5m, 1h."),
    ] = None,
    database: Database = None,
    label: Annotated[str | None, typer.Option(help="A name for the run, to ask for it by.")] = None,
    service: Annotated[
        str | None, typer.Option(help="The NixOS service that the processes belong to.")
    ] = None,
    writes_only: Annotated[
        bool, typer.Option("--writes-only", help="Record only what can change a file.")
    ] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Record also stat, access and readlink.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary; errors only.")] = False,
) -> None:
    """Record processes that run already, and all that they start. Ctrl-C lets go of them.

    They run on when imptrace ends, however it ends.

    Example: imptrace attach --name firefox --for 5m
    """
    from imptrace.record import attach as attaching
    from imptrace.record import terminal as foreground
    from imptrace.record.session import Request, Session
    from imptrace.tracer.recorder import RecorderOptions

    seconds = attaching.read_duration(duration) if duration else None
    choice = _choice(pids or [], unit, name)
    options = RecorderOptions(stats=stats, writes_only=writes_only)
    wake = foreground.waker()
    blocked = foreground.hold_signals()
    try:
        recording = attaching.attach(choice, options)
    except BaseException:
        foreground.release_signals(blocked)
        raise
    request = Request(
        subject=choice.subject,
        label=label,
        service=service or choice.service,
        properties=choice.properties,
        database=database,
        wait_for_children=True,
        summary=not quiet,
    )
    session = Session(recording, request, wake)
    if not quiet:
        say(f"attached to {choice}; {'Ctrl-C' if seconds is None else duration} lets go")
    foreground.attend_attached(
        session, recording.leave, tracer=recording.supervisor, seconds=seconds
    )
    result = session.result()
    if result.summary is not None:
        summarise(result, choice.subject.program.decode(errors="replace"), recording.name, database)
    if not session.all_gone:
        say("its tracer was killed: what ran on from then is not recorded")
    if result.failure is not None:
        raise result.failure


def _choice(pids: list[int], unit: str | None, name: str | None) -> "Choice":
    from imptrace.catalogue.catalogue import shipped
    from imptrace.record import attach as attaching

    def known(word: str) -> list[str]:
        return [unit for entry in shipped().matching(word) for unit in entry.units]

    if bool(pids) + (unit is not None) + (name is not None) != 1:
        raise UsageError("name what to attach to: PIDs, or --unit NAME, or --name PROGRAM")
    if unit is not None:
        return attaching.chosen_by_unit(unit, known)
    if name is not None:
        return attaching.chosen_by_name(name)
    return attaching.chosen_by_pid(pids)
