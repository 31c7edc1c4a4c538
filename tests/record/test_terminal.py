"""In a real terminal the program works as without imptrace: tmux holds it."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded_programs import Recorder

from imptrace.db.records import Effect

PATIENCE = 30

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


class Terminal:
    """A shell in a terminal, to type into and to read."""

    def __init__(self, socket: Path, cwd: Path) -> None:
        """Start the shell."""
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        self._run("new-session", "-d", "-x", "300", "-y", "30", "-c", str(cwd), "bash --norc -i")
        self.type("PS1='ready> '", "Enter")
        self.wait("ready> ")

    def _run(self, *words: str) -> str:
        result = subprocess.run(
            [*self._tmux, *words], capture_output=True, text=True, check=True, timeout=PATIENCE
        )
        return result.stdout

    def type(self, *keys: str) -> None:
        """Type text and named keys."""
        self._run("send-keys", *keys)

    def screen(self) -> str:
        """Show what is on the screen."""
        return self._run("capture-pane", "-p")

    def wait(self, text: str, times: int = 1) -> None:
        """Wait until the screen shows `text`."""
        end = time.monotonic() + PATIENCE
        while self.screen().count(text) < times:
            assert time.monotonic() < end, f"no {text!r} on:\n{self.screen()}"
            time.sleep(0.05)

    def close(self) -> None:
        """End the shell and its terminal."""
        self._run("kill-server")


@pytest.fixture
def terminal(tmp_path: Path, work: Path) -> Iterator[Terminal]:
    """Give a terminal whose shell stands in `work`."""
    terminal = Terminal(tmp_path / "tmux", work)
    yield terminal
    terminal.close()


def shell_words(record: Recorder, *words: str) -> str:
    """Give the command line to type."""
    return " ".join(os.fsdecode(word) for word in record.command(*words, options=["--quiet"]))


@pytest.mark.skipif(shutil.which("vim") is None, reason="needs vim")
def test_vim(terminal: Terminal, record: Recorder, work: Path) -> None:
    """Edit, suspend, resume, write."""
    terminal.type(shell_words(record, "vim", "-u", "NONE", "notes"), "Enter")
    terminal.wait('"notes"')
    terminal.type("ihello", "Escape", "C-z")
    terminal.wait("Stopped")
    terminal.type("fg", "Enter")
    terminal.wait("hello")
    terminal.type(":wq", "Enter")
    # What is typed while vim still has the terminal, vim discards.
    terminal.wait("\nready>", times=3)
    terminal.type("echo 'at' the shell", "Enter")
    terminal.wait("at the shell")
    assert (work / "notes").read_text() == "hello\n"
    assert record.paths(work)[os.fsencode(work / "notes")].effect is Effect.CREATED


@pytest.mark.skipif(shutil.which("less") is None, reason="needs less")
def test_less(terminal: Terminal, record: Recorder, work: Path) -> None:
    """A pager reads keys from the terminal and resets it at the end."""
    (work / "long").write_text("".join(f"line {i}\n" for i in range(200)))
    terminal.type(shell_words(record, "less", "long"), "Enter")
    terminal.wait("line 20")
    terminal.type("G")
    terminal.wait("line 199")
    terminal.type("q", "echo 'at' the shell", "Enter")
    terminal.wait("at the shell")


def test_interrupt(terminal: Terminal, record: Recorder) -> None:
    """Ctrl-C ends the program once, and the shell sees the death of an interrupt."""
    Path(record.database.parent / "work/script").write_text("echo up\nexec sleep 100\n")
    terminal.type(shell_words(record, "sh", "script"), "Enter")
    terminal.wait("up\n")
    terminal.type("C-c")
    terminal.type("echo status $?", "Enter")
    terminal.wait("status 130")
    assert record.details().run.exit_signal == 2


def test_interrupt_that_is_handled(terminal: Terminal, record: Recorder, work: Path) -> None:
    """A program that catches Ctrl-C gets it exactly once and goes on."""
    (work / "script").write_text("trap 'echo caught' INT\necho up\nsleep 2\nsleep 1\necho over\n")
    terminal.type(shell_words(record, "bash", "script"), "Enter")
    terminal.wait("up\n")
    terminal.type("C-c")
    terminal.wait("over\n")
    assert terminal.screen().count("caught") == 1


def test_stop_and_go_on(terminal: Terminal, record: Recorder) -> None:
    """A program that stops only itself is a stopped job, and fg goes on with it."""
    words = shell_words(record, "bash", "script")
    script = "echo up\nkill -STOP $$\necho over\n"
    Path(record.database.parent / "work/script").write_text(script)
    terminal.type(words, "Enter")
    terminal.wait("Stopped")
    terminal.type("fg", "Enter")
    terminal.wait("over\n")
