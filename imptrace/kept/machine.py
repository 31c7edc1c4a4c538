"""What a running system declares to leave on disk: its units, and systemd-tmpfiles.

Asked of systemd itself, so that neither Nix nor the catalogue is needed.
"""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

from imptrace.errors import ImptraceError
from imptrace.kept.inventory import Inventory, Row, by_path, keeper

KEPT_FILE = Path("/etc/imptrace/kept.json")

# (setting, its directory, kind of what is in it, level of that kind)
_DIRECTORIES = (
    ("StateDirectory", "/var/lib", "state", "normal"),
    ("CacheDirectory", "/var/cache", "cache", "transient"),
    ("LogsDirectory", "/var/log", "logs", "transient"),
)
_PROPERTIES = ",".join(["Id", "DynamicUser", *(name for name, *_ in _DIRECTORIES)])
# A unit file in one of these states takes part in a boot; others do when they are loaded.
_TAKES_PART = {"enabled", "enabled-runtime", "linked", "generated", "indirect"}
_LASTING = ("/var/lib/", "/var/cache/", "/var/log/", "/var/db/", "/var/spool/", "/srv/", "/etc/")
_MADE = "dDvqQ"
# Only above what has names of its own, and made anew at every boot.
_HOLLOW = {f"{top}/private" for _, top, _, _ in _DIRECTORIES}
_VOLATILE = {"tmpfs", "ramfs", "overlay"}
_MOUNT_FIELDS = 5


def audit_system(root: Path = Path("/")) -> Inventory:
    """Compare what the running system declares with what lasts on it. `root` is for /proc, /etc."""
    kept = [*_declared_kept(root), *_lasting_mounts(root)]
    rows = [*of_units(), *_of_tmpfiles()]
    answered = (
        Row(row.path, row.kind, row.level, row.declared_by, keeper(_public(row.path), kept))
        if keeper(row.path, kept) is None
        else Row(row.path, row.kind, row.level, row.declared_by, keeper(row.path, kept))
        for row in rows
    )
    mounts = sum(1 for _, by in kept if by.startswith("mount"))
    return Inventory(by_path(answered), mounts)


def _ask(*command: str) -> str:
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            check=False,
            env=os.environ | {"LC_ALL": "C", "SYSTEMD_COLORS": "0"},
        )
    except OSError as error:
        raise ImptraceError(f"{command[0]} cannot be run: {error.strerror}") from error
    if answer.returncode != 0:
        said = answer.stderr.decode(errors="replace").strip().splitlines()
        raise ImptraceError(
            f"{command[0]} gave no answer: {said[-1] if said else answer.returncode}"
        )
    return answer.stdout.decode(errors="surrogateescape")


def _units() -> list[str]:
    """Name the services that are loaded or will be at a boot; templates have no directories."""
    list_of = ("--type=service", "--no-legend", "--plain", "--no-pager")
    names = {
        line.split()[0]
        for line in _ask("systemctl", "list-units", "--all", *list_of).splitlines()
        if line.strip()
    }
    for line in _ask("systemctl", "list-unit-files", *list_of).splitlines():
        name, state, *_ = [*line.split(), "", ""]
        if state in _TAKES_PART:
            names.add(name)
    return sorted(name for name in names if "@." not in name)


def of_units() -> Iterator[Row]:
    """List the directories that units declare. Raises ImptraceError without systemd."""
    units = _units()
    if not units:
        return
    shown = _ask("systemctl", "show", f"--property={_PROPERTIES}", "--no-pager", "--", *units)
    for block in shown.split("\n\n"):
        properties = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        private = "/private" if properties.get("DynamicUser") == "yes" else ""
        for setting, top, kind, level in _DIRECTORIES:
            for word in properties.get(setting, "").split():
                path = f"{top}{private}/{word.split(':')[0]}"
                yield Row(path, kind, level, (f"{properties.get('Id', '?')} {setting}",), None)


def _of_tmpfiles() -> Iterator[Row]:
    file = "tmpfiles.d"
    for line in _ask("systemd-tmpfiles", "--cat-config", "--no-pager").splitlines():
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
        kind = next((k for _, top, k, _ in _DIRECTORIES if path.startswith(top + "/")), "state")
        level = "normal" if kind == "state" else "transient"
        yield Row(path, kind, level, (file,), None)


def _public(path: str) -> str:
    """Name the link by which others know a DynamicUser's directory."""
    head, found, tail = path.partition("/private/")
    return f"{head}/{tail}" if found and head in ("/var/lib", "/var/cache", "/var/log") else path


def _declared_kept(root: Path) -> list[tuple[str, str]]:
    """Read what the NixOS module wrote of what it keeps: (path, by whom)."""
    file = root / KEPT_FILE.relative_to("/")
    try:
        kept = json.loads(file.read_text())["kept"]
        return [(str(one["path"]), f"configuration: {one['declaredBy']}") for one in kept]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ImptraceError(f"{KEPT_FILE} cannot be read: {error}") from error


def _lasting_mounts(root: Path) -> list[tuple[str, str]]:
    """Name every mount but the root's, and those in memory: what lies there lasts."""
    text = (root / "proc/self/mountinfo").read_text(errors="surrogateescape")
    mounts = []
    for line in text.splitlines():
        place, _, rest = line.partition(" - ")
        fields = place.split()
        if len(fields) < _MOUNT_FIELDS or not rest:
            continue
        path = fields[4].encode(errors="surrogateescape").decode("unicode_escape")
        if path != "/" and rest.split()[0] not in _VOLATILE:
            mounts.append((path, f"mount {path}"))
    return mounts
