"""Other programs, run to their end for what they answer or do: here, and nowhere else.

But for systemctl (imptrace.facts.systemctl), git (imptrace.contribute.git), and programs that talk
to the user or are looked at while they run.
"""

import subprocess
from collections.abc import Mapping
from subprocess import CompletedProcess

from imptrace.errors import ImptraceError


class CommandError(ImptraceError):
    """A program cannot be run, takes too long, or did not do what it was asked for."""


def run(
    *command: str | bytes,
    given: bytes = b"",
    seconds: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> CompletedProcess[bytes]:
    """Run a program to its end, whatever it answers; `given`: what it can read.

    Raises CommandError where there is no answer within `seconds`.
    """
    name = command[0] if isinstance(command[0], str) else command[0].decode(errors="replace")
    try:
        return subprocess.run(
            command,
            input=given,
            capture_output=True,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise CommandError(f"{name} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired:
        raise CommandError(f"{name} did not end within {seconds:g} s") from None


def answer_of(
    *command: str | bytes,
    seconds: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Give what a program prints. Raises CommandError with what it complains of."""
    done = run(*command, seconds=seconds, environment=environment)
    if done.returncode:
        raise CommandError(complaint(done))
    return done.stdout


def answer_if_any(*command: str | bytes, seconds: float | None = None) -> bytes:
    """Give what a program prints; nothing where it is not installed or says no."""
    try:
        return answer_of(*command, seconds=seconds)
    except CommandError:
        return b""


def complaint(done: CompletedProcess[bytes]) -> str:
    """Say what a program that failed said of it, in one line."""
    said = [line.strip() for line in done.stderr.decode(errors="replace").split("\n")]
    return next(filter(None, said), f"exit status {done.returncode}")
