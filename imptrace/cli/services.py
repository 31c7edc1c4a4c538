"""`imptrace services`: what the catalogue knows."""

from typing import Annotated

import typer

from imptrace.catalogue import shipped
from imptrace.catalogue.checking import check as check_catalogue
from imptrace.cli import completing
from imptrace.cli.messages import say
from imptrace.cli.options import Json, Pager
from imptrace.cli.output import answer, answer_json, screen
from imptrace.errors import UsageError
from imptrace.render import catalogue_json, catalogue_text

FOUND_SOMETHING = 1


def services(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="A service or program: its id, alias, option, unit or executable.",
            autocompletion=completing.entries,
        ),
    ] = None,
    *,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Hold the catalogue to docs/guidelines.md; exit 1 if it breaks a rule."
        ),
    ] = False,
    json: Json = False,
    pager: Pager = True,
) -> int:
    """List what the catalogue knows, or show one entry in full.

    It knows NixOS services, and programs of home directories.

    Example: imptrace services networkmanager
    """
    if check and name:
        raise UsageError("--check is about the whole catalogue: leave out the name")
    if check:
        return _check(json=json)
    catalogue = shipped()
    entries = catalogue.entries
    if name is not None:
        meant = catalogue.all_meant(name)
        entries = tuple(each for entry in meant for each in catalogue.with_included(entry))
    if json:
        answer_json(catalogue_json.services(entries))
    elif name is None:
        answer(catalogue_text.table(entries, screen()), pager=pager)
    else:
        answer("\n\n".join(catalogue_text.entry(each, screen()) for each in entries), pager=pager)
    return 0


def _check(*, json: bool) -> int:
    findings = check_catalogue()
    if json:
        answer_json(catalogue_json.findings(findings))
    elif findings:
        answer(catalogue_text.findings(findings))
    else:
        say("every entry of the catalogue keeps to the guidelines")
    return FOUND_SOMETHING if findings else 0
