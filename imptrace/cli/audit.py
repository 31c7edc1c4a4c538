"""`imptrace audit`: what a system declares to leave on disk, against what it keeps."""

from pathlib import Path
from typing import Annotated

import typer

from imptrace.cli.messages import say
from imptrace.cli.options import Json, Pager
from imptrace.cli.output import answer, answer_json, screen
from imptrace.errors import UsageError
from imptrace.kept.audit import audit_file, audit_flake
from imptrace.kept.machine import audit_system
from imptrace.render.audit import answer as in_json
from imptrace.render.audit import summary, table

SOMETHING_IS_LOST = 1


def audit(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="The option environment.automaticPersistence.inventory, as nix eval --json "
            "printed it.",
        ),
    ] = None,
    *,
    flake: Annotated[
        str | None,
        typer.Option(
            metavar="REF#HOST",
            help="Evaluate this system of a flake, which need not import imptrace's modules.",
        ),
    ] = None,
    system: Annotated[
        bool,
        typer.Option(
            "--system", help="Ask the running system, its systemd and its mounts: the default."
        ),
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Show also what is kept, and what may be lost.")
    ] = False,
    excepted: Annotated[
        list[str] | None,
        typer.Option(
            "--except",
            metavar="PATH",
            help="May be lost, with all below it. Can be given more than once.",
        ),
    ] = None,
    json: Json = False,
    pager: Pager = True,
) -> int:
    """Show what a system declares to leave on disk and nothing keeps.

    Exits with 1 if there is any.

    Example: imptrace audit --flake .#laptop
    """
    if (flake is not None) + (file is not None) + system > 1:
        raise UsageError("a file, --flake and --system exclude each other")
    if flake is not None:
        inventory = audit_flake(flake)
    elif file is not None:
        inventory = audit_file(file)
    else:
        inventory = audit_system()
    inventory = inventory.without(excepted or ())
    if json:
        answer_json(in_json(inventory))
    else:
        if text := table(inventory, screen(), everything=everything):
            answer(text, pager=pager)
        say(summary(inventory))
    return SOMETHING_IS_LOST if inventory.lost else 0
