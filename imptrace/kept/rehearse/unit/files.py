"""The files of a unit as its copy has them. Pure.

The manager in the copy knows these files and no others, so that whatever ties the unit to the rest
of the machine has to go: dependencies, restarts, actions of the whole system. All that says how it
runs stays as it is: commands, users, directories, sandbox, limits.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from imptrace.facts.unit_files import directives

UNIT_DIRECTORY = "units"
SAID = "said"
_ALONE = "DefaultDependencies=no"
_KEPT_OF_UNIT = ("Condition", "Assert", "Description", "StartLimit")
_OUTPUTS = ("StandardOutput", "StandardError")
_TIES = {
    "Service": frozenset(
        {
            *("Slice", "Sockets", "Restart", "RestartForceExitStatus", "LogNamespace"),
            *_OUTPUTS,
            *("FailureAction", "SuccessAction", "RebootArgument"),
            # Old names of what stands in [Unit] now.
            *("StartLimitAction", "JoinsNamespaceOf"),
        }
    ),
    "Socket": frozenset({"Slice"}),
}
_STREAMS = ("socket", "tty", "fd")
_LIMITING = "CapabilityBoundingSet"
_GIVING = "AmbientCapabilities"
_NETWORK = "CAP_NET_ADMIN"
_BEFORE_NETWORK = frozenset({"network.target", "network-pre.target"})


def copied_service(texts: Iterable[str], exchange: str, sockets: Sequence[str]) -> str:
    """Write the one file of a service from its own, in the order in which systemd reads them."""
    lines, streams = ["[Unit]", _ALONE], True
    for section, key, value in _settings(texts):
        if key == "StandardInput" and value.startswith(_STREAMS):
            streams = False
        lines += _line(section, key, value, lines)
    lines += ["[Service]", "Restart=no"]
    lines += [f"Sockets={' '.join(sockets)}"] if sockets else []
    if streams:
        lines += [f"{name}=append:{exchange}/{SAID}" for name in _OUTPUTS]
    return "\n".join([*lines, ""])


def copied_socket(texts: Iterable[str]) -> str:
    """Write the one file of a socket."""
    lines = ["[Unit]", _ALONE]
    for section, key, value in _settings(texts):
        lines += _line(section, key, value, lines)
    return "\n".join([*lines, ""])


def manages_network(texts: Iterable[str]) -> bool:
    """Whether a unit is there to set up the network, which a copy must never do to the real one."""
    for section, key, value in _settings(texts):
        words = value.split()
        if section == "Unit" and key == "Before" and not _BEFORE_NETWORK.isdisjoint(words):
            return True
        if key in (_LIMITING, _GIVING) and _NETWORK in words and not value.startswith("~"):
            return True
    return False


def _settings(texts: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    return chain.from_iterable(directives(text) for text in texts)


def _line(section: str, key: str, value: str, lines: Sequence[str]) -> list[str]:
    """Write one setting, with its section where that is not the last one; nothing for a tie."""
    if section == "Install" or key in _TIES.get(section, ()):
        return []
    if section == "Unit" and not key.startswith(_KEPT_OF_UNIT):
        return []
    last = next(line for line in reversed(lines) if line.startswith("["))
    head = [f"[{section}]"] if last != f"[{section}]" else []
    return [*head, f"{key}={value}"]
