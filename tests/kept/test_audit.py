"""`imptrace audit`: what is declared against what is kept, asked of a file, Nix, and systemd."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from imptrace.errors import ImptraceError, UsageError
from imptrace.kept.audit import audit_file, audit_flake
from imptrace.kept.inventory import InventoryRow, by_path, read
from imptrace.kept.machine import audit_system

LOST = {
    "path": "/var/lib/some",
    "kind": "state",
    "level": "normal",
    "declaredBy": ["systemd.services.some.serviceConfig.StateDirectory"],
    "keptBy": None,
    "store": None,
}
KEPT = LOST | {"path": "/var/lib/kept", "keptBy": "some", "store": "/persistent"}
CACHE = LOST | {"path": "/var/cache/some", "kind": "cache", "level": "transient"}
EXCEPTED = LOST | {"path": "/var/lib/scratch", "isExcepted": True}


def imptrace(
    *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from imptrace.cli.app import main; main()", *arguments],
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def program(directory: Path, name: str, script: str) -> None:
    file = directory / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_only_what_matters_and_nothing_keeps_is_lost() -> None:
    inventory = read(json.dumps([LOST, KEPT, CACHE, EXCEPTED]), "a file")

    assert [row.path for row in inventory.lost] == ["/var/lib/some"]


def test_a_path_that_two_declare_is_one_row_with_the_higher_level() -> None:
    rows = by_path(
        [
            InventoryRow("/var/lib/x", "state", "transient", ("a",), None),
            InventoryRow("/var/lib/x", "state", "secret", ("b", "a"), "mount /x"),
        ]
    )

    assert rows == (InventoryRow("/var/lib/x", "state", "secret", ("a", "b"), "mount /x"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[1]",
        '{"inventory": 3}',
        json.dumps([LOST | {"path": "relative"}]),
        json.dumps([LOST | {"level": "urgent"}]),
        json.dumps([LOST | {"declaredBy": "x"}]),
        "[" * 100_000,
    ],
)
def test_what_is_no_inventory_is_one_line_of_error(text: str, tmp_path: Path) -> None:
    file = tmp_path / "inventory.json"
    file.write_text(text)

    with pytest.raises(ImptraceError, match="holds no inventory"):
        audit_file(file)


def test_a_file_answers_with_its_exit_code(tmp_path: Path) -> None:
    """The answer can be read again, as table, JSON and exit code say the same."""
    file = tmp_path / "inventory.json"
    file.write_text(json.dumps([LOST | {"path": "/var/lib/\x1b[31m"}, KEPT]))

    shown = imptrace("audit", str(file))
    answered = imptrace("audit", "--json", str(file))

    assert (shown.returncode, answered.returncode) == (1, 1)
    assert "\x1b" not in shown.stdout
    assert "/var/lib/kept" not in shown.stdout
    assert "/var/lib/kept" in imptrace("audit", "--all", str(file)).stdout
    assert json.loads(answered.stdout)["schema"] == "imptrace.inventory/1"
    assert json.loads(answered.stdout)["lost"] == 1

    file.write_text(json.dumps([KEPT]))
    assert imptrace("audit", str(file)).returncode == 0


def test_what_is_excepted_may_be_lost_with_all_below_it(tmp_path: Path) -> None:
    file = tmp_path / "inventory.json"
    file.write_text(json.dumps([LOST, LOST | {"path": "/var/lib/some/more"}]))

    assert imptrace("audit", "--except", "/var/lib/some/", str(file)).returncode == 0
    assert imptrace("audit", "--except", "/var/lib/so", str(file)).returncode == 1
    assert imptrace("audit", "--except", "/var/lib/some/more", str(file)).returncode == 1


def test_a_flake_is_evaluated_with_the_audit_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nix is asked for the system, and given the function to apply, which is there."""
    program(
        tmp_path,
        "nix",
        f"""printf '%s\\n' "$@" > {tmp_path}/arguments; echo '{json.dumps([LOST])}'""",
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert [row.path for row in audit_flake(".#web").lost] == ["/var/lib/some"]
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert '.#nixosConfigurations."web"' in arguments
    assert Path(arguments[-1].removeprefix("import ")).is_file()


def test_what_nix_says_is_the_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "nix", "echo 'error: attribute web missing' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(ImptraceError, match="attribute web missing"):
        audit_flake(".#web")


@pytest.mark.parametrize("reference", [".", "#web", ".#", '.#a"b'])
def test_a_reference_that_names_no_system_is_wrong_usage(reference: str) -> None:
    with pytest.raises(UsageError):
        audit_flake(reference)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a system: what its systemd says, its mounts, and what its configuration keeps."""
    commands = tmp_path / "bin"
    commands.mkdir()
    program(
        commands,
        "systemctl",
        """case $3 in
list-units) echo 'loaded.service loaded active running' ;;
list-unit-files)
  echo 'dynamic.service enabled enabled'
  echo 'template@.service enabled enabled'
  echo 'never.service disabled enabled' ;;
show)
  case "$*" in *never*|*template*) exit 1 ;; esac
  printf 'Id=dynamic.service\\nDynamicUser=yes\\nStateDirectory=dyn dyn/deep\\n'
  printf 'CacheDirectory=dyn\\n\\n'
  printf 'Id=loaded.service\\nDynamicUser=no\\nStateDirectory=disk:link\\nLogsDirectory=\\n' ;;
esac""",
    )
    program(
        commands,
        "systemd-tmpfiles",
        """cat <<'END'
# /etc/tmpfiles.d/mine.conf
d /var/lib/ruled 0700 root root -
d '/srv/with space' - - - -
D /var/lib/emptied - - - -
d /run/gone 0755
d /var/lib/private 0700 root root -
L /var/lib/link - - - - /x
d "unclosed
END""",
    )
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")
    root = tmp_path / "root"
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text(
        "1 0 0:1 / / rw - ext4 /dev/a rw\n"
        "2 1 0:2 / /srv/with\\040space rw - tmpfs tmpfs rw\n"
        "3 1 0:3 /x /var/lib/disk rw shared:1 - ext4 /dev/b rw\n"
    )
    return root


def test_a_machine_is_asked_what_its_units_and_tmpfiles_declare(machine: Path) -> None:
    inventory = audit_system(machine)

    assert [(row.path, row.level, row.kept_by) for row in inventory.rows] == [
        ("/srv/with space", "normal", None),
        ("/var/cache/private/dyn", "transient", None),
        ("/var/lib/disk", "normal", "mount /var/lib/disk"),
        ("/var/lib/private/dyn", "normal", None),
        ("/var/lib/private/dyn/deep", "normal", None),
        ("/var/lib/ruled", "normal", None),
    ]
    assert inventory.mounts == 1


def test_what_the_module_wrote_is_known_without_nix(machine: Path) -> None:
    kept = [
        {"path": "/var/lib/private/dyn", "declaredBy": "dyn"},
        {"path": "/srv", "declaredBy": "x"},
    ]
    file = machine / "etc/imptrace/kept.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"schema": "imptrace.kept/1", "kept": kept}))

    assert [row.path for row in audit_system(machine).lost] == ["/var/lib/ruled"]


def test_a_machine_without_systemd_is_an_error_of_one_line(
    tmp_path: Path,
) -> None:
    result = imptrace("audit", "--system", env={"PATH": str(tmp_path)})

    assert result.returncode == 125
    assert result.stderr == "imptrace: systemctl is not in PATH: is this a systemd machine?\n"
