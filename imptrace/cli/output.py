"""Where an answer goes: to stdout, through a pager if it is long and somebody reads it."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from imptrace.cli.messages import write_answer
from imptrace.errors import UsageError
from imptrace.render.json_text import dump

if TYPE_CHECKING:
    from imptrace.render.screen import Screen

_PAGER = "less"
_LESS = "FRX"
"""As git has it: leave if all fits, pass colours on, keep the text on the screen."""


def screen() -> "Screen":
    """Tell how stdout shows text."""
    # What draws is not imported for an answer that other programs read.
    from imptrace.render.screen import screen_for

    return screen_for(sys.stdout)


def answer(text: str, *, pager: bool = True) -> None:
    """Write an answer to stdout."""
    lines = text.count("\n") + 1
    command = _pager() if pager and sys.stdout.isatty() else None
    if command is None or lines < shutil.get_terminal_size().lines:
        write_answer(text + "\n")
    else:
        _page(text + "\n", command)


def answer_json(answered: Mapping[str, object] | str) -> None:
    """Write an answer for programs."""
    write_answer((answered if isinstance(answered, str) else dump(answered)) + "\n")


def _pager() -> list[str] | None:
    """Find what $PAGER names, or less; nothing where that is `cat`, empty or not there."""
    with suppress(ValueError):
        words = shlex.split(os.environ.get("PAGER", _PAGER))
        if words and words[0] != "cat" and shutil.which(words[0]):
            return words
    return None


def _page(text: str, command: list[str]) -> None:
    environment = os.environ | {"LESS": os.environ.get("LESS", _LESS), "LESSCHARSET": "utf-8"}
    # Ctrl-C is the pager's as long as it is there.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as reader:
            reader.communicate(text.encode(errors="backslashreplace"))
    except BrokenPipeError:
        pass
    except OSError:
        sys.stdout.write(text)
    finally:
        signal.signal(signal.SIGINT, before)


def write_new_file(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, whole or not at all.

    Raises UsageError if it is there, or cannot be made.
    """
    try:
        file = path.open("xb")
    except FileExistsError as error:
        raise UsageError(f"{path} exists: name another file, or remove it") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with file:
            file.write(content)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
