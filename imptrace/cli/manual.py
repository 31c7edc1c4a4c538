"""The manual page, made from the commands themselves.

    python -m imptrace.cli.manual DIRECTORY

writes it below a directory; docs/shell/ in the repository holds what it wrote last, and a test
compares. A package installs it from there, with the completions beside it.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import NamedTuple, TypeGuard, get_args, get_type_hints

from typer.models import ArgumentInfo, ParameterInfo

from imptrace.cli.app import app
from imptrace.cli.commands import GROUPS, NAME, function_of, subcommands

MANUAL = f"{NAME}.1"

_OPTIONS = (
    ("-h, --help", "Show a help page and exit; every command has one."),
    ("-V, --version", "Show the version and exit."),
)
_EXIT_STATUS = (
    ("0", "Done."),
    (
        "1",
        "A check found something (audit, diff, doctor, leaks, move, rehearse, services --check).",
    ),
    ("2", "Wrong usage, or a run, program, service or file that is not there."),
    ("3", "Nothing was proven (rehearse)."),
    ("125", "imptrace itself failed."),
    ("126", "The program cannot be executed."),
    ("127", "The program was not found."),
    ("other", "run exits as the program does; 128 and the signal where one killed it."),
)
_ENVIRONMENT = (
    ("IMPTRACE_DB", "The database, as --db names it."),
    ("IMPTRACE_SOCKET", "Where the recorder of the machine is asked."),
    ("IMPTRACE_DEBUG", "Show where in imptrace an internal error happened."),
    ("NO_COLOR", "No colours, where it is not empty."),
    ("FORCE_COLOR", "Colours also in a pipe, where it is not empty."),
    ("PAGER", "What a long answer goes through on a terminal; cat for nothing, default: less."),
)
_FILES = (
    ("~/.local/state/imptrace/imptrace.db", "What was recorded; below $XDG_STATE_HOME."),
    ("/var/lib/imptrace/imptrace.db", "The same for root."),
)


class _Parameter(NamedTuple):
    names: str
    help: str


def manual_page() -> str:
    """Write the manual page, in the man macros that every man(1) knows."""
    about = inspect.getdoc(app.registered_callback.callback) if app.registered_callback else None
    summary = (about or "").splitlines()[0].rstrip(".")
    lines = [
        f'.TH {NAME.upper()} 1 "" "{NAME}" "User Commands"',
        ".SH NAME",
        f"{NAME} \\- {_text(summary[0].lower() + summary[1:])}",
        ".SH SYNOPSIS",
        f".B {NAME}",
        "[OPTIONS] COMMAND [ARGS]...",
        ".SH OPTIONS",
        *(line for option in _OPTIONS for line in _entry(*option)),
        *_commands(),
    ]
    for title, entries in (
        ("EXIT STATUS", _EXIT_STATUS),
        ("ENVIRONMENT", _ENVIRONMENT),
        ("FILES", _FILES),
    ):
        lines.append(f".SH {title}")
        lines += [line for entry in entries for line in _entry(*entry)]
    return "\n".join(lines) + "\n"


def write(directory: Path) -> None:
    """Write the page below a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MANUAL).write_text(manual_page(), encoding="utf-8")


def _commands() -> Iterator[str]:
    for title, group in GROUPS.items():
        yield f".SH {title.upper()}"
        for name in group:
            below = [(f"{name} {each}", function) for each, function in subcommands(name)]
            for words, function in below or [(name, function_of(name))]:
                yield from _command(words, function)


def _command(words: str, function: Callable[..., object]) -> Iterator[str]:
    parameters = list(_parameters(function))
    arguments = [each.names for each in parameters if not each.names.startswith("-")]
    yield f".SS {NAME} {_text(' '.join([words, '[OPTIONS]', *arguments]))}"
    yield from _paragraphs(inspect.getdoc(function) or "")
    for parameter in parameters:
        yield from _entry(*parameter)


def _parameters(function: Callable[..., object]) -> Iterator[_Parameter]:
    """Read the parameters of a command from its function, as typer itself does.

    The commands that typer makes of them look different from one version to the next.
    """
    hints = get_type_hints(function, include_extras=True)
    for name in inspect.signature(function).parameters:
        kind, *details = get_args(hints[name])
        info = next(each for each in details if isinstance(each, ParameterInfo))
        if info.hidden:
            continue
        shown = info.metavar or _value(kind, name)
        if isinstance(info, ArgumentInfo):
            shown = shown if info.metavar or NoneType not in get_args(kind) else f"[{shown}]"
        else:
            names = ", ".join(_names(info, name))
            shown = names if kind is bool else f"{names} {shown}"
        yield _Parameter(shown, " ".join((info.help or "").split()))


def _names(info: ParameterInfo, name: str) -> list[str]:
    # Inside Annotated, typer has the first name where a default stands outside of it.
    declared = [each for each in (info.default, *(info.param_decls or ())) if _is_name(each)]
    return declared or ["--" + name.replace("_", "-")]


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and value.startswith("-")


def _value(kind: object, name: str) -> str:
    for part in (kind, *get_args(kind)):
        if isinstance(part, type) and issubclass(part, Enum):
            return "|".join(str(each.value) for each in part)
    return name.upper().replace("_", "-")


def _entry(term: str, text: str) -> Iterator[str]:
    yield from (".TP", f".B {_text(term)}", _text(text) or "\\&")


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield ".PP"
        yield _text(" ".join(paragraph.split()))


def _text(text: str) -> str:
    """Escape what roff would read as its own."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    write(Path(sys.argv[1]))
