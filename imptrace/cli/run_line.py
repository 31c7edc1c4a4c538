"""`imptrace run [OPTIONS] [--] PROGRAM [ARGS]...`, where it is written plainly.

The options and their help are those of imptrace.cli.run, which a test holds this to.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

from imptrace.cli.wish import Wait, Wish
from imptrace.db.location import ENVIRONMENT
from imptrace.tracer.recorder import AUTO, LAUNCHERS

FLAGS = {name: name for name in ("--writes-only", "--stats", "--io-uring", "--quiet")}
FLAGS["-q"] = "--quiet"
VALUES = frozenset({"--db", "--label", "--service", "--user", "--wait", "--recorder"})
_COMPLETION = "_IMPTRACE_COMPLETE"


class _RunLine(NamedTuple):
    flags: frozenset[str]
    values: dict[str, str]
    command: Sequence[str]


def plain_wish(words: Sequence[str]) -> Wish | None:
    """Understand the words after `imptrace`; None if that is left to typer."""
    if not words or words[0] != "run" or _COMPLETION in os.environ:
        return None
    line = _taken_apart(words[1:])
    if line is None or not line.command:
        return None
    flags, values, command = line
    try:
        return Wish(
            command=command,
            database=values.get("--db", os.environ.get(ENVIRONMENT) or None),
            label=values.get("--label"),
            service=values.get("--service"),
            user=values.get("--user"),
            writes_only="--writes-only" in flags,
            stats="--stats" in flags,
            io_uring="--io-uring" in flags,
            wait=Wait(values.get("--wait", Wait.NONE)),
            recorder=_recorder(values.get("--recorder", AUTO)),
            quiet="--quiet" in flags,
        )
    except ValueError:
        return None


def _recorder(name: str) -> str:
    if name != AUTO and name not in LAUNCHERS:
        raise ValueError(name)
    return name


def _taken_apart(words: Sequence[str]) -> _RunLine | None:
    """Separate the options from the program's own words; None if an option is not plain."""
    flags, values = set(), {}
    position = 0
    while position < len(words) and words[position].startswith("-") and words[position] != "-":
        word = words[position]
        position += 1
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if word in FLAGS:
            flags.add(FLAGS[word])
        elif name in VALUES and equals:
            values[name] = value
        elif name in VALUES and position < len(words) and not words[position].startswith("-"):
            values[name] = words[position]
            position += 1
        else:
            return None
    return _RunLine(frozenset(flags), values, words[position:])
