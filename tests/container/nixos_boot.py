"""What NixOS does at boot with what the modules define, done on a machine that is not NixOS.

`prepare` fills a directory that is laid over the machine's root: unit files in the form that
NixOS gives them, tmpfiles.d, and an init that does first what NixOS does in the initrd and
during activation, and then starts systemd.
"""

import shlex
import subprocess
from pathlib import Path
from typing import Any

ACTIVATION = "etc/nixos-activation"
SYSTEMD = "usr/lib/systemd/systemd"
UNITS = "etc/systemd/system"
USER_UNITS = "etc/systemd/user"

Boot = dict[str, Any]


def prepare(over: Path, boot: Boot, tree: Path) -> None:
    """Lay out what `nix/tests/boot.nix` describes in `over`, for a machine made from `tree`."""
    _write(over / "etc/tmpfiles.d/nixos.conf", _tmpfiles(boot["tmpfiles"]))
    _write(
        over / "etc/tmpfiles.d/00-nixos.conf",
        "".join(f"{rule}\n" for rule in boot.get("rules", [])),
    )
    _write(over / "etc/initrd-tmpfiles.conf", _tmpfiles(boot["initrd"]["tmpfiles"]))
    for unit in boot["masked"]:
        _link(over / UNITS / unit, "/dev/null")
    for name, unit in boot.get("targets", {}).items():
        _unit(over, f"{name}.target", unit, {})
    for mount in boot.get("mounts", []):
        section = {"What": mount["what"], "Where": mount["where"], "Options": mount["options"]}
        name = _escaped("--suffix=mount", mount["where"])
        _unit(over, name, mount, {"Mount": section | {"Type": mount.get("type", "none")}})
    for name, unit in boot.get("services", {}).items():
        # A unit without a command of its own belongs to systemd: NixOS adds to it.
        file = "" if "ExecStart" in unit.get("serviceConfig", {}) else ".d/nixos.conf"
        _unit(over, f"{name}.service", unit, {"Service": unit.get("serviceConfig", {})}, file)
    for name, unit in boot.get("paths", {}).items():
        _unit(over, f"{name}.path", unit, {"Path": unit["pathConfig"]})
    for name, unit in boot.get("units", {}).items():
        _written_unit(over, name, unit)
    for name, sections in boot.get("user", {}).items():
        _write(over / USER_UNITS / name, _sections(sections))
        for target in sections.get("Install", {}).get("WantedBy", []):
            _link(over / USER_UNITS / f"{target}.wants" / name, f"/{USER_UNITS}/{name}")
    _init(over, boot, tree)


def _written_unit(over: Path, name: str, unit: dict[str, Any]) -> None:
    # A unit without a command of its own belongs to systemd: NixOS adds to it.
    is_added = name.endswith(".service") and "ExecStart=" not in unit["text"]
    _write(over / UNITS / (f"{name}.d/nixos.conf" if is_added else name), unit["text"])
    for key, suffix in {"wantedBy": "wants", "requiredBy": "requires"}.items():
        for target in unit[key]:
            _link(over / UNITS / f"{target}.{suffix}" / name, f"/{UNITS}/{name}")


def _init(over: Path, boot: Boot, tree: Path) -> None:
    mounts = boot["initrd"]["mounts"]
    after_tmpfiles = [mount for mount in mounts if mount.get("after")]
    _script(over / ACTIVATION, boot["activation"])
    lines = [
        *(_bind(mount, "mkdir -p") for mount in mounts if mount not in after_tmpfiles),
        "systemd-tmpfiles --create /etc/initrd-tmpfiles.conf",
        *(_bind(mount, "touch") for mount in after_tmpfiles),
        f"/{ACTIVATION}",
        f'exec -a /{SYSTEMD} /{SYSTEMD}.real "$@"',
    ]
    real = over / f"{SYSTEMD}.real"
    _write(real, "")
    real.write_bytes((tree / SYSTEMD).read_bytes())
    real.chmod(0o755)
    _script(over / SYSTEMD, lines)


def _bind(mount: dict[str, Any], make: str) -> str:
    what, where = (shlex.quote(mount[key].removeprefix("/sysroot")) for key in ("what", "where"))
    return f"{make} {what} {where} && mount --bind {what} {where}"


def _tmpfiles(settings: list[dict[str, Any]]) -> str:
    return "".join(
        _rule(kind, path.removeprefix("/sysroot"), rule)
        for paths in settings
        for path, rules in paths.items()
        for kind, rule in rules.items()
    )


def _rule(kind: str, path: str, rule: dict[str, str]) -> str:
    mode, user, group = (rule.get(key, "-") for key in ("mode", "user", "group"))
    return f"{kind} {path} {mode} {user} {group} - {rule.get('argument', '')}\n"


def _unit(
    over: Path, name: str, unit: dict[str, Any], sections: dict[str, Any], file: str = ""
) -> None:
    dependencies = {
        key.capitalize(): " ".join(unit[key])
        for key in ("before", "after", "conflicts", "requires", "wants")
        if unit.get(key)
    }
    first = {"Unit": unit.get("unitConfig", {}) | dependencies}
    _write(over / UNITS / (name + file), _sections(first | sections))
    for target in unit.get("wantedBy", []):
        _link(over / UNITS / f"{target}.wants" / name, f"/{UNITS}/{name}")


def _sections(sections: dict[str, Any]) -> str:
    return "".join(
        f"[{section}]\n" + "".join(_settings(values)) for section, values in sections.items()
    )


def _settings(values: dict[str, Any]) -> list[str]:
    return [
        f"{key}={_shown(value)}\n"
        for key, given in values.items()
        for value in (given if isinstance(given, list) else [given])
    ]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip()


def _escaped(*arguments: str) -> str:
    return subprocess.run(
        ["systemd-escape", "--path", *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def _script(path: Path, lines: list[str]) -> None:
    _write(path, "\n".join(["#!/bin/bash", *lines, ""]))
    path.chmod(0o755)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
