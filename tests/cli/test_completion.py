"""TAB in real shells, as somebody presses it; and something to complete for every name."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imptrace.cli.commands import COMMANDS, loaded

SCRIPTS = Path(__file__).parents[2] / "docs" / "shell"
BIN = Path(sys.executable).parent
PATIENCE = 60
STARTS = {"bash": ["bash", "--norc"], "zsh": ["zsh", "-f"], "fish": ["fish", "-N", "--private"]}
FIRST = {
    "bash": f"""
        source {SCRIPTS}/imptrace.bash; bind 'set bell-style none'
        bind -x '"\\C-g": printf %s "$READLINE_LINE" >line'
    """,
    "zsh": f"""
        fpath=({SCRIPTS} $fpath); autoload -Uz compinit; compinit -u -D; setopt no_beep
        dump() {{ print -rn -- "$BUFFER" >line }}; zle -N dump; bindkey '^G' dump
    """,
    "fish": f"source {SCRIPTS}/imptrace.fish; bind \\cg 'commandline >line'",
}
"""What shows the line in a file: the key Ctrl-G."""
TYPED = [
    ("imptrace recom", "imptrace recommend"),
    ("imptrace show firs", "imptrace show first"),
    ("imptrace recommend --service networkmanag", "imptrace recommend --service networkmanager"),
    ("imptrace recommend --service=networkmanag", "imptrace recommend --service=networkmanager"),
    ("imptrace recommend --level sec", "imptrace recommend --level secret"),
    ("imptrace recommend --format pl", "imptrace recommend --format plan"),
    ("imptrace keep tailscal", "imptrace keep tailscale"),
    ("imptrace keep ./no", "imptrace keep ./notes.txt"),
    ("imptrace who no", "imptrace who notes.txt"),
    ("imptrace run --recorder ptr", "imptrace run --recorder ptrace"),
    ("imptrace run cat no", "imptrace run cat notes.txt"),
    ("imptrace files tru", "imptrace files true"),
    ("imptrace show odd@1:", "imptrace show odd@1:2"),
]


class Shell:
    """A shell in a terminal of its own."""

    def __init__(self, name: str, home: Path) -> None:
        self._home = home
        command = [*STARTS[name], "-i"]
        process, self._terminal = pty.fork()
        if process == 0:
            os.chdir(home)
            os.environ.update(
                HOME=str(home), TERM="xterm", COLUMNS="200", IMPTRACE_DB=str(home / "x.db"),
                PATH=f"{BIN}:{os.environ['PATH']}", XDG_CONFIG_HOME=str(home / "c"), PS1="> ",
            )  # fmt: skip
            os.execvp(command[0], command)
        self._process = process
        self._send("; ".join(map(str.strip, FIRST[name].strip().splitlines())) + "\n")
        self._wait_for(lambda: self.line("") == "")

    def line(self, typed: str) -> str:
        """Type, press TAB, and read what then stands on the line."""
        said = self._home / "line"
        said.unlink(missing_ok=True)
        # What is typed meanwhile waits until the shell has completed.
        self._send(f"{typed}\t\x07" if typed else "\x07")
        end = time.monotonic() + PATIENCE / 2
        while time.monotonic() < end and not said.exists():
            self._settle(0.05)
        self._settle(0.05)
        self._send("\x15")
        return said.read_text().strip().replace("\\", "") if said.exists() else "(nothing)"

    def end(self) -> None:
        """Leave the shell."""
        os.close(self._terminal)
        os.waitpid(self._process, 0)

    def _send(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def _settle(self, seconds: float) -> None:
        """Read what the shell shows until it shows nothing more."""
        while select.select([self._terminal], [], [], seconds)[0]:
            os.read(self._terminal, 65536)

    def _wait_for(self, ready: Any) -> None:
        end = time.monotonic() + PATIENCE
        while not ready():
            assert time.monotonic() < end, "the shell does not answer"


@pytest.fixture(scope="module", params=sorted(STARTS))
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    home = tmp_path_factory.mktemp(request.param)
    (home / "notes.txt").write_text("x")
    for label in ("first", "odd@1:2"):
        subprocess.run(
            [BIN / "imptrace", "run", "-q", "--label", label, "true"],
            env={**os.environ, "IMPTRACE_DB": str(home / "x.db")},
            check=True,
            timeout=60,
        )
    opened = Shell(request.param, home)
    yield opened
    opened.end()


def test_tab_completes(shell: Shell) -> None:
    """A slow machine may need the key once more: what counts is what comes in the end."""
    wrong = {}
    for typed, completed in TYPED:
        found = shell.line(typed)
        for _ in range(2):
            if found != completed:
                found = shell.line(typed)
        if found != completed:
            wrong[typed] = found
    assert wrong == {}


NAMELESS = {
    "--label", "--program", "--min-confidence", "--branch", "--flake", "--store", "--first",
    "--again", "--seconds", "--db",
}  # fmt: skip
"""New names, numbers, and commands for a shell: nothing that we could know."""
PLACES = {
    "FILE",
    "DIR",
    "PATH",
    "STORE",
    "FILE|DIR",
    "[FILE]",
    "FILE...",
    "[PATH]...",
    "[STORE]...",
}


def parameters() -> Iterator[tuple[str, Any, Any]]:
    for name, listed in COMMANDS.items():
        command = loaded(name, listed)
        below = getattr(command, "commands", None)
        for each in below.values() if below else (command,):
            if not each.hidden:
                context = each.context_class(each)
                yield from ((f"{name} {each.name}", context, one) for one in each.params)


def test_every_name_that_is_asked_for_completes() -> None:
    """By a function, by the choices there are, or by the shell where it is a path."""
    missing = [
        (command, each.opts)
        for command, context, each in parameters()
        if not getattr(each, "is_flag", False)
        and str(each.metavar) not in PLACES
        and NAMELESS.isdisjoint(each.opts)
        and each._custom_shell_complete is None
        and not each.shell_complete(context, "")
    ]
    assert missing == []
