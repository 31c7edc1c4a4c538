"""What a unit's sandbox must allow for as long as it is recorded, and what is taken back again.

The shim needs three things in the unit's own surroundings: to be found, to reach the recorder's
socket, and to be allowed to install a seccomp filter. Where the unit's settings stand against
one of them, the drop-in widens exactly that setting. The shim gives up each capability again
before the program starts; what stays for the time of the recording is told to the user.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from imptrace.record.service.execline import quote

SHIM_SYSCALLS = (
    "clone", "close", "close_range", "connect", "execve", "exit_group", "ioctl", "ppoll", "prctl",
    "recvfrom", "seccomp", "sendmsg", "socket", "write",
)  # fmt: skip
"""Every syscall that tracer/notify/shim.c makes; `capget` and `capset` come with capabilities."""
_CAPABILITY_SYSCALLS = ("capget", "capset")

CAP_SETPCAP = 8
CAP_SYS_ADMIN = 21
_WANTED = {"cap_sys_admin": CAP_SYS_ADMIN, "cap_setpcap": CAP_SETPCAP}

_SECCOMP_SETTINGS = (
    "LockPersonality", "MemoryDenyWriteExecute", "PrivateDevices", "ProtectClock",
    "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
    "RestrictRealtime", "RestrictSUIDSGID",
)  # fmt: skip
_SECCOMP_LISTS = (
    "RestrictAddressFamilies", "SystemCallArchitectures", "SystemCallFilter", "SystemCallLog",
)  # fmt: skip
_NNP_NO_LONGER_IMPLIED = 255
"""systemd 255 keeps the privilege to install its own filters, instead of no_new_privs."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One line of the drop-in, and what it changes in words."""

    directive: str
    effect: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """All that a unit's sandbox must give the shim."""

    adjustments: tuple[Adjustment, ...] = ()
    drop_bounding: int = 0
    """Capabilities (a mask) that the shim takes out of its bounding set again."""
    drop_ambient: int = 0
    """Those that it takes out of all its other sets."""
    notes: tuple[str, ...] = ()
    """What recording changes without a line of the drop-in."""


def allowance(
    properties: Mapping[str, str],
    *,
    shim: str,
    runtime: str,
    version: int,
    user_manager: bool,
) -> Allowance:
    """Work out what the unit with these `properties` (as `systemctl show` gives them) lacks.

    `shim` and `runtime` are the paths of the shim and of the directory with the socket;
    `version` is systemd's.
    """
    privilege = _privilege(properties, version=version, user_manager=user_manager)
    lends = privilege.drop_bounding or privilege.drop_ambient
    calls = SHIM_SYSCALLS + (_CAPABILITY_SYSCALLS if lends else ())
    return Allowance(
        (
            *privilege.adjustments,
            *_missing_syscalls(properties.get("SystemCallFilter"), calls),
            *_missing_family(properties.get("RestrictAddressFamilies")),
            *_hidden_paths(properties, shim, runtime),
        ),
        privilege.drop_bounding,
        privilege.drop_ambient,
        privilege.notes,
    )


def _privilege(properties: Mapping[str, str], *, version: int, user_manager: bool) -> Allowance:
    """How the shim may install a filter: with no_new_privs, or with CAP_SYS_ADMIN."""
    if _is_on(properties, "NoNewPrivileges") or _is_on(properties, "DynamicUser"):
        return Allowance()
    if user_manager:
        return Allowance(
            notes=(
                "setuid programs that the unit starts run without their privilege (no_new_privs)",
            )
        )
    is_root = properties.get("User", "") in ("", "root", "0")
    if not is_root and version < _NNP_NO_LONGER_IMPLIED and _uses_seccomp(properties):
        return Allowance()
    bounding = properties.get("CapabilityBoundingSet", "").split()
    ambient = properties.get("AmbientCapabilities", "").split()
    # What is lent to the bounding set takes CAP_SETPCAP to be taken out again.
    unbound = [name for name in _WANTED if bounding and name not in bounding]
    wanted = list(_WANTED) if unbound else ["cap_sys_admin"]
    raised = [] if is_root else [name for name in wanted if name not in ambient]
    adjustments = [
        Adjustment(f"{setting}={_upper(names)}", f"{_upper(names)} until the program starts")
        for setting, names in (("CapabilityBoundingSet", unbound), ("AmbientCapabilities", raised))
        if names
    ]
    return Allowance(tuple(adjustments), _mask(unbound), _mask(raised))


