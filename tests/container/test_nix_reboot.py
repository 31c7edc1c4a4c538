"""State that services keep is there again after a reboot with a wiped root, under real systemd.

The machine is Debian, not NixOS. What the back end would do at boot is done as it says: its
activation scripts, mounts, tmpfiles rules and units, evaluated from its own modules.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import nixos_boot
import pytest
from machine import Machine

NIX = Path(__file__).parents[2] / "nix"
MAILER = "mailer:x:700:700::/var/lib/mailer:/usr/sbin/nologin\n"
DYNAMIC_UNIT = """\
[Service]
Type=oneshot
DynamicUser=yes
StateDirectory=dynamic
ExecStart=/bin/sh -c 'echo kept >> "$STATE_DIRECTORY/file"'
"""
OWNED = {
    "/etc/NetworkManager/system-connections": "root:root 700",
    "/var/lib/NetworkManager": "root:root 755",
    "/var/lib/mailer": "mailer:mailer 750",
    "/var/lib/mailer/keys": "mailer:mailer 700",
    "/var/lib/mailer/id.key": "mailer:mailer 600",
    "/var/lib/postgresql": "postgres:postgres 750",
    "/var/lib/private": "root:root 700",
    "/var/lib/rotator.status": "root:root 644",
    "/home/tester/.config/some-editor": "tester:tester 700",
    "/home/tester/.local/share": "tester:tester 755",
    "/home/tester/.local/share/some-editor/keys": "tester:tester 700",
    "/home/tester/.some_history": "tester:tester 600",
}

Boot = Callable[[], Machine]

# As the service of NixOS does, without the clusters that Debian puts around it.
DATA = "/var/lib/postgresql/data"


def postgres(machine: Machine, command: str) -> str:
    path = "PATH=$(echo /usr/lib/postgresql/*/bin):$PATH"
    return machine.sh(f"runuser -u postgres -- sh -euc 'cd; {path}; {command}'")


def as_user(machine: Machine, user: str, command: str) -> None:
    machine.sh(f"runuser -u {user} -- sh -euc '{command}'")


def log_in(machine: Machine) -> None:
    """Start the user's service manager, which waits for what its basic.target wants."""
    machine.sh("systemctl start user@$(id -u tester)")


def start_postgres(machine: Machine) -> None:
    log = "/tmp/postgres.log"
    postgres(machine, f"pg_ctl start --silent -w -D {DATA} -l {log} -o -k/tmp")


@pytest.fixture(name="stores")
def _stores(tmp_path: Path) -> Path:
    directory = tmp_path / "stores"
    for name in ("persistent", "secret"):
        (directory / name).mkdir(parents=True)
    return directory


@pytest.fixture(params=["impermanence", "preservation"], name="boot")
def _boot(request: pytest.FixtureRequest, tmp_path: Path, stores: Path) -> Boot:
    backend: str = request.param
    names = ("IMPTRACE_TEST_TREE", "NIXPKGS_LIB", "HOME_MANAGER", backend.upper())
    if missing := [name for name in names if not os.environ.get(name)]:
        pytest.skip(f"{', '.join(missing)} must be set: see tests/container/run.sh and nix/check")
    programs = ("systemd-nspawn", "nix-instantiate")
    if os.geteuid() != 0 or not all(shutil.which(program) for program in programs):
        pytest.skip("needs root, systemd-nspawn and nix-instantiate")
    tree = Path(os.environ["IMPTRACE_TEST_TREE"])
    described = _evaluate(backend, tmp_path / "nix")
    assert described["failed"] == []
    over = tmp_path / "over"
    nixos_boot.prepare(over, described, tree)
    _add_what_the_test_needs(over, tree)
    options = [f"--bind={store}:/{store.name}" for store in stores.iterdir()]
    options.append(f"--bind-ro={tmp_path}/nix/nix/store:/nix/store")
    return lambda: Machine(tree, tmp_path / "console", over=over, options=options)


