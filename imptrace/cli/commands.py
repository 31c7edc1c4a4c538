"""The commands, each imported when it is called; and how help pages are laid out.

`imptrace --help` waits for none of them. A command's module holds its options and its help, and
imports at its top what those need. What the command does, where that takes the database or the
judge, is the module of the same name in imptrace.cli.work, imported when the command runs.
"""

import difflib
import gc
import re
import signal
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from imptrace.errors import UsageError

NAME = "imptrace"
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Listed(NamedTuple):
    """Where a command stands, and what it is for in a sentence: the first of its docstring."""

    module: str
    help: str
    keeps_order: bool = False
    """After its first argument nothing is an option of ours."""
    only_asks: bool = True
    """It changes nothing, so that it can be stopped anywhere without a word."""


GROUPS: dict[str, dict[str, Listed]] = {
    "Record": {
        "run": Listed("run", "Run a program and record what it does to files.", True, False),
        "attach": Listed(
            "attach",
            "Record processes that run already, and all that they start.",
            only_asks=False,
        ),
        "watch": Listed(
            "watch",
            "Record the whole machine: who changes and reads what.",
            only_asks=False,
        ),
        "service": Listed(
            "service",
            "Record a systemd unit as it really runs: start, use it, finish.",
            only_asks=False,
        ),
        "import": Listed(
            "importing",
            "Import logs that strace wrote, and evidence files.",
            only_asks=False,
        ),
    },
    "Ask": {
        "recommend": Listed("recommend", "Recommend what to keep, from what was recorded."),
        "runs": Listed("runs", "List the recorded runs, oldest first."),
        "show": Listed("show", "Show one run: its processes, and what they changed."),
        "files": Listed("files", "Show what a program touches, over all its runs."),
        "who": Listed(
            "who",
            "Show which programs touched a path, or anything below it; else whose it should be.",
        ),
        "services": Listed("services", "List what the catalogue knows, or show one entry in full."),
        "leaks": Listed("leaks", "Show what the next boot takes, who wrote it, and what keeps it."),
        "lost": Listed(
            "lost",
            "Show what the last wipe took and nobody brought back; exit 1 if it matters.",
            only_asks=False,
        ),
        "stray": Listed(
            "stray",
            "Show what lies in a store that nothing declares or uses any more; delete nothing.",
        ),
        "report": Listed(
            "report",
            "Write one page of HTML: what matters and why, who changed it, and when.",
            only_asks=False,
        ),
        "audit": Listed("audit", "Show what a system declares to leave on disk and nothing keeps."),
        "diff": Listed("diff", "Compare what was observed of a service with what is declared."),
        "doctor": Listed("doctor", "Try what imptrace needs, and say what to do about the rest."),
    },
    "Act": {
        "keep": Listed(
            "keep", "Add what is to be kept to your own configuration.", only_asks=False
        ),
        "rehearse": Listed(
            "rehearse",
            "Wipe a private copy of the machine, start the program again, and say what came back.",
            only_asks=False,
        ),
        "move": Listed(
            "move", "Copy what exists into the store before the first switch.", only_asks=False
        ),
        "contribute": Listed(
            "contribute",
            "Turn what was recorded of a service into a commit on a branch of its own.",
            only_asks=False,
        ),
        "export": Listed(
            "export", "Write runs as a file to attach to an issue, without names.", only_asks=False
        ),
        "rm": Listed("rm", "Remove runs, and the paths that no other run saw.", only_asks=False),
    },
}
COMMANDS = {name: listed for group in GROUPS.values() for name, listed in group.items()}

_START_HERE = (
    ("imptrace run firefox", "record a program while you use it"),
    ("imptrace recommend firefox", "see what of it to keep; --format nix writes the Nix"),
    ("sudo imptrace service start UNIT", "the same for a service that runs; then: finish UNIT"),
    ("imptrace services NAME", "what is known of it without any recording"),
    ("imptrace doctor", "what works on this machine"),
)
_EVERYWHERE = ("--db", "--json", "--pager", "--quiet", "--help")
"""Options that many commands have: they stand last in a help page."""
_CHOICES = re.compile(r" <([^>]*)>$")
_RANGE = re.compile(r"; [\d.]+<=x<=[\d.]+\]$")


