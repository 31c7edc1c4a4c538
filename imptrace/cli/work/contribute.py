"""What `imptrace contribute` does."""

import os
import sys
from pathlib import Path

import typer

from imptrace.catalogue import shipped
from imptrace.cli.messages import say
from imptrace.cli.output import answer_json, write_new_file
from imptrace.contribute.answer import answer as contribution_json
from imptrace.contribute.plan import Assembled, ContributionRequest, assemble, next_steps
from imptrace.db.engine import reading
from imptrace.errors import UsageError
from imptrace.render.text import printable


def contribute(
    *,
    runs: list[str] | None,
    service: str,
    repository: Path,
    option: str | None,
    include_shared: list[str] | None,
    branch: str | None,
    dry_run: bool,
    patch: Path | None,
    json: bool,
    database: str | None,
) -> None:
    """Do what imptrace.cli.contribute was asked, where each option is explained."""
    if dry_run and patch is not None:
        raise UsageError("--dry-run writes nothing: leave it out, or --patch")
    request = ContributionRequest(
        service=service,
        runs=tuple(runs or ()),
        repository=repository,
        option=option,
        shared=tuple(map(os.fsencode, include_shared or ())),
    )
    with reading(database) as engine:
        assembled = assemble(engine, request, shipped())
    branch = branch or assembled.contribution.branch
    commit = None
    if patch is not None:
        _write_patch(assembled, patch)
    elif not dry_run:
        commit = _committed(assembled, branch)
    if json:
        answer_json(contribution_json(assembled, branch, commit, patch))
        return
    _tell_what_is_left_out(assembled)
    if dry_run:
        _show(assembled)
    elif commit is not None:
        _tell_of_commit(assembled, branch, commit)


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


def _committed(assembled: Assembled, branch: str) -> str:
    contribution, repository = assembled.contribution, assembled.repository
    return repository.commit_on_branch(branch, contribution.change.files, contribution.message)


def _tell_of_commit(assembled: Assembled, branch: str, commit: str) -> None:
    contribution = assembled.contribution
    subject = contribution.message.splitlines()[0]
    typer.echo(f"Committed {commit[:10]} on branch {printable(branch)}: {printable(subject)}")
    for change in contribution.change.files:
        typer.echo(f"  {printable(change.path)}")
    typer.echo("\nLook at it, push it, and open the pull request:")
    for step in next_steps(assembled.repository, branch):
        typer.echo(f"  {step}")
