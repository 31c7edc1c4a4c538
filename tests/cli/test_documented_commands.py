"""Every command line that README and docs print: its command is there, and so are its options."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from imptrace.cli.commands import COMMANDS, loaded

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_SPAN = re.compile(r"`([^`\n]+)`")
_LINE = re.compile(r"^(?:[$#] )?(?:.*\| *)?((?:sudo )?imptrace .*)$")
_FIRST = re.compile(r"(?:sudo )?imptrace ([a-z]+)(?: |$)")
_OPTION = re.compile(r"(?<=\s)(--?[a-z][a-z-]*)(?=[\s=]|$)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')
_OF_ALL = {"--help", "--version", "-h", "-V", "--install-completion", "--show-completion"}


def command_lines(page: Path) -> Iterator[str]:
    """Find what is written as a command, in blocks and within sentences."""
    in_block = False
    for line in page.read_text().splitlines():
        if line.lstrip().startswith("```"):
            in_block = not in_block
        elif in_block:
            match = _LINE.match(line.strip())
            if match:
                yield match[1].partition(" #")[0]
        else:
            yield from (span for span in _SPAN.findall(line) if _FIRST.match(span))


@lru_cache
def options_of(name: str, below: str | None) -> set[str]:
    """List the options of a command, or of one below it."""
    command: Any = loaded(name, COMMANDS[name])
    if hasattr(command, "commands"):
        command = command.commands[below] if below else command
    return {opt for each in command.params for opt in (*each.opts, *each.secondary_opts)}


def problem(line: str) -> str | None:
    """Say what is wrong with a command line, if anything is."""
    match = _FIRST.match(line)
    if match is None:
        return None
    name = match[1]
    if name not in COMMANDS:
        return f"no command {name}"
    words = line.removeprefix("sudo ").split()[2:]
    below = words[0] if name == "service" and words and words[0].isalpha() else None
    if below in ("…", None) and name == "service":
        return None
    # What stands behind the program's name, or behind --, is the program's.
    text = _QUOTED.sub("WORD", " ".join(words))
    own = " " + re.split(r" -- | (?:[|;&]|&&) |, `", text)[0]
    if name == "run":
        own = re.sub(r"((?:\s--?[a-z-]+(?:[ =](?!-)\S+)?)*).*", r"\1", own)
    unknown = set(_OPTION.findall(own)) - options_of(name, below) - _OF_ALL
    return f"no option {', '.join(sorted(unknown))}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_printed_exists(page: Path) -> None:
    wrong = {line: why for line in command_lines(page) if (why := problem(line))}
    assert not wrong


def test_the_reader_sees_commands() -> None:
    """Not only nothing wrong: README has dozens of lines."""
    found = list(command_lines(ROOT / "README.md"))
    assert len([line for line in found if _FIRST.match(line)]) > 20
    assert problem("imptrace recommend --nonsense") == "no option --nonsense"
    assert problem("imptrace nosuch") == "no command nosuch"


def test_service_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """In lines, with whole sentences."""
    command: Any = loaded("service", COMMANDS["service"])
    command(args=[], prog_name="imptrace service", standalone_mode=False, max_content_width=80)
    text = capsys.readouterr().out
    assert "..." not in text.replace("[ARGS]...", "")
    assert [line.split()[0] for line in text.splitlines() if line.startswith("  s")] == [
        "start",
        "status",
    ]