class Command(TyperCommand):
    """A command whose help names arguments plainly, and ends with what all commands have."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """List what can stand behind the command's name."""
        del ctx
        return ["[OPTIONS]", *(_plain(each) for each in self.params if _is_argument(each))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, own options, and those that many commands have."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        last: list[tuple[str, str]] = []
        for each in self.get_params(ctx):
            record = each.get_help_record(ctx)
            if record is None:
                continue
            if _is_argument(each):
                sections["Arguments"].append((_plain(each), getattr(each, "help", None) or ""))
                continue
            entry = (_CHOICES.sub(_choices, record[0]), _RANGE.sub("]", record[1]))
            is_last = any(name in each.opts for name in _EVERYWHERE)
            (last if is_last else sections["Options"]).append(entry)
        sections["Options"] += last
        for title, entries in sections.items():
            if entries:
                with formatter.section(title):
                    formatter.write_dl(entries)


class Group(TyperGroup):
    """The commands below one, each with the whole of its first sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [
            (name, " ".join((each.help or "").partition("\n\n")[0].split()))
            for name, each in found
            if each is not None and not each.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class LazyGroup(TyperGroup):
    """The root: it knows the names of all commands, and imports the one that is called."""

    _only_names = False

    def list_commands(self, ctx: Any) -> list[str]:
        """List the names in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a command."""
        del ctx
        listed = COMMANDS.get(cmd_name)
        if listed is not None and self._only_names:
            return TyperCommand(cmd_name, short_help=listed.help)
        return None if listed is None else loaded(cmd_name, listed)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command, and let Ctrl-C reach those that have something to put in order."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            guess = f"; did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"No such command {name!r}{guess}; see: {NAME} --help")
        found = super().resolve_command(ctx, args)
        gc.enable()
        if not COMMANDS[name].only_asks:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return found

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Complete names of commands without importing one of them."""
        self._only_names = True
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self._only_names = False

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by what one wants."""
        del ctx
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name, listed.help) for name, listed in commands.items()])

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write how to begin, the commands, and the options."""
        with formatter.section("Start here"):
            formatter.write_dl(list(_START_HERE), col_max=40)
        super().format_options(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Say where more is told."""
        del ctx
        formatter.write_paragraph()
        formatter.write_text("imptrace COMMAND --help tells more of each, with an example.")


def loaded(name: str, listed: Listed) -> Any:
    """Import a command and make what is called of it."""
    module = import_module(f"imptrace.cli.{listed.module}")
    if hasattr(module, "app"):
        return _named(get_command(module.app), name)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = SETTINGS | ({"allow_interspersed_args": False} if listed.keeps_order else {})
    app.command(name, cls=Command, context_settings=settings)(_reading_itself(function_of(name)))
    return get_command(app)


def _reading_itself(function: Callable[..., object]) -> Callable[..., object]:
    """Leave it to a command to say that a path cannot be read: typer asks of each that is named."""
    for hint in get_type_hints(function, include_extras=True).values():
        for about in getattr(hint, "__metadata__", ()):
            about.readable = False
    return function


def function_of(name: str) -> Callable[..., object]:
    """Import the function of a command, which is called as the command is."""
    listed = COMMANDS[name]
    module = import_module(f"imptrace.cli.{listed.module}")
    function: Callable[..., object] = getattr(module, f"{name}_" if name == "import" else name)
    return function


def subcommands(name: str) -> Iterator[tuple[str, Callable[..., object]]]:
    """Yield the commands below one, like those of `service`; none for most."""
    module = import_module(f"imptrace.cli.{COMMANDS[name].module}")
    app: typer.Typer | None = getattr(module, "app", None)
    for each in app.registered_commands if app is not None else ():
        if not each.hidden and each.callback is not None:
            yield each.name or each.callback.__name__, each.callback


def _named(command: Any, name: str) -> Any:
    command.name = name
    return command


def _choices(found: re.Match[str]) -> str:
    """Keep `a|b|c`; the name of a Python type tells nobody anything."""
    return f" {found[1]}" if "|" in found[1] else ""


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _plain(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())
