"""`imptrace contribute`: from recordings to a commit that upstream can merge."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from imptrace.catalogue import shipped
from imptrace.cli import completing
from imptrace.cli.messages import say
from imptrace.cli.options import Database
from imptrace.cli.output import write_new_file
from imptrace.contribute.plan import Assembled, Request, assemble, next_steps
from imptrace.db.engine import reading
from imptrace.errors import UsageError
from imptrace.render.text import printable


def contribute(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            autocompletion=completing.runs,
            help="The runs that are the evidence. Default: all runs of the service.",
            show_default=False,
        ),
    ] = None,
    *,
    service: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            autocompletion=completing.services,
            help="The service: id, alias, unit, option or program.",
        ),
    ],
    repository: Annotated[
        Path,
        typer.Option("--repo", metavar="DIR", help="A clone of the repository to contribute to."),
    ],
    option: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Its NixOS option, where the catalogue has none."),
    ] = None,
    include_shared: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Write this shared path too. May be repeated."),
    ] = None,
    branch: Annotated[
        str | None, typer.Option(metavar="NAME", help="The branch. Default: SERVICE-persistence.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the message and the diff; write nothing.")
    ] = False,
    patch: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a patch for `git am` instead of a commit."),
    ] = None,
    database: Database = None,
) -> None:
    """Turn what was recorded of a service into a commit on a branch of its own.

    The repository is one laid out like nixos-impermanence, or imptrace's own catalogue. Nothing is
    pushed, and neither the work tree nor the branch that is checked out changes.

    Example: imptrace contribute --service networkmanager --repo ~/nixos-impermanence --dry-run
    """
    if dry_run and patch is not None:
        raise UsageError("--dry-run writes nothing: leave it out, or --patch")
    request = Request(
        service=service,
        runs=tuple(runs or ()),
        repository=repository,
        option=option,
        shared=tuple(map(os.fsencode, include_shared or ())),
    )
    with reading(database) as engine:
        assembled = assemble(engine, request, shipped())
    _tell_what_is_left_out(assembled)
    if dry_run:
        _show(assembled)
    elif patch is not None:
        _write_patch(assembled, patch)
    else:
        _commit(assembled, branch or assembled.contribution.branch)


def _tell_what_is_left_out(assembled: Assembled) -> None:
    for each in assembled.held_back:
        say(f"not written: {printable(each.path)}: {each.why}")


def _show(assembled: Assembled) -> None:
    contribution = assembled.contribution
    diff = assembled.repository.diff(contribution.change.files)
    typer.echo(contribution.message)
    typer.echo(_harmless(diff) if sys.stdout.isatty() else diff, nl=False)


def _harmless(diff: bytes) -> str:
    """Escape what a terminal would obey; what stands in a repository is from others."""
    text = diff.decode(errors="backslashreplace")
    return "".join(
        each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode()
        for each in text
    )


def _write_patch(assembled: Assembled, file: Path) -> None:
    contribution = assembled.contribution
    patch = assembled.repository.patch(contribution.change.files, contribution.message)
    write_new_file(file, patch)


def _commit(assembled: Assembled, branch: str) -> None:
    contribution, repository = assembled.contribution, assembled.repository
    commit = repository.commit_on_branch(branch, contribution.change.files, contribution.message)
    subject = contribution.message.splitlines()[0]
    typer.echo(f"Committed {commit[:10]} on branch {printable(branch)}: {printable(subject)}")
    for change in contribution.change.files:
        typer.echo(f"  {printable(change.path)}")
    typer.echo("\nLook at it, push it, and open the pull request:")
    for step in next_steps(repository, branch):
        typer.echo(f"  {step}")
