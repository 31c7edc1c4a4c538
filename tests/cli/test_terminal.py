"""On a terminal: answers fit its width, long ones go through the pager, pipes stay whole."""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

import pytest
from rich.cells import cell_len

IMPTRACE = str(Path(sys.executable).with_name("imptrace"))


def on_terminal(columns: int, *words: str, **environment: str) -> str:
    """Run imptrace on a terminal of so many columns and 24 lines; what it shows, uncoloured."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update({"TERM": "xterm", "NO_COLOR": "1", **environment})
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        os.execv(IMPTRACE, [IMPTRACE, *words])
    shown = b""
    while True:
        try:
            block = os.read(terminal, 65536)
        except OSError:
            break
        if not block:
            break
        shown += block
    os.waitpid(child, 0)
    os.close(terminal)
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_answers_fit_the_terminal(columns: int) -> None:
    for words in (["services"], ["services", "firefox"], ["recommend", "--service", "fish"]):
        lines = on_terminal(columns, *words, PAGER="cat", IMPTRACE_DB="/nonexistent/x").split("\n")
        assert max(map(cell_len, lines)) <= columns, words


def test_a_long_answer_goes_through_the_pager() -> None:
    pager = "sed s/^/paged:/"
    assert on_terminal(80, "services", PAGER=pager).startswith("paged:")
    assert "paged:" not in on_terminal(80, "services", "--no-pager", PAGER=pager)
    assert "paged:" not in on_terminal(80, "services", "fish", PAGER=pager)