def _evaluate(backend: str, store: Path) -> nixos_boot.Boot:
    lib = Path(os.environ["NIXPKGS_LIB"])
    nested = lib / "lib"
    arguments = {
        "nixpkgsLib": nested if (nested / "default.nix").exists() else lib,
        "homeManager": Path(os.environ["HOME_MANAGER"]),
        backend: Path(os.environ[backend.upper()]),
    }
    given = [word for name, path in arguments.items() for word in ("--arg", name, str(path))]
    result = subprocess.run(
        [
            *("nix-instantiate", "--store", store, "--read-write-mode"),
            *("--eval", "--strict", "--json", "--argstr", "backend", backend),
            *given,
            NIX / "tests" / "boot.nix",
        ],
        env=os.environ | {"NIX_CONFIG": "build-users-group ="},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    # Nix makes files in the store executable only when it builds them.
    for path in (store / "nix" / "store").iterdir():
        if path.is_file():
            path.chmod(0o755)
    described: nixos_boot.Boot = json.loads(result.stdout)
    return described


def _add_what_the_test_needs(over: Path, tree: Path) -> None:
    for name, line in {"passwd": MAILER, "group": "mailer:x:700:\n"}.items():
        (over / "etc" / name).write_text((tree / "etc" / name).read_text() + line)
    (over / "etc" / "systemd" / "system" / "dynamic.service").write_text(DYNAMIC_UNIT)
    (over / "etc" / "machine-id").write_text("")


def owners_and_modes(machine: Machine) -> dict[str, str]:
    shown = machine.sh(f"stat -L -c '%n %U:%G %a' {' '.join(OWNED)}")
    return dict(line.split(" ", 1) for line in shown.splitlines())


def write_state(machine: Machine) -> None:
    """As the services themselves would: in place, when absent, by rename, as a dynamic user."""
    machine.wait_for("systemctl is-active NetworkManager")
    machine.sh("touch /wiped")
    machine.sh("nmcli connection add type dummy ifname dummy0 con-name kept")
    postgres(machine, f"initdb -D {DATA}")
    start_postgres(machine)
    postgres(machine, 'psql -h /tmp -qc "CREATE TABLE kept AS SELECT 42 AS answer"')
    machine.sh("systemctl start dynamic")
    as_user(machine, "mailer", "umask 077; echo key >/var/lib/mailer/id.key")
    as_user(machine, "mailer", "echo ring >/var/lib/mailer/keys/ring")
    as_user(machine, "tester", "echo set >~tester/.config/some-editor/settings")
    as_user(machine, "tester", "echo ring >~tester/.local/share/some-editor/keys/ring")
    log_in(machine)
    as_user(machine, "tester", "umask 077; cd ~tester; echo ls >.new; mv .new .some_history")
    machine.wait_for("grep -q ls /persistent/home/tester/.some_history")
    for text in ("first", "second"):
        machine.sh(
            f"echo {text} >/var/lib/rotator.tmp; mv /var/lib/rotator.tmp /var/lib/rotator.status"
        )
    machine.wait_for("grep -q second /persistent/var/lib/rotator.status")


def test_state_survives_a_reboot_with_a_wiped_root(boot: Boot, stores: Path) -> None:
    """Content, owner and mode, each in the store of its level; and the machine's id."""
    with boot() as machine:
        assert machine.sh("systemctl --failed --plain --no-legend | cut -d' ' -f1") == ""
        write_state(machine)
        before = owners_and_modes(machine)
        machine_id = machine.sh("cat /etc/machine-id")
        machine.sh(
            "test -s /secret/var/lib/mailer/id.key; test -s /secret/var/lib/mailer/keys/ring"
        )

    # On the machine itself the mounts of the one store can be seen in the other.
    assert not (stores / "persistent/var/lib/mailer/keys/ring").exists()

    with boot() as machine:
        machine.wait_for("systemctl is-active NetworkManager")
        machine.sh("systemctl start dynamic")
        start_postgres(machine)
        log_in(machine)
        assert machine.sh("ls /wiped", check=False) == ""
        assert "kept" in machine.sh("nmcli -g NAME connection show").splitlines()
        assert postgres(machine, 'psql -h /tmp -qtAc "SELECT answer FROM kept"') == "42"
        assert machine.sh("cat /var/lib/private/dynamic/file") == "kept\nkept"
        assert machine.sh("cat /var/lib/mailer/id.key /var/lib/mailer/keys/ring") == "key\nring"
        assert machine.sh("cat /var/lib/rotator.status") == "second"
        assert machine.sh("cat ~tester/.config/some-editor/settings") == "set"
        assert machine.sh("cat ~tester/.local/share/some-editor/keys/ring") == "ring"
        assert machine.sh("cat ~tester/.some_history") == "ls"
        assert machine.sh("cat /etc/machine-id") == machine_id
        assert owners_and_modes(machine) == before == OWNED

        # What `nixos-rebuild switch` does on a running system takes nothing from its owner.
        machine.sh(f"/{nixos_boot.ACTIVATION}; systemd-tmpfiles --create nixos.conf")
        assert owners_and_modes(machine) == OWNED
        as_user(machine, "mailer", "echo more >>/var/lib/mailer/id.key")
        assert machine.sh("systemctl --failed --plain --no-legend | cut -d' ' -f1") == ""
