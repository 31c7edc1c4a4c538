"""The command line: registers the commands."""

import sys
from typing import Annotated

import typer

from imptrace.cli import (
    attach,
    audit,
    contribute,
    diff,
    doctor,
    export,
    files,
    importing,
    leaks,
    recommend,
    rm,
    run,
    runs,
    service,
    services,
    show,
    who,
)
from imptrace.cli.ending import exit_code_of
from imptrace.errors import UsageError

NAME = "imptrace"

# The class of every error in the form of a command line. typer brings its own copy of click in some
# versions and not in others, and exports only this subclass.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name=NAME,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    # Plain help: it needs no import of rich, and is shown at once.
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 (the form of typer's callbacks)
    if wanted:
        # As slow as all other imports of this module together.
        from importlib.metadata import version

        typer.echo(f"imptrace {version('imptrace')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Find out which paths a program must keep on an impermanent NixOS system, from evidence."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


# After the program's name every argument is the program's.
app.command("import")(importing.import_)
app.command("run", context_settings={"allow_interspersed_args": False})(run.run)
app.command("attach")(attach.attach)
app.command("audit")(audit.audit)
app.command("leaks")(leaks.leaks)
app.command("runs")(runs.runs)
app.command("recommend")(recommend.recommend)
app.command("contribute")(contribute.contribute)
app.command("diff")(diff.diff)
app.command("export")(export.export)
app.command("services")(services.services)
app.command("show")(show.show)
app.command("files")(files.files)
app.command("who")(who.who)
app.command("rm")(rm.rm)
app.command("doctor")(doctor.doctor)
app.add_typer(service.app, name="service")


def main() -> None:
    """Run the command line and exit. Exit codes: see imptrace.errors."""
    sys.exit(exit_code_of(_run_app))


def _run_app() -> object:
    try:
        return app(prog_name=NAME, standalone_mode=False)
    except _UsageError as error:
        raise UsageError(_usage(error)) from error
    except typer.Abort as error:
        raise KeyboardInterrupt from error


def _usage(error: Exception) -> str:
    """Say what is wrong with a command line, and which help tells more."""
    message = str(getattr(error, "format_message", error.__str__)()).strip().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else NAME
    return f"{message}; see: {command} --help"
