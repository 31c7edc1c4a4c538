"""systemd, asked and told through systemctl: here, and nowhere else."""

import os
import re
import subprocess
from subprocess import CompletedProcess

from imptrace.errors import ImptraceError

TELL_SECONDS = 300
"""Longer than systemd itself waits for a unit to start (90 s) and to stop (90 s) by default."""
ASK_SECONDS = 10
_PROPERTY = re.compile(r"^([A-Z][A-Za-z0-9]*)=(.*)$", re.ASCII)
_PLAIN = {"LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_URLIFY": "0"}


class ManagerError(ImptraceError):
    """The service manager refused, or cannot be reached."""


def systemctl(
    *arguments: str, user: bool = False, seconds: float = TELL_SECONDS
) -> CompletedProcess[str]:
    """Run systemctl, whatever it answers. Raises ManagerError where there is no answer.

    `user`: of the user who runs us, not PID 1. What is not UTF-8 comes as surrogates.
    """
    try:
        return subprocess.run(
            ["systemctl", "--user" if user else "--system", "--no-pager", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            env={**os.environ, **_PLAIN},
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise ManagerError("systemctl is not in PATH: is this a systemd machine?") from None
    except OSError as error:
        raise ManagerError(f"systemctl cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired:
        words = " ".join(arguments)
        raise ManagerError(f"`systemctl {words}` did not end within {seconds} s") from None


def answer_of(*arguments: str, user: bool = False, seconds: float = TELL_SECONDS) -> str:
    """Give what systemctl prints. Raises ManagerError with what it complains of."""
    done = systemctl(*arguments, user=user, seconds=seconds)
    if done.returncode:
        raise ManagerError(complaint(arguments, done))
    return done.stdout


def answer_if_any(*arguments: str, user: bool = False, seconds: float = ASK_SECONDS) -> str:
    """Give what systemctl prints; nothing where there is no systemd, or it refuses."""
    try:
        return answer_of(*arguments, user=user, seconds=seconds)
    except ManagerError:
        return ""


def properties_in(text: str) -> dict[str, str]:
    """Read what `systemctl show` prints of one unit; of several values of one name the first."""
    properties: dict[str, str] = {}
    for line in text.split("\n"):
        if found := _PROPERTY.match(line):
            properties.setdefault(found[1], found[2])
    return properties


def complaint(arguments: tuple[str, ...], done: CompletedProcess[str]) -> str:
    """Say what systemctl said of a command that failed."""
    said = [line for line in done.stderr.split("\n") if line.strip()]
    first = said[0] if said else f"exit status {done.returncode}"
    return f"`systemctl {' '.join(arguments)}`: {first}"
