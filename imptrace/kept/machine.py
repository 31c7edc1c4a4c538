"""What a running system declares to leave on disk: its units, and systemd-tmpfiles.

Asked of systemd itself, so that neither Nix nor the catalogue is needed.
"""

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from imptrace.errors import ImptraceError
from imptrace.facts import systemctl
from imptrace.facts.commands import answer_of
from imptrace.facts.file_systems import EPHEMERAL_TYPES
from imptrace.facts.given import read_given
from imptrace.facts.levels import Level
from imptrace.facts.units import private_path, unit_directories
from imptrace.kept.inventory import Inventory, InventoryRow, by_path, keeper
from imptrace.tracer.mountinfo import parse_mountinfo

KEPT_FILE = Path("/etc/imptrace/kept.json")

# Kind of what is in a directory, by the setting that makes it and by where it is.
_KINDS = {"StateDirectory": "state", "CacheDirectory": "cache", "LogsDirectory": "logs"}
_TOPS = {"/var/lib": "state", "/var/cache": "cache", "/var/log": "logs"}
_PROPERTIES = ",".join(["Id", "DynamicUser", *_KINDS])
# The kinds of units that run something, so that they can have directories (systemd.exec(5)).
_TYPES = "--type=service,socket,mount,swap"
# A unit file in one of these states takes part in a boot; others do when they are loaded.
_TAKES_PART = {"enabled", "enabled-runtime", "linked", "generated", "indirect"}
_LASTING = ("/var/lib/", "/var/cache/", "/var/log/", "/var/db/", "/var/spool/", "/srv/", "/etc/")
# Directories that are made. Those of type D are emptied at every boot: nothing lasts in them.
_MADE = "dvqQ"
# Only above what has names of its own, or made anew at every boot and empty ever after (NixOS).
_HOLLOW = {
    *(f"{top}/private" for top in _TOPS),
    "/etc/ipsec.d", "/var/lib/NetworkManager-fortisslvpn", "/var/lib/misc",
}  # fmt: skip
# Where the bus finds who starts a service that nothing else names (dbus-daemon(1), <standard_...>).
_BUS_FILES = (
    "usr/share", "usr/local/share", "etc", "run", "run/current-system/sw/share",
)  # fmt: skip


def audit_system(root: Path = Path("/")) -> Inventory:
    """Compare what the running system declares with what lasts on it. `root` is for /proc, /etc."""
    kept = [*_declared_kept(root), *_lasting_mounts(root)]
    rows = [*of_units(root), *_of_tmpfiles()]
    answered = (
        InventoryRow(
            row.path, row.kind, row.level, row.declared_by, keeper(_public(row.path), kept)
        )
        if keeper(row.path, kept) is None
        else InventoryRow(row.path, row.kind, row.level, row.declared_by, keeper(row.path, kept))
        for row in rows
    )
    mounts = sum(1 for _, by in kept if by.startswith("mount"))
    return Inventory(by_path(answered), mounts)


def _units(root: Path) -> list[str]:
    """Name the units that are loaded or will be at a boot; templates have no directories."""
    list_of = (_TYPES, "--no-legend", "--plain")
    names = {
        line.split()[0]
        for line in systemctl.answer_of("list-units", "--all", *list_of).splitlines()
        if line.strip()
    }
    files = {
        name: state
        for line in systemctl.answer_of("list-unit-files", *list_of).splitlines()
        for name, state, *_ in [[*line.split(), "", ""]]
        if name
    }
    names |= {name for name, state in files.items() if state in _TAKES_PART}
    names |= {name for name in _by_bus(root) if files.get(name) == "static"}
    return sorted(name for name in names if "@." not in name)


def _by_bus(root: Path) -> Iterator[str]:
    """Name the units that start when somebody asks the bus for them."""
    for directory in _BUS_FILES:
        for file in sorted((root / directory).glob("dbus-1/system-services/*.service")):
            with suppress(OSError):
                for line in file.read_text(errors="surrogateescape").splitlines():
                    key, found, unit = line.partition("=")
                    if found and key.strip() == "SystemdService":
                        yield unit.strip()


def of_units(root: Path = Path("/")) -> Iterator[InventoryRow]:
    """List the directories that units declare. Raises ImptraceError without systemd."""
    units = _units(root)
    if not units:
        return
    shown = systemctl.answer_of("show", f"--property={_PROPERTIES}", "--", *units)
    for block in shown.split("\n\n"):
        properties = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        is_dynamic = properties.get("DynamicUser") == "yes"
        for directory in unit_directories(properties):
            path = private_path(directory.path) if is_dynamic else directory.path
            yield _row(
                os.fsdecode(path),
                _KINDS[directory.key],
                directory.level,
                f"{properties.get('Id', '?')} {directory.key}",
            )


def _row(path: str, kind: str, level: Level, declared_by: str) -> InventoryRow:
    return InventoryRow(path, kind, level.value, (declared_by,), None)


def _of_tmpfiles() -> Iterator[InventoryRow]:
    file = "tmpfiles.d"
    plain = os.environ | {"LC_ALL": "C", "SYSTEMD_COLORS": "0"}
    declared = answer_of(
        "systemd-tmpfiles", "--cat-config", "--no-pager", environment=plain
    ).decode(errors="surrogateescape")
    for line in declared.splitlines():
        if line.startswith("# /"):
            file = line[2:]
            continue
        try:
            fields = shlex.split(line, comments=True)
        except ValueError:
            continue  # systemd refuses such a line too
        if len(fields) < 2 or fields[0][0] not in _MADE:  # noqa: PLR2004 (type and path)
            continue
        path = fields[1].rstrip("/")
        if not path.startswith(_LASTING) or "%" in path or path in _HOLLOW:
            continue
        kind = next((kind for top, kind in _TOPS.items() if path.startswith(f"{top}/")), "state")
        level = Level.NORMAL if kind == "state" else Level.TRANSIENT
        yield _row(path, kind, level, file)


def _public(path: str) -> str:
    """Name the link by which others know a DynamicUser's directory."""
    head, found, tail = path.partition("/private/")
    return f"{head}/{tail}" if found and head in _TOPS else path


def _declared_kept(root: Path) -> list[tuple[str, str]]:
    """Read what the NixOS module wrote of what it keeps: (path, by whom)."""
    file = root / KEPT_FILE.relative_to("/")
    try:
        kept = json.loads(read_given(file))["kept"]
        return [(str(one["path"]), f"configuration: {one['declaredBy']}") for one in kept]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ImptraceError(f"{KEPT_FILE} cannot be read: {error}") from error


def _lasting_mounts(root: Path) -> list[tuple[str, str]]:
    """Name every mount but the root's, and those in memory: what lies there lasts."""
    lines = (root / "proc/self/mountinfo").read_bytes().splitlines()
    lasting = [mount for mount in parse_mountinfo(lines) if mount.fstype not in EPHEMERAL_TYPES]
    paths = [os.fsdecode(mount.mountpoint) for mount in lasting if mount.mountpoint != b"/"]
    return [(path, f"mount {path}") for path in paths]
