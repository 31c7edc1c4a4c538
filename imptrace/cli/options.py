"""Options that several commands share, declared once."""

import atexit
import gc
from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.db.location import ENVIRONMENT

Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="PATH|URL",
        envvar=ENVIRONMENT,
        show_envvar=True,
        help="The database: a file, or a URL like postgresql://host/name (docs/database.md).",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON (docs/json.md).")]
Pager = Annotated[
    bool,
    typer.Option(
        "--pager/--no-pager",
        help="A long answer goes through $PAGER, or less, on a terminal.",
        show_default=False,
    ),
]
Label = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="A name for the run, to ask for it by."),
]
Service = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        autocompletion=completing.services,
        help="The NixOS service that the program belongs to.",
    ),
]
OfUnit = Annotated[
    str | None,
    typer.Option(
        "--unit",
        metavar="NAME",
        autocompletion=completing.recorded_units,
        help="Only what a unit did, by its name or the catalogue's.",
    ),
]
OfProgram = Annotated[
    str | None,
    typer.Option(
        "--program",
        metavar="NAME",
        autocompletion=completing.recorded_programs,
        help="Only what a program did, with what it started.",
    ),
]
OfUser = Annotated[
    str | None,
    typer.Option(
        "--user",
        metavar="NAME",
        autocompletion=completing.users,
        help="Only what the processes of a user did.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No summary; errors only.")]
Stats = Annotated[bool, typer.Option("--stats", help="Record also stat, access and readlink.")]


def keep_garbage() -> None:
    """Search for no garbage any longer: for a command that reads much, answers, and ends.

    All that it makes is needed to the end, so that to search hundreds of thousands of records,
    again and again and once more at the very end, would take a third of the time in vain.
    """
    gc.disable()
    atexit.register(gc.freeze)
