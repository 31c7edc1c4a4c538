"""`imptrace services`: what the catalogue knows."""

from typing import Annotated

import typer

from imptrace.cli.options import Json

FOUND_SOMETHING = 1


def entry_ids(incomplete: str) -> list[str]:
    """Complete the id of an entry, for the shell."""
    from imptrace.catalogue import shipped

    return [entry.id for entry in shipped() if entry.id.startswith(incomplete)]


def services(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A service or program: its id, alias, option, unit or executable.",
            autocompletion=entry_ids,
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
) -> int:
    """List the services and programs that the catalogue knows, or show one of them in full.

    Example: imptrace services networkmanager
    """
    from imptrace.errors import UsageError

    if check and name:
        raise UsageError("--check is about the whole catalogue: leave out the name")
    if check:
        return _check(json=json)
    from imptrace.catalogue import shipped
    from imptrace.render import catalogue_json, catalogue_text
    from imptrace.render.json_text import dump

    catalogue = shipped()
    entries = catalogue.entries
    if name is not None:
        meant = catalogue.all_meant(name)
        entries = tuple(each for entry in meant for each in catalogue.with_included(entry))
    if json:
        typer.echo(dump(catalogue_json.services(entries)))
    elif name is None:
        typer.echo(catalogue_text.table(entries))
    else:
        typer.echo("\n\n".join(map(catalogue_text.entry, entries)))
    return 0


def _check(*, json: bool) -> int:
    from imptrace.catalogue.checking import check
    from imptrace.render import catalogue_json, catalogue_text
    from imptrace.render.json_text import dump

    findings = check()
    if json:
        typer.echo(dump(catalogue_json.findings(findings)))
    elif findings:
        typer.echo(catalogue_text.findings(findings))
    else:
        typer.echo("imptrace: every entry of the catalogue keeps to the guidelines", err=True)
    return FOUND_SOMETHING if findings else 0
