"""Values as people read them: sizes, times, paths, command lines. Always safe for a terminal."""

import signal
from collections.abc import Sequence
from datetime import UTC, datetime

from imptrace.db.records import RunRecord, RunStatus
from imptrace.facts.paths import is_within, relative_to
from imptrace.render.text import printable

_NANOSECONDS = 1_000_000_000
_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")
_KILO = 1000
_TEN = 9.95  # from here on a decimal would make the number longer


def size(count: int) -> str:
    """Show a number of bytes in at most six characters.

    >>> size(999), size(51_200), size(2_500_000)
    ('999 B', '51 kB', '2.5 MB')
    """
    if count < _KILO:
        return f"{count} B"
    amount, power = count / _KILO, 0
    # The unit is chosen after rounding, so that 999,999 is not shown as 1000 kB.
    while round(amount) >= _KILO and power < len(_UNITS) - 1:
        amount, power = amount / _KILO, power + 1
    unit = _UNITS[power]
    return f"{amount:.1f} {unit}" if amount < _TEN else f"{amount:.0f} {unit}"


def local_time(nanoseconds: int) -> str:
    """Show a moment in the reader's time zone, to the second."""
    moment = datetime.fromtimestamp(nanoseconds / _NANOSECONDS, tz=UTC).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def took(run: RunRecord) -> str:
    """Show how long a run took, `-` while that is unknown."""
    if run.ended_ns is None:
        return "-"
    seconds = max(0.0, (run.ended_ns - run.started_ns) / _NANOSECONDS)
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def result(run: RunRecord) -> str:
    """Show how a run ended, or why that is unknown."""
    if run.status is not RunStatus.COMPLETE:
        return run.status.value
    if run.exit_signal is not None:
        return _signal_name(run.exit_signal)
    return "complete" if run.exit_code is None else f"exit {run.exit_code}"


def command_line(argv: Sequence[bytes]) -> str:
    """Show a command line, quoted where a shell would need it."""
    return " ".join(map(_shell_word, argv))


def tilde(path: bytes, home: bytes | None) -> str:
    """Show a path, with the home directory as `~`."""
    if home and home != b"/":
        if path == home:
            return "~"
        if is_within(path, home):
            return "~/" + printable(relative_to(path, home))
    return printable(path)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Show a number with its noun.

    >>> counted(1, "path"), counted(1200, "path")
    ('1 path', '1,200 paths')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _shell_word(argument: bytes) -> str:
    shown = printable(argument)
    plain = shown and all(character.isalnum() or character in "%+,-./:=@_~" for character in shown)
    return shown if plain else "'" + shown.replace("'", "'\\''") + "'"
