"""`imptrace service`: record systemd units as they really run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imptrace.cli.options import Database, Json
from imptrace.errors import ImptraceError

if TYPE_CHECKING:
    from imptrace.service.manager import Manager
    from imptrace.service.recording import Finished, Started

Units = Annotated[
    list[str],
    typer.Argument(
        metavar="UNIT...",
        help="Units, names of the catalogue (networkmanager) or their aliases (nm).",
    ),
]
User = Annotated[bool, typer.Option("--user", help="Units of your own user manager.")]
Restart = Annotated[
    bool,
    typer.Option(
        "--restart/--no-restart",
        help="Restart a unit that runs (the default), or leave it until its next start.",
    ),
]

app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)


@app.callback()
def _service() -> None:
    """Record a systemd unit as it really runs: start, use it, finish.

    Example: sudo imptrace service start networkmanager
    """


@app.command()
def start(
    units: Units,
    *,
    user: User = False,
    restart: Restart = True,
    database: Database = None,
    label: Annotated[str | None, typer.Option(help="A name for the run, to ask for it by.")] = None,
    stats: Annotated[
        bool, typer.Option("--stats", help="Record also what only asks: stat, access, readlink.")
    ] = False,
    writes_only: Annotated[
        bool, typer.Option("--writes-only", help="Leave reads alone: costs less.")
    ] = False,
) -> None:
    """Record units from their next start on, and restart those that run.

    Example: sudo imptrace service start networkmanager
    """
    from imptrace.service.recording import Wish, start

    wish = Wish(
        database=_absolute(database),
        label=label,
        stats=stats,
        writes_only=writes_only,
        restart=restart,
    )
    manager = _manager(user=user)
    for name in _names(units, manager):
        _tell_started(start(name, manager, wish), user=user)


@app.command()
def finish(units: Units, *, user: User = False, restart: Restart = True) -> None:
    """Stop recording units, restart them without it, and say what was found.

    Example: sudo imptrace service finish networkmanager
    """
    from imptrace.service.recording import finish

    manager = _manager(user=user)
    for name in _names(units, manager):
        finished = finish(name, manager, restart=restart)
        _tell_finished(name, finished, user=user)
        if finished.problem:
            raise ImptraceError(f"the recording is finished, but {finished.problem}")


@app.command()
def status(*, user: User = False, as_json: Json = False) -> None:
    """Show which units are being recorded.

    Example: sudo imptrace service status
    """
    import json
    from dataclasses import asdict

    from imptrace.service.place import recorded_units
    from imptrace.service.recording import state

    manager = _manager(user=user)
    states = [state(place) for place in recorded_units(manager)]
    if as_json:
        rows = [asdict(each) for each in states]
        typer.echo(json.dumps({"schema": "imptrace.recordings/1", "recordings": rows}))
        return
    if not states:
        typer.echo("no unit is being recorded", err=True)
    for each in states:
        prepared = "recorded when it starts" if each.prepared else "not recorded any more"
        typer.echo(
            f"{each.unit}: {each.unit_state}, {prepared}; recorder {each.recorder_state}, "
            f"answering {each.listeners} commands" + (f" ({each.said})" if each.said else "")
        )


@app.command()
def reset(
    units: Annotated[list[str] | None, typer.Argument(metavar="[UNIT...]")] = None,
    *,
    user: User = False,
    restart: Restart = True,
) -> None:
    """Remove every trace of recording from units (all of them if none is named).

    Example: sudo imptrace service reset networkmanager
    """
    from imptrace.service.place import recorded_units
    from imptrace.service.recording import reset

    manager = _manager(user=user)
    names = _names(units, manager) if units else [each.unit for each in recorded_units(manager)]
    for name in names:
        was_there = reset(name, manager, restart=restart)
        _say(
            f"{name}: "
            + ("everything of the recording is removed" if was_there else "nothing to remove")
        )


@app.command(hidden=True)
def record(directory: Annotated[Path, typer.Argument()]) -> None:
    """Be the recorder of a unit. Started by `service start`, as a unit of its own."""
    from imptrace.service.recorder import Recorder

    Recorder(directory).run()


def _manager(*, user: bool) -> "Manager":
    from imptrace.service.manager import Manager

    manager = Manager(user=user)
    manager.require()
    return manager


def _names(words: list[str], manager: "Manager") -> list[str]:
    """List the units that are meant, each once, in order."""
    from imptrace.catalogue.catalogue import shipped
    from imptrace.service.units import unit_names

    def known(word: str) -> list[str]:
        return [unit for entry in shipped().matching(word) for unit in entry.units]

    found = [name for word in words for name in unit_names(word, manager, known)]
    return list(dict.fromkeys(found))


def _absolute(database: str | None) -> str | None:
    """Make it mean the same to the recorder, which runs elsewhere."""
    return database if database is None or "://" in database else str(Path(database).absolute())


def _tell_started(started: "Started", *, user: bool) -> None:
    unit = started.unit.name
    flag = "--user " if user else ""
    when = "is being recorded" if started.restarted else "will be recorded from its next start on"
    _say(f"{unit} {when} (until a reboot at most; drop-in {started.dropin})")
    for adjustment in started.allowance.adjustments:
        _say(f"  for as long as it is recorded: {adjustment.effect} ({adjustment.directive})")
    for note in started.allowance.notes:
        _say(f"  for as long as it is recorded: {note}")
    if not started.restarted and started.unit.is_active:
        _say(f"  what runs now is not recorded; imptrace attach --unit {unit} would")
    _say(f"use it, then: imptrace service finish {flag}{unit}")


def _tell_finished(unit: str, finished: "Finished", *, user: bool) -> None:
    flag = "--user " if user else ""
    outcome = finished.outcome
    if outcome is None:
        _say(f"{unit}: its recorder was gone; what it had stored is shown by: imptrace runs")
    elif outcome.run is None:
        _say(f"{unit}: nothing was recorded, it did not start meanwhile")
    else:
        _say(
            f"{unit}: run {outcome.run}: {outcome.read} paths read, {outcome.created} created, "
            f"{outcome.modified} modified, {outcome.deleted} deleted"
        )
        if outcome.lost or outcome.unseen:
            _say(f"  {outcome.lost} events were lost, {outcome.unseen} calls seen without a path")
        if outcome.failure:
            _say(f"  not all of it could be stored: {outcome.failure}")
        _say(f"next: imptrace show {outcome.run}; imptrace recommend --service {unit}")
    if finished.still_answering:
        _say(
            f"  {unit} runs on with its filter until it is restarted; it is not recorded any more "
            f"(imptrace service reset {flag}{unit} restarts it)"
        )


def _say(text: str) -> None:
    from imptrace.render.text import printable

    typer.echo(printable(text), err=True)
