"""Nix, asked in one place: what it evaluates or parses, and why it does not."""

import os
from collections.abc import Mapping

from imptrace.facts.commands import CommandError, run

EVAL = ("nix", "--extra-experimental-features", "nix-command flakes", "eval", "--json")
_ERROR = "error:"


class NixError(CommandError):
    """What Nix has to say against it, in one line."""


def ask_nix(
    *command: str,
    given: bytes = b"",
    seconds: float | None = None,
    defaults: Mapping[str, str] | None = None,
) -> bytes:
    """Give what a command of Nix prints; `defaults`: for what the environment does not set.

    Raises NixError where it refuses, CommandError where it cannot be asked.
    """
    environment = {**defaults, **os.environ} if defaults else None
    done = run(*command, given=given, seconds=seconds, environment=environment)
    if done.returncode:
        raise NixError(_reason(done.stderr.decode(errors="replace")))
    return done.stdout


def _reason(said: str) -> str:
    """Choose the line that tells most: the last error, since it begins with what led to it."""
    lines = [line.strip() for line in said.split("\n") if line.strip()]
    errors = [line for line in lines if line.startswith(_ERROR) and line != _ERROR]
    return (errors or lines or ["no reason given"])[-1].removeprefix(_ERROR).strip()
