"""The command line as typer takes it apart."""

import os
import re
import signal
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from imptrace.cli.commands import NAME, SETTINGS, LazyGroup
from imptrace.cli.messages import exit_code_of
from imptrace.errors import UsageError

# The class of every error in the form of a command line. typer brings its own copy of click in some
# versions and not in others, and exports only this subclass.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_OTHER_NAMES = {"help": ["--help"], "version": ["--version"]}
_IN_OUR_WORDS = (
    (re.compile(r"Input should be a valid (?:integer|number).*"), "it must be a number"),
    (re.compile(r"Input should be greater than or equal to ([\d.]+)"), r"it must be at least \1"),
    (re.compile(r"Input should be less than or equal to ([\d.]+)"), r"it must be at most \1"),
    (re.compile(r"Value error, "), ""),
)

app = typer.Typer(
    name=NAME,
    cls=LazyGroup,
    context_settings=SETTINGS,
    pretty_exceptions_enable=False,
    # Plain help: it needs no import of rich, and is shown at once.
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 (the form of typer's callbacks)
    if wanted:
        typer.echo(f"{NAME} {version(NAME)}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            help="Show the version and exit.",
            callback=_show_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Find out which paths a program must keep on an impermanent NixOS system, from evidence."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line and exit. Exit codes: see imptrace.errors."""
    code = exit_code_of(_run_app)
    # All is done: what Python puts in order now is worth no traceback.
    signal.signal(signal.SIGINT, lambda *_: os._exit(code))
    sys.exit(code)


def _run_app() -> object:
    words = sys.argv[1:]
    if words and words[0] in _OTHER_NAMES:
        words = [*words[1:], *_OTHER_NAMES[words[0]]]
    try:
        return app(words, prog_name=NAME, standalone_mode=False)
    except _UsageError as error:
        raise UsageError(_usage(error)) from error
    except typer.Abort as error:
        raise KeyboardInterrupt from error


def _usage(error: Exception) -> str:
    """Say what is wrong with a command line, and which help tells more."""
    message = str(getattr(error, "format_message", error.__str__)()).strip().rstrip(".")
    for theirs, ours in _IN_OUR_WORDS:
        message = theirs.sub(ours, message)
    context = getattr(error, "ctx", None)
    command = context.command_path if context else NAME
    # Some say in several lines what the help says better.
    return f"{' '.join(message.split())}; see: {command} --help"
