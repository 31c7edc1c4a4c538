"""`imptrace rehearse`: wipe a private copy of the machine, and see whether the state comes back."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Json
from imptrace.errors import UsageError


def rehearse(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WHAT [-- COMMAND...]",
            autocompletion=completing.subjects,
            help="A program, service or run, and the command; default: the one that was recorded.",
            show_default=False,
        ),
    ] = None,
    *,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="UNIT",
            autocompletion=completing.units,
            help="Rehearse a copy of this unit of systemd (root only).",
        ),
    ] = None,
    first: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="For the shell: what makes the state. With --unit: run while the unit runs.",
        ),
    ] = None,
    again: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="For the shell: what should find it after the wipe."),
    ] = None,
    existing: Annotated[
        bool,
        typer.Option(
            "--existing", help="Begin with what is there now, as after a move; not afresh."
        ),
    ] = False,
    advice: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep what this answer of `recommend --format json` says."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep what a configuration keeps: what `nix eval --json` prints of "
            "config.environment.persistence.",
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.users,
            help="Run the program as this user (root only).",
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            min=1,
            help="How long a start may run: 120; how long a unit is left running at rest: 5.",
            show_default=False,
        ),
    ] = None,
    stop: Annotated[
        bool,
        typer.Option("--stop", help="Stop the unit that runs where its copy would clash with it."),
    ] = False,
    own_network: Annotated[
        bool,
        typer.Option("--own-network", help="Give the copy of a unit no network but its own."),
    ] = False,
    interactive: Annotated[
        bool,
        typer.Option(
            "--interactive", help="Use it yourself, twice; without the two starts to compare with."
        ),
    ] = False,
    json: Json = False,
    database: Database = None,
) -> int:
    """Wipe a private copy of the machine, start the program again, and say what came back.

    The program is started in a copy of the machine in which only what is kept survives: an overlay
    over everything, with a home of its own. Nothing real is written. It is also started twice
    without a wipe, to know what is usual. Exits with 1 if state is lost or something fits badly,
    with 3 if nothing was proven.

    With --unit it is a copy of a unit, under a manager of its own: with the unit's users and
    sandbox, without what it depends on. The unit that runs is left alone, or stopped meanwhile
    where both would listen on the same port.

    Example: imptrace rehearse htop -- sh -c 'echo q | htop'
    """
    if not words and unit is None:
        raise UsageError("what is to be rehearsed? name a program, or a unit with --unit")
    if unit is None and (stop or own_network):
        raise UsageError("--stop and --own-network are for --unit")
    if unit is not None and (user or interactive or (words and len(words) > 1)):
        raise UsageError(
            "a unit has a user and a command of its own: leave out --user, --interactive, COMMAND"
        )
    if advice is not None and config is not None:
        raise UsageError("--advice and --config exclude each other")
    from imptrace.cli.work import rehearse as work

    return work.rehearse(
        work.RehearseOptions(
            name=words[0] if words else str(unit).removesuffix(".service"),
            command=tuple(words[1:] if words else ()),
            unit=unit,
            first=first,
            again=again,
            existing=existing,
            advice=advice,
            config=config,
            user=user,
            seconds=seconds,
            stop=stop,
            own_network=own_network,
            interactive=interactive,
            json=json,
            database=database,
        )
    )
