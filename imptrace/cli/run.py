"""`imptrace run`: record a program."""

from typing import Annotated

import typer

from imptrace.cli.options import Database
from imptrace.cli.record import record
from imptrace.cli.wish import Recorder, Wait, Wish


def run(
    command: Annotated[
        list[str],
        typer.Argument(metavar="[--] PROGRAM [ARGS]...", help="The program and its arguments."),
    ],
    *,
    database: Database = None,
    label: Annotated[str | None, typer.Option(help="A name for the run, to ask for it by.")] = None,
    service: Annotated[
        str | None, typer.Option(help="The NixOS service that the program belongs to.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="NAME", help="Run the program as this user (root only).")
    ] = None,
    writes_only: Annotated[
        bool, typer.Option("--writes-only", help="Record only what can change a file: faster.")
    ] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Record also stat, access and readlink.")
    ] = False,
    io_uring: Annotated[
        bool,
        typer.Option(
            "--io-uring", help="Let the program use io_uring, whose operations are not seen."
        ),
    ] = False,
    wait: Annotated[
        Wait, typer.Option(help="What to wait for besides the program itself.")
    ] = Wait.NONE,
    recorder: Annotated[
        Recorder,
        typer.Option(
            help="How accesses are seen; auto: the cheapest that works (docs/recorders.md)."
        ),
    ] = Recorder.AUTO,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary; errors only.")] = False,
) -> int:
    """Run a program and record what it does to files. Exits as the program exits.

    Example: imptrace run --label first firefox --private-window
    """
    return record(
        Wish(
            command=command,
            database=database,
            label=label,
            service=service,
            user=user,
            writes_only=writes_only,
            stats=stats,
            io_uring=io_uring,
            wait=wait,
            recorder=recorder,
            quiet=quiet,
        )
    )