def _mask(names: list[str]) -> int:
    return sum(1 << _WANTED[name] for name in names)


def _upper(names: list[str]) -> str:
    return " ".join(names).upper()


def _uses_seccomp(properties: Mapping[str, str]) -> bool:
    restricted = properties.get("RestrictNamespaces", "no") not in ("no", "")
    return (
        restricted
        or any(_is_on(properties, name) for name in _SECCOMP_SETTINGS)
        or any(name in properties for name in _SECCOMP_LISTS)
    )


def _missing_syscalls(value: str | None, calls: tuple[str, ...]) -> tuple[Adjustment, ...]:
    """`value` is None where the unit has no filter: any line would make it one."""
    if value is None:
        return ()
    denies = value.startswith("~")
    listed = {name.partition(":")[0] for name in value.removeprefix("~").split()}
    missing = sorted(call for call in calls if (call in listed) == denies)
    if not missing:
        return ()
    names = " ".join(missing)
    return (Adjustment(f"SystemCallFilter={names}", f"the unit may call {', '.join(missing)}"),)


def _missing_family(value: str | None) -> tuple[Adjustment, ...]:
    if value is None:
        return ()
    listed = "AF_UNIX" in value.removeprefix("~").split()
    if listed != value.startswith("~"):
        return ()
    return (Adjustment("RestrictAddressFamilies=AF_UNIX", "the unit may make sockets of AF_UNIX"),)


def _hidden_paths(properties: Mapping[str, str], shim: str, runtime: str) -> list[Adjustment]:
    needed = (runtime,) if _is_below(shim, runtime) else (runtime, shim)
    found = [
        Adjustment(f"BindReadOnlyPaths={quote(path, literal='%')}", f"{path} is seen inside")
        for path in needed
        if _is_hidden(path, properties)
    ]
    if any(_is_below(shim, covered) for covered in _paths(properties, "NoExecPaths")):
        found.append(Adjustment(f"ExecPaths={quote(shim, literal='%')}", f"{shim} may be executed"))
    return found


def _is_hidden(path: str, properties: Mapping[str, str]) -> bool:
    if properties.get("RootDirectory", "/") not in ("", "/") or properties.get("RootImage"):
        return True
    covered = _paths(properties, "TemporaryFileSystem", "InaccessiblePaths")
    covered += _destinations(properties, "BindPaths", "BindReadOnlyPaths")
    if properties.get("ProtectHome", "no") not in ("no", "read-only"):
        covered += ["/home", "/root", "/run/user"]
    if _is_on(properties, "PrivateTmp") or properties.get("PrivateTmp") == "disconnected":
        covered += ["/tmp", "/var/tmp"]  # noqa: S108 (mount points: nothing is made there)
    return any(_is_below(path, place) for place in covered)


def _paths(properties: Mapping[str, str], *names: str) -> list[str]:
    """List the paths of settings that hold PATH[:OPTIONS] words, without `-` and `+`."""
    words = [word for name in names for word in properties.get(name, "").split()]
    return [word.lstrip("-+").partition(":")[0] for word in words]


def _destinations(properties: Mapping[str, str], *names: str) -> list[str]:
    """List the destinations of settings that hold SOURCE[:DESTINATION[:OPTIONS]] words."""
    words = [word for name in names for word in properties.get(name, "").split()]
    parts = [word.lstrip("-").split(":") for word in words]
    return [part[1] if len(part) > 1 and part[1] else part[0] for part in parts]


def _is_below(path: str, place: str) -> bool:
    return place.startswith("/") and PurePosixPath(path).is_relative_to(place)


def _is_on(properties: Mapping[str, str], name: str) -> bool:
    return properties.get(name) == "yes"
