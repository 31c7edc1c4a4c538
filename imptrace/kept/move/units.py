"""Units that are stopped while their data is copied: those that run, and no others."""

import subprocess
from collections.abc import Iterable

_SECONDS = 300


def running(units: Iterable[str]) -> list[str]:
    """Keep the units that are active or starting. One that is not loaded is none of them."""
    return [unit for unit in dict.fromkeys(units) if _ask("is-active", "--", unit) in _RUNNING]


_RUNNING = ("active", "activating", "reloading")


def stop(unit: str) -> str | None:
    """Stop a unit; answer with what went wrong, if anything did."""
    return _tell("stop", "--", unit)


def start(unit: str) -> str | None:
    """Start a unit; answer with what went wrong, if anything did."""
    return _tell("start", "--", unit)


def _ask(*arguments: str) -> str:
    done = _run(*arguments)
    return "" if done is None else done.stdout.strip()


def _tell(*arguments: str) -> str | None:
    done = _run(*arguments)
    if done is None:
        return "systemctl gives no answer"
    if done.returncode == 0:
        return None
    said = done.stderr.strip().splitlines()
    return said[0] if said else f"exit status {done.returncode}"


def _run(*arguments: str) -> "subprocess.CompletedProcess[str] | None":
    try:
        return subprocess.run(
            ["systemctl", "--no-pager", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
