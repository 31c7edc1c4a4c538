"""`imptrace rehearse --unit`: the unit, its copy, and the one that runs meanwhile."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import typer

from imptrace.cli.messages import say
from imptrace.errors import ImptraceError, UsageError
from imptrace.facts.levels import Kind
from imptrace.facts.units import private_path, unit_directories
from imptrace.kept.move import units
from imptrace.kept.rehearse.model import Keep
from imptrace.kept.rehearse.rehearsing import EXCHANGE
from imptrace.kept.rehearse.unit.live import LiveUnit, clashes, find_unit
from imptrace.kept.rehearse.unit.order import UnitOrder, commands, find_systemd, write_order
from imptrace.record.service.launch import this_program

_SECONDS = 5.0
_SCOPE = "imptrace-rehearsal-"
_PRIVATE = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRehearsal:
    """A unit that is to be rehearsed."""

    unit: LiveUnit
    stops: tuple[str, ...]
    """Units that run, and have to be stopped meanwhile."""
    own_network: bool

    @classmethod
    def of(cls, word: str, *, stop: bool, own_network: bool) -> Self:
        """Look the unit up, and whatever its copy would clash with. Raises ImptraceError."""
        if os.geteuid() != 0:
            raise ImptraceError("a copy of a unit has users of its own, so it needs root: use sudo")
        find_systemd()
        _be_in_scope()
        unit = find_unit(word, os.fsdecode(EXCHANGE))
        if unit.manages_network and not own_network:
            say(
                f"{unit.name} sets up the network: its copy gets one of its own, with nothing in it"
            )
            own_network = True
        found = [] if own_network else clashes(unit)
        stops = tuple(units.running((*unit.sockets, unit.name))) if found else ()
        if found:
            says = f"{unit.name} runs, and its copy would clash with it over {', '.join(found)}"
            if not stop and not _agreed(says):
                ways = "--stop stops it meanwhile, --own-network gives the copy another network"
                raise UsageError(f"{says}: {ways}")
        return cls(unit=unit, stops=stops, own_network=own_network)

    def keeps(self) -> tuple[Keep, ...]:
        """Name what the unit itself declares, for want of anything better."""
        properties = self.unit.properties
        is_dynamic = properties.get("DynamicUser") == "yes"
        found = tuple(
            Keep(
                path=private_path(each.path) if is_dynamic else each.path,
                kind=Kind.DIRECTORY,
                user=None if is_dynamic else each.user,
                group=None if is_dynamic else each.group,
                mode=_PRIVATE if is_dynamic else each.mode,
            )
            for each in unit_directories(properties)
            if not each.path.startswith(b"/etc/")
        )
        if found:
            say(f"nothing is known of {self.unit.name} but the directories that it declares")
        return found

    def commands(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Give the commands that boot its copy, for the first start and the second."""
        return commands(EXCHANGE)

    @contextmanager
    def prepared(
        self, exchange: Path, seconds: float | None, first: str | None, again: str | None
    ) -> Iterator[None]:
        """Write down what is to be done, and keep what clashes stopped for as long as it takes."""
        systemd, systemctl = find_systemd()
        order = UnitOrder(
            unit=self.unit.name,
            starts=(*self._bus(), *self.unit.sockets, self.unit.name),
            systemd=systemd,
            systemctl=systemctl,
            seconds=seconds or _SECONDS,
            first=first or again,
            again=again or first,
            own_network=self.own_network,
        )
        write_order(self.unit, order, exchange)
        stopped: list[str] = []
        try:
            for name in self.stops:
                say(f"{name} is stopped meanwhile")
                stopped.append(name)
                why = units.stop(name)
                if why is not None:
                    raise ImptraceError(f"{name} does not stop: {why}")
            yield
        finally:
            for name in stopped:
                why = units.start(name)
                say(f"{name} runs again" if why is None else f"{name} did not start again: {why}")

    def _bus(self) -> tuple[str, ...]:
        return tuple(name for name in self.unit.files if name == "dbus.socket")


def _be_in_scope() -> None:
    """Run in a scope of our own, so that the manager in the copy may have control groups below it.

    Starts imptrace anew where it is not in one.
    """
    own = Path("/proc/self/cgroup").read_text().rstrip()
    if f"/{_SCOPE}" in own:
        return
    if not any(line.startswith("0::") for line in own.splitlines()) or not os.path.exists(
        "/sys/fs/cgroup/cgroup.controllers"
    ):
        raise ImptraceError("a copy of a unit needs control groups of version 2 at /sys/fs/cgroup")
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(
            "systemd-run",
            [
                *("systemd-run", "--scope", "--quiet", "--collect", "--property=Delegate=yes"),
                *(f"--unit={_SCOPE}{os.getpid()}", "--", *this_program(), *sys.argv[1:]),
            ],
        )
    except OSError as error:
        raise ImptraceError(f"systemd-run cannot be started: {error.strerror}") from error


def _agreed(says: str) -> bool:
    if not sys.stdin.isatty():
        return False
    return typer.confirm(f"{says}. Stop it meanwhile?", default=False, err=True)
