"""`imptrace service`: record systemd units as they really run."""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from imptrace.catalogue import shipped
from imptrace.cli import completing
from imptrace.cli.commands import SETTINGS, Command, Group
from imptrace.cli.naming import check_label
from imptrace.cli.options import Database, Json, Label
from imptrace.cli.output import answer_json
from imptrace.errors import ImptraceError
from imptrace.record.service import recording
from imptrace.record.service.boot import Requested, request, start_in_this_boot, withdraw
from imptrace.record.service.manager import Manager
from imptrace.record.service.named import Named, named_units
from imptrace.record.service.order import RecordingOutcome, read_order
from imptrace.record.service.passive import PassiveRecorder
from imptrace.record.service.place import ORDER, RecordingFiles, recorded_units
from imptrace.record.service.recorder import UnitRecorder
from imptrace.record.service.recording import Finished, RecordingWish, Started
from imptrace.record.service.together import all_or_none, take_back, taken
from imptrace.render.text import printable
from imptrace.render.words import counted
from imptrace.tracer.recorder import AUTO

Units = Annotated[
    list[str],
    typer.Argument(
        metavar="UNIT...",
        autocompletion=completing.units,
        help="Units, names of the catalogue (networkmanager) or their aliases (nm).",
    ),
]
Recorded = Annotated[
    list[str],
    typer.Argument(
        metavar="UNIT...",
        autocompletion=completing.units_being_recorded,
        help="Units, names of the catalogue (networkmanager) or their aliases (nm).",
    ),
]
User = Annotated[bool, typer.Option("--user", help="Units of your own user manager.")]
Restart = Annotated[
    bool,
    typer.Option(
        "--restart/--no-restart",
        help="Restart a unit that has a filter of the notify recorder (the default), or leave it.",
    ),
]

