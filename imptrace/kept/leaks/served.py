"""Since when a service writes what is its own, though the boot may not be over by then."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from imptrace.catalogue import Entry
from imptrace.facts.patterns import is_called
from imptrace.facts.systemctl import answer_if_any
from imptrace.kept.boot import AFTER_AT_MOST, Boot, wall_clock

_ENTERED = "ActiveEnterTimestampMonotonic"
_PROPERTIES = f"Id,Names,Type,TriggeredBy,{_ENTERED}"
_MICROSECOND = 1000
_TELLS = frozenset({"notify", "notify-reload", "forking", "dbus"})
"""Types of services that are active when they are up; others are while they still begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedService:
    """A service that systemd has started, at some time of day."""

    names: tuple[str, ...]
    active_ns: int
    tells: bool
    """Whether it was up by then."""
    is_triggered: bool
    """Whether a timer, a socket or the bus starts it, so that the next boot may just as well."""


class Served:
    """Answers for one entry of the catalogue after the other."""

    def __init__(self, boot: Boot, services: Iterable[StartedService] = ()) -> None:
        self._boot = boot
        self._services = tuple(services)
        self._found: dict[tuple[str, bool], int | None] = {}

    def since_ns(self, entry: Entry, *, is_roots: bool) -> int | None:
        """Tell from when on a change in an entry's state is no work of the boot.

        None: no sooner than for everything else. `is_roots`: root owns what changed. Root does
        much by itself when all is up; a service with a user of its own does what it is asked to.
        """
        key = entry.id, is_roots
        if key not in self._found:
            mine = [
                each
                for each in self._services
                if any(is_called(name, entry.units) for name in each.names)
            ]
            self._found[key] = self._since(mine, is_roots=is_roots)
        return self._found[key]

    def _since(self, mine: list[StartedService], *, is_roots: bool) -> int | None:
        up = self._boot.up_ns
        if up is None:
            # One job that does not end must not make the boot of what runs for hours.
            return min((each.active_ns + AFTER_AT_MOST for each in mine), default=None)
        by_somebody = any(each.active_ns > up and not each.is_triggered for each in mine)
        return up if by_somebody or (not is_roots and any(each.tells for each in mine)) else None


def started_services() -> tuple[StartedService, ...]:
    """Ask systemd which services it has started; none without it."""
    shown = answer_if_any("show", f"--property={_PROPERTIES}", "*.service")
    blocks = (
        dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        for block in shown.split("\n\n")
    )
    return tuple(each for block in blocks for each in _started(block))


def _started(shown: Mapping[str, str]) -> Iterator[StartedService]:
    entered = shown.get(_ENTERED, "0")
    if entered.isdecimal() and int(entered):
        yield StartedService(
            names=(shown.get("Id", ""), *shown.get("Names", "").split()),
            active_ns=wall_clock(int(entered) * _MICROSECOND),
            tells=shown.get("Type") in _TELLS,
            is_triggered=bool(shown.get("TriggeredBy")) or shown.get("Type") == "dbus",
        )
