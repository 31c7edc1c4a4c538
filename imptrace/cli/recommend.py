"""`imptrace recommend`: what to keep."""

from enum import StrEnum
from typing import Annotated

import typer

from imptrace.cli import completing
from imptrace.cli.options import Database, OfProgram, OfUnit, OfUser, Pager, keep_garbage
from imptrace.errors import UsageError
from imptrace.facts.levels import Level
from imptrace.render.nix import Target


class Format(StrEnum):
    """The form of the answer."""

    TABLE = "table"
    NIX = "nix"
    JSON = "json"
    PLAN = "plan"


def recommend(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN | PROGRAM]...",
            autocompletion=completing.subjects,
            help="Runs (id, label, latest), or programs: the newest 20 runs of each together. "
            "Default: the newest run.",
            show_default=False,
        ),
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that was recorded, each under its own name.")
    ] = False,
    service: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.services,
            help="A service: id, alias, unit, option or program. May be repeated.",
        ),
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="The form of the answer.")
    ] = Format.TABLE,
    json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
    target: Annotated[
        Target | None,
        typer.Option(
            help="The module that --format nix writes for. Default: options for a service, else "
            "home-manager or impermanence.",
            show_default=False,
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="The store, for --format nix and plan: /persistent."),
    ] = None,
    parts: Annotated[
        bool,
        typer.Option("--parts", help="Give a row to each path that a kept directory holds, too."),
    ] = False,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Show also what need not be kept, and why.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="PATH", help="Show the whole chain of reasons for a path.")
    ] = None,
    level: Annotated[
        Level | None, typer.Option(help="Only what holds something of this level or above.")
    ] = None,
    min_confidence: Annotated[
        float,
        typer.Option(
            metavar="NUMBER", min=0.0, max=1.0, help="Only what is at least so sure, 0 to 1."
        ),
    ] = 0.0,
    no_catalogue: Annotated[
        bool, typer.Option("--no-catalogue", help="Judge by what was observed alone.")
    ] = False,
    unit: OfUnit = None,
    program: OfProgram = None,
    user: OfUser = None,
    database: Database = None,
    pager: Pager = True,
) -> None:
    """Recommend what to keep, from what was recorded.

    LEVEL says how much care a path needs: transient can be made again (caches), normal is tedious
    to lose (settings), important is what people made (databases, documents), secret is keys and
    passwords. SURE says how sure it is that the path is the program's own state: very (85 % and
    more), quite (70 %), fairly (60 %), hardly; "not seen" is what the catalogue or the unit
    declares and no run has shown.

    Example: imptrace recommend firefox --format nix
    """
    keep_garbage()
    output = Format.JSON if json else output
    _check(output, target, storage, set_aside=set_aside, explain=explain, parts=parts)
    if bool(names) + bool(service) + everything > 1:
        raise UsageError("name runs or programs, or services with --service, or --all: not both")
    from imptrace.cli.work import recommend as work

    work.recommend(
        work.RecommendOptions(
            names=tuple(names or ()),
            services=tuple(service or ()),
            unit=unit,
            program=program,
            user=user,
            database=database,
            everything=everything,
            with_catalogue=not no_catalogue,
            output=output,
            target=target,
            storage=storage,
            parts=parts,
            set_aside=set_aside,
            explain=explain,
            level=level,
            min_confidence=min_confidence,
            pager=pager,
        )
    )


def _check(
    output: Format,
    target: Target | None,
    storage: str | None,
    *,
    set_aside: bool,
    explain: str | None,
    parts: bool,
) -> None:
    """Refuse options that contradict each other."""
    if target is not None and output is not Format.NIX:
        raise UsageError("--target is for --format nix")
    if storage is not None and output not in (Format.NIX, Format.PLAN):
        raise UsageError("--storage is for --format nix and --format plan")
    if storage is not None and not storage.startswith("/"):
        raise UsageError(f"--storage must be an absolute path, and {storage!r} is not")
    if storage is not None and not set(storage.strip("/").split("/")).isdisjoint(("", ".", "..")):
        raise UsageError(f"--storage must name the store itself, which {storage!r} does not")
    if (set_aside or parts) and output is not Format.TABLE:
        name = "--set-aside" if set_aside else "--parts"
        raise UsageError(f"{name} is for the table; --format json always has it")
    if explain is not None and (output is not Format.TABLE or set_aside):
        raise UsageError("--explain answers about one path: leave out --format and --set-aside")