app = typer.Typer(
    cls=Group,
    context_settings=SETTINGS,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _service(context: typer.Context) -> None:
    """Record a systemd unit as it really runs: start, use it, finish.

    Example: sudo imptrace service start networkmanager
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(cls=Command)
def start(
    units: Units,
    *,
    user: User = False,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart/--no-restart",
            help="Restart a unit that runs, to see its start as well; the default is to leave it.",
        ),
    ] = False,
    recorder: Annotated[
        str,
        typer.Option(
            metavar="auto|bpf|notify",
            autocompletion=completing.one_of(AUTO, "bpf", "notify"),
            help="How accesses are seen: notify sees nothing before the unit's next start.",
        ),
    ] = AUTO,
    at_boot: Annotated[
        bool,
        typer.Option(
            "--at-boot",
            help="Leave what runs alone; record the next boot, from its start of the unit on.",
        ),
    ] = False,
    this_boot: Annotated[bool, typer.Option(hidden=True)] = False,
    database: Database = None,
    label: Label = None,
    stats: Annotated[
        bool, typer.Option("--stats", help="Record also what only asks: stat, access, readlink.")
    ] = False,
    writes_only: Annotated[
        bool, typer.Option("--writes-only", help="Leave reads alone: costs less.")
    ] = False,
) -> None:
    """Record units as they run, across restarts, until `imptrace service finish`.

    Nothing is restarted unless --restart asks for it.

    Example: sudo imptrace service start networkmanager
    """
    check_label(label)
    wish = RecordingWish(
        database=_absolute(database),
        label=label,
        stats=stats,
        writes_only=writes_only,
        restart=restart and not at_boot and not this_boot,
        recorder=recorder,
    )
    manager = _manager(user=user)
    named = _named(units, manager)
    for each in named:
        if not this_boot:
            recording.examine(each.unit, manager, restart=wish.restart and each.may_restart)
    with all_or_none(manager, restart=wish.restart) as begun:
        # What is not restarted first: it may be restarted along with what is.
        for each in sorted(named, key=lambda each: each.may_restart):
            if at_boot:
                _tell_requested(request(each.unit, manager, wish))
            else:
                begin = start_in_this_boot if this_boot else recording.start
                own = replace(wish, restart=wish.restart and each.may_restart)
                _tell_started(begin(each.unit, manager, own))
            begun.append(each)
    _say(f"{'reboot' if at_boot else 'use it'}, then: {_command('finish', units, user=user)}")


@app.command(cls=Command)
def finish(
    units: Recorded, *, user: User = False, restart: Restart = True, as_json: Json = False
) -> None:
    """Stop recording units, restart them without it, and say what was found.

    Example: sudo imptrace service finish networkmanager
    """
    manager = _manager(user=user)
    problems: list[str] = []
    runs: list[RecordingOutcome] = []
    rows: list[dict[str, object]] = []
    for word in units:
        for each in taken(word, _named([word], manager), manager):
            if withdraw(RecordingFiles(each.unit, manager)):
                _say(f"{each.unit}: will not be recorded at the next boot")
                continue
            finished = recording.finish(each.unit, manager, restart=restart and each.may_restart)
            _tell_finished(each.unit, finished, user=user)
            outcome = asdict(finished.outcome) if finished.outcome else {"run": None}
            rows.append({"unit": each.unit, **outcome, "problem": finished.problem or None})
            problems += [finished.problem] if finished.problem else []
            runs += [finished.outcome] if finished.outcome and finished.outcome.run else []
    if runs:
        _say(_next(units, runs))
    if as_json and not problems:
        answer_json({"schema": "imptrace.finished/1", "units": rows})
    if problems:
        raise ImptraceError(f"the recording is finished, but {'; '.join(problems)}")


@app.command(cls=Command)
def status(*, user: User = False, as_json: Json = False) -> None:
    """Show which units are being recorded.

    Example: sudo imptrace service status
    """
    manager = _manager(user=user)
    states = [recording.state(place) for place in recorded_units(manager)]
    if as_json:
        rows = [asdict(each) for each in states]
        answer_json({"schema": "imptrace.recordings/1", "recordings": rows})
        return
    if not states:
        typer.echo("no unit is being recorded", err=True)
    for each in states:
        if each.at_boot:
            typer.echo(f"{each.unit}: {each.unit_state}, to be recorded at the next boot")
            continue
        if each.recorder == "bpf":
            said = f" ({each.said})" if each.said else ""
            typer.echo(
                f"{each.unit}: {each.unit_state}, recorded as it runs; "
                f"recorder {each.recorder_state}{said}"
            )
            continue
        prepared = "recorded when it starts" if each.prepared else "not recorded any more"
        typer.echo(
            f"{each.unit}: {each.unit_state}, {prepared}; recorder {each.recorder_state}, "
            f"answering {counted(each.listeners, 'command')}"
            + (f" ({each.said})" if each.said else "")
        )


@app.command(cls=Command)
def reset(
    units: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[UNIT]...",
            autocompletion=completing.units_being_recorded,
            help="Units, names of the catalogue or their aliases.",
        ),
    ] = None,
    *,
    user: User = False,
    restart: Restart = True,
) -> None:
    """Remove every trace of recording from units (all of them if none is named).

    Example: sudo imptrace service reset networkmanager
    """
    manager = _manager(user=user)
    everything = [Named(place.unit) for place in recorded_units(manager)]
    for each in _named(units, manager) if units else everything:
        was_there = take_back(each, manager, restart=restart)
        _say(
            f"{each.unit}: "
            + ("everything of the recording is removed" if was_there else "nothing to remove")
        )


@app.command(hidden=True)
def record(directory: Annotated[Path, typer.Argument()]) -> None:
    """Be the recorder of a unit. Started by `service start`, as a unit of its own."""
    order = read_order(directory / ORDER)
    if order is not None and order.group:
        PassiveRecorder(directory, order).run()
    else:
        UnitRecorder(directory).run()


def _manager(*, user: bool) -> Manager:

    manager = Manager(user=user)
    manager.require()
    return manager


def _named(words: list[str], manager: Manager) -> list[Named]:
    """List the units that are meant, each once, in order."""

    def known(word: str, is_unit: bool) -> list[str]:  # noqa: FBT001 (a callback of two)
        units: list[str] = []
        for entry in shipped().matching(word):
            is_name = word in (entry.id, *entry.aliases)
            if is_name or not (is_unit or f"{word}.service" in entry.units):
                units += entry.units
        return units

    found = [each for word in words for each in named_units(word, manager, known)]
    return list({each.unit: each for each in found}.values())


def _absolute(database: str | None) -> str | None:
    """Make it mean the same to the recorder, which runs elsewhere."""
    return database if database is None or "://" in database else str(Path(database).absolute())


def _command(verb: str, units: list[str], *, user: bool) -> str:
    flag = ["--user"] if user else []
    return " ".join(["imptrace service", verb, *flag, *units])


def _next(units: list[str], runs: list[RecordingOutcome]) -> str:
    commands = [f"imptrace recommend --service {word}" for word in units]
    commands += [f"imptrace show {each.run}" for each in runs if _has_seen(each)]
    return f"next: {'; '.join(commands)}"


def _has_seen(outcome: RecordingOutcome) -> bool:
    """Whether there is anything to look at: of several units of a service most do nothing."""
    return bool(outcome.read or outcome.created or outcome.modified or outcome.deleted)


def _tell_requested(requested: Requested) -> None:
    _say(f"{requested.unit} will be recorded from its start at the next boot on, and only then")
    _say(f"  unless the reboot wipes {requested.file}")


def _tell_started(started: Started) -> None:
    unit = started.unit.name
    for note in started.notes:
        _say(f"{unit}: {note}")
    if started.dropin is None:
        when = "was restarted and is" if started.restarted else "is"
        as_it_is = "" if started.unit.is_active else ", from its next start on"
        _say(f"{unit} {when} being recorded{as_it_is} (until a reboot at most; nothing is changed)")
        return
    when = "is being recorded" if started.restarted else "will be recorded from its next start on"
    _say(f"{unit} {when} (until a reboot at most; drop-in {started.dropin})")
    for adjustment in started.allowance.adjustments:
        _say(f"  for as long as it is recorded: {adjustment.effect} ({adjustment.directive})")
    for note in started.allowance.notes:
        _say(f"  for as long as it is recorded: {note}")
    if not started.restarted and started.unit.is_running:
        _say("  what runs now is not recorded; --restart restarts it for that")


def _tell_finished(unit: str, finished: Finished, *, user: bool) -> None:
    flag = "--user " if user else ""
    outcome = finished.outcome
    if outcome is None:
        _say(f"{unit}: its recorder was gone; what it had stored is shown by: imptrace runs")
    elif outcome.run is None and outcome.predecessor:
        _say(f"{unit}: nothing more since its recorder was killed; imptrace runs shows what was")
    elif outcome.run is None:
        _say(f"{unit}: nothing was recorded, it did not start meanwhile")
    else:
        _say(
            f"{unit}: run {outcome.run}: {counted(outcome.read, 'path')} read, "
            f"{outcome.created:,} created, {outcome.modified:,} modified, "
            f"{outcome.deleted:,} deleted"
        )
        if outcome.lost or outcome.unseen:
            lost, unseen = counted(outcome.lost, "event"), counted(outcome.unseen, "call")
            _say(f"  lost: {lost}; seen without a path: {unseen}")
        if outcome.failure:
            _say(f"  not all of it could be stored: {outcome.failure}")
    if finished.still_answering:
        _say(
            f"  {unit} runs on with its filter until it is restarted; it is not recorded any more "
            f"(imptrace service reset {flag}{unit} restarts it)"
        )


def _say(text: str) -> None:
    sys.stderr.write(f"{printable(text)}\n")
