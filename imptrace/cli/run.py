"""`imptrace run`: record a program."""

from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, Label, Quiet, Service, Stats
from imptrace.cli.record import record
from imptrace.cli.wish import Wait, Wish
from imptrace.tracer.recorder import AUTO, LAUNCHERS


def _recorder(name: str) -> str:
    if name != AUTO and name not in LAUNCHERS:
        raise typer.BadParameter(f"{name!r} is none of {', '.join([AUTO, *LAUNCHERS])}")
    return name


def run(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="[--] PROGRAM [ARGS]...",
            autocompletion=completing.commands,
            help="The program and its arguments.",
        ),
    ],
    *,
    database: Database = None,
    label: Label = None,
    service: Service = None,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.users,
            help="Run the program as this user (root only).",
        ),
    ] = None,
    keep_env: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.variables,
            help="With --user: a variable of this environment to hand on. May be repeated.",
        ),
    ] = None,
    writes_only: Annotated[
        bool, typer.Option("--writes-only", help="Record only what can change a file: faster.")
    ] = False,
    stats: Stats = False,
    io_uring: Annotated[
        bool,
        typer.Option(
            "--io-uring", help="Let the program use io_uring, whose operations only bpf sees."
        ),
    ] = False,
    wait: Annotated[
        Wait, typer.Option(help="What to wait for besides the program itself.")
    ] = Wait.NONE,
    recorder: Annotated[
        str,
        typer.Option(
            metavar="|".join([AUTO, *LAUNCHERS]),
            autocompletion=completing.one_of(AUTO, *LAUNCHERS),
            parser=_recorder,
            help="How accesses are seen; auto: the cheapest that works (docs/recorders.md).",
        ),
    ] = AUTO,
    quiet: Quiet = False,
) -> int:
    """Run a program and record what it does to files.

    Exits as the program exits.

    Example: imptrace run --label first firefox --private-window
    """
    return record(
        Wish(
            command=command,
            database=database,
            label=label,
            service=service,
            user=user,
            keep_env=keep_env or (),
            writes_only=writes_only,
            stats=stats,
            io_uring=io_uring,
            wait=wait,
            recorder=recorder,
            quiet=quiet,
        )
    )
