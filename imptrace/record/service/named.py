"""Which units are meant: by their own names, or by what the catalogue calls a service."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from imptrace.errors import UsageError
from imptrace.record.service.manager import Manager
from imptrace.record.service.units import load_unit

_SUFFIXES = (
    ".service", ".socket", ".target", ".mount", ".automount", ".timer", ".path", ".slice",
    ".scope", ".swap", ".device",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """A unit that is meant."""

    unit: str
    may_restart: bool = True
    """Off for what is over already and is only one of several: what it does is done once."""


def named_units(
    word: str, manager: Manager, known: Callable[[str, bool], Sequence[str]]
) -> list[Named]:
    """Find what the user means: one unit, or all that the catalogue knows by that name.

    `known` answers with the catalogue's unit names and patterns for a word, of which the second
    argument says whether it is a unit's name too. Raises UsageError.
    """
    name = _unit_name(word)
    asked = manager.show(name)
    is_unit = asked.get("LoadState") != "not-found"
    if is_unit:
        name = asked.get("Id", name)  # its own, if `word` is an alias of systemd's
    patterns = () if word.endswith(".service") else known(word, is_unit)
    members = list(_members(patterns, manager))
    if is_unit and (len(members) <= 1 or name not in members):
        return [Named(name)]
    if not members:
        kind = "user unit" if manager.user else "unit"
        raise UsageError(f"no {kind} {name}, and nothing of that name in the catalogue")
    return [_one_of(members, each, manager) for each in members]


def _unit_name(word: str) -> str:
    name = word if word.endswith(_SUFFIXES) else f"{word}.service"
    if not name.endswith(".service"):
        raise UsageError(f"{word}: only services have processes to record; name the .service")
    if "/" in name or name.startswith(("-", ".service")) or not name.isprintable():
        raise UsageError(f"{word!r} is no unit name")
    if name.endswith("@.service"):
        raise UsageError(f"{name} is a template: name an instance of it, NAME@INSTANCE.service")
    return name


def _members(patterns: Iterable[str], manager: Manager) -> Iterator[str]:
    """List the services that are there and can be recorded, each once, in order."""
    services = [each for each in patterns if each.endswith(".service")]
    # Instances belong to whoever connects or logs in (sshd@*), unless there is nothing else, or
    # what else there is was over at once: Debian's postgresql.service only stands for its clusters.
    plain = [each for each in services if "@" not in each]
    found = list(dict.fromkeys(unit for each in plain for unit in _loaded(each, manager)))
    yield from found
    if all(manager.show(unit).get("SubState") == "exited" for unit in found):
        every = dict.fromkeys(unit for each in services for unit in _loaded(each, manager))
        yield from (unit for unit in every if unit not in found)


def _loaded(pattern: str, manager: Manager) -> Iterator[str]:
    for unit in manager.loaded_units(pattern) if "*" in pattern else [pattern]:
        try:
            if not unit.endswith("@.service"):
                yield load_unit(unit, manager).name
        except UsageError:
            continue


def _one_of(members: Sequence[str], unit: str, manager: Manager) -> Named:
    is_over = manager.show(unit).get("SubState") == "exited"
    return Named(unit, may_restart=len(members) == 1 or not is_over)
