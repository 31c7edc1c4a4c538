"""Units that are stopped while their data is copied: those that run, and no others."""

from collections.abc import Iterable

from imptrace.facts.systemctl import ManagerError, complaint, systemctl


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
    try:
        return systemctl(*arguments).stdout.strip()
    except ManagerError:
        return ""


def _tell(*arguments: str) -> str | None:
    try:
        done = systemctl(*arguments)
    except ManagerError as error:
        return str(error)
    return complaint(arguments, done) if done.returncode else None
