"""The command line: registers the commands, and turns errors into a line and an exit code."""

import os
import sys
import traceback
from typing import Annotated

import typer

from imptrace.cli import (
    attach,
    contribute,
    diff,
    doctor,
    export,
    files,
    importing,
    recommend,
    rm,
    run,
    runs,
    service,
    services,
    show,
    who,
)
from imptrace.errors import ImptraceError
from imptrace.render.text import printable

NAME = "imptrace"
DEBUG = "IMPTRACE_DEBUG"
USAGE_ERROR = 2
INTERNAL_ERROR = 125
INTERRUPTED = 130

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
    sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        code = app(prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
    except ImptraceError as error:
        return _complain(str(error), error.exit_code)
    except _UsageError as error:
        return _complain(_usage(error), USAGE_ERROR)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 (the last resort: nobody is shown a traceback)
        return _internal_error(error)
    return code if isinstance(code, int) else 0


def _usage(error: Exception) -> str:
    """Say what is wrong with a command line, and which help tells more."""
    message = str(getattr(error, "format_message", error.__str__)()).strip().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else NAME
    return f"{message}; see: {command} --help"


def _internal_error(error: Exception) -> int:
    if os.environ.get(DEBUG):
        traceback.print_exc()
    return _complain(
        f"internal error: {type(error).__name__}: {error}; {DEBUG}=1 shows more", INTERNAL_ERROR
    )


def _complain(message: str, exit_code: int) -> int:
    # One write: the traced program may write to the same terminal.
    sys.stderr.write(f"imptrace: {printable(message)}\n")
    return exit_code
