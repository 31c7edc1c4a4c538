"""The unit that runs: what it is, and where a copy of it would get in its way."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from imptrace.errors import ImptraceError, UsageError
from imptrace.facts.systemctl import answer_of, properties_in
from imptrace.kept.rehearse.unit.files import copied_service, copied_socket, manages_network

_CGROUPS = Path("/sys/fs/cgroup")
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_LISTENS, _BOUND = "0A", "07"
_BUS = ("dbus.socket", "dbus.service")
_TABLES = (("tcp", _LISTENS), ("tcp6", _LISTENS), ("udp", _BOUND), ("udp6", _BOUND))


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveUnit:
    """A unit, its sockets, and the files of their copies."""

    name: str
    properties: Mapping[str, str]
    sockets: tuple[str, ...]
    """Those that start it and hand it their connections, which a copy needs too."""
    files: Mapping[str, str]
    """By name, for the manager in the copy."""
    manages_network: bool

    @property
    def is_running(self) -> bool:
        """Whether the live one runs."""
        return self.properties.get("ActiveState") in ("active", "activating", "reloading")


def find_unit(word: str, exchange: str) -> LiveUnit:
    """Look a unit up. Raises UsageError where it cannot be rehearsed, ImptraceError."""
    name = word if word.endswith(".service") else f"{word}.service"
    if name.endswith("@.service"):
        raise UsageError(f"{name} is a template: name an instance of it, NAME@INSTANCE.service")
    properties = show(name)
    if properties.get("LoadState") != "loaded":
        raise UsageError(f"there is no unit {name} here; see: systemctl list-units --type=service")
    name = properties.get("Id", name)
    triggers = properties.get("TriggeredBy", "").split()
    shown = {each: show(each) for each in triggers if each.endswith(".socket")}
    # What starts an instance for each connection gives a copy nothing to start with.
    sockets = tuple(each for each, of in shown.items() if of.get("Accept") != "yes")
    texts = _texts(properties)
    files = {name: copied_service(texts, exchange, sockets)}
    files |= {each: copied_socket(_texts(shown[each])) for each in sockets}
    if properties.get("Type") == "dbus":
        files |= dict(_bus(exchange))
    return LiveUnit(
        name=name,
        properties=properties,
        sockets=sockets,
        files=files,
        manages_network=manages_network(texts),
    )


def show(unit: str) -> dict[str, str]:
    """Ask systemd for all properties of a unit. Raises ManagerError."""
    return properties_in(answer_of("show", "--", unit))


def clashes(unit: LiveUnit) -> list[str]:
    """Name what a copy could not have as long as the live unit runs: ports, abstract sockets.

    Its files, its locks and its sockets below /run are the copy's own.
    """
    found: dict[str, None] = {}
    if unit.is_running:
        for pid in _pids(unit.properties.get("ControlGroup", "")):
            found |= dict.fromkeys(_listening(pid))
    for socket in unit.sockets:
        shown = show(socket)
        if shown.get("ActiveState") == "active":
            # As in `[::]:22 (Stream)`.
            listens = (part.partition(" (") for part in shown.get("Listen", "").split(") "))
            found |= {where: None for where, _, _ in listens if where and where[0] != "/"}
    return list(found)


def _texts(properties: Mapping[str, str]) -> list[str]:
    paths = [properties.get("FragmentPath", ""), *properties.get("DropInPaths", "").split()]
    texts = []
    for path in paths:
        if path:
            try:
                texts.append(Path(path).read_bytes().decode(errors="surrogateescape"))
            except OSError as error:
                raise ImptraceError(f"{path} cannot be read: {error.strerror}") from error
    if not texts:
        raise UsageError(f"{properties.get('Id')} has no file: there is nothing to copy")
    return texts


def _bus(exchange: str) -> Iterator[tuple[str, str]]:
    """Yield the files of a message bus of the copy's own."""
    socket, service = (show(each) for each in _BUS)
    if socket.get("LoadState") == service.get("LoadState") == "loaded":
        yield _BUS[0], copied_socket(_texts(socket))
        yield service.get("Id", _BUS[1]), copied_service(_texts(service), exchange, _BUS[:1])


def _pids(cgroup: str) -> Iterator[str]:
    if cgroup.strip("/"):
        for directory, _, _ in os.walk(f"{_CGROUPS}{cgroup}"):
            with suppress(OSError):
                yield from Path(directory, "cgroup.procs").read_text().split()


def _listening(pid: str) -> Iterator[str]:
    """Yield what a process listens on in our network: of another one it clashes with nothing."""
    if _network(pid) != _network("self"):
        return
    own = set(_sockets(pid))
    for table, state in _TABLES:
        for row in _rows(f"/proc/net/{table}"):
            if row[3] == state and row[9] in own:
                yield f"{table[:3].upper()} port {int(row[1].rpartition(':')[2], 16)}"
    for row in _rows("/proc/net/unix"):
        name = row[-1]
        if row[6] in own and name.startswith("@"):
            yield f"abstract socket {name}"


def _network(pid: str) -> str | None:
    with suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/net")
    return None


def _sockets(pid: str) -> Iterator[str]:
    with suppress(OSError):
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                if match := _SOCKET.fullmatch(os.readlink(f"/proc/{pid}/fd/{descriptor}")):
                    yield match[1]


def _rows(table: str) -> list[Sequence[str]]:
    with suppress(OSError):
        return [line.split() for line in Path(table).read_text().splitlines()[1:]]
    return []
