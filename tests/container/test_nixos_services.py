"""Services of a real NixOS find their state again after a reboot with a wiped root.

Their units, users, tmpfiles rules, activation scripts and mounts are what the modules of a nixpkgs
tree come to. PostgreSQL is run by NixOS's own scripts, with the programs of the machine; the others
are played: a script in the unit's place, with its user and its confinement, writes where state is
kept. NIXPKGS has to name a tree.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import nix_store
import nixos_boot
import pytest
from machine import Machine

NIX = Path(__file__).parents[2] / "nix"
PLAY = """\
#!/bin/sh
# play ENTRY: adds a line to a file in each directory that is kept for it.
set -eu
while read -r directory; do
    echo played >>"$directory/played"
done <"/etc/play/$1"
"""
CHECKOUTS = ("NIXPKGS", "IMPERMANENCE", "PRESERVATION")
TABLE = "CREATE TABLE kept AS SELECT 42 AS answer"
ANSWER = "SELECT answer FROM kept"


@pytest.fixture(params=["impermanence", "preservation"], name="described")
def _described(request: pytest.FixtureRequest, tmp_path: Path) -> nixos_boot.Boot:
    names = ("IMPTRACE_TEST_TREE", *CHECKOUTS)
    if missing := [name for name in names if not os.environ.get(name)]:
        pytest.skip(f"{', '.join(missing)} must be set: see tests/container/run.sh and nix/check")
    programs = ("systemd-nspawn", "nix-instantiate")
    if os.geteuid() != 0 or not all(shutil.which(program) for program in programs):
        pytest.skip("needs root, systemd-nspawn and nix-instantiate")
    return _evaluate(request.param, tmp_path / "nix")


def _evaluate(backend: str, store: Path) -> nixos_boot.Boot:
    given = [word for name in CHECKOUTS for word in ("--arg", name.lower(), os.environ[name])]
    if module := os.environ.get("NIXPKGS_MODULE"):
        given += ["--arg", "extra", module]
    result = subprocess.run(
        [
            *("nix-instantiate", "--store", store, "--read-write-mode"),
            *("--eval", "--strict", "--json", "--argstr", "backend", backend),
            *given,
            NIX / "tests" / "real-boot.nix",
        ],
        env=os.environ | {"NIX_CONFIG": "build-users-group ="},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert result.returncode == 0, result.stderr
    described: nixos_boot.Boot = json.loads(result.stdout)
    return described


@pytest.fixture(name="boot")
def _boot(described: nixos_boot.Boot, tmp_path: Path) -> Callable[[], Machine]:
    tree = Path(os.environ["IMPTRACE_TEST_TREE"])
    over = tmp_path / "over"
    # The rest is about the machine itself, which is not NixOS.
    described["rules"] = [rule for rule in described["rules"] if "/var/lib/" in rule]
    # The machine has no network to wait for.
    described["masked"].append("systemd-networkd-wait-online.service")
    nixos_boot.prepare(over, described, tree)
    nix_store.furnish(tmp_path / "nix", _texts(described))
    _add_users(over, described, tree)
    play = over / "usr/local/bin/play"
    play.parent.mkdir(parents=True, exist_ok=True)
    play.write_text(PLAY)
    play.chmod(0o755)
    (over / "etc/play").mkdir(parents=True)
    for entry, directories in described["directories"].items():
        (over / "etc/play" / entry).write_text("".join(f"{one}\n" for one in directories))
    (over / "etc/machine-id").write_text("")
    options = [f"--bind-ro={tmp_path}/nix/nix/store:/nix/store"]
    for name in ("persistent", "secret"):
        (tmp_path / "stores" / name).mkdir(parents=True)
        options.append(f"--bind={tmp_path}/stores/{name}:/{name}")
    return lambda: Machine(tree, tmp_path / "console", over=over, options=options)


def _texts(described: nixos_boot.Boot) -> Iterator[str]:
    for unit in described["units"].values():
        yield unit["text"]
    yield from described["activation"]


def _add_users(over: Path, described: nixos_boot.Boot, tree: Path) -> None:
    """Append the users and groups of NixOS that the machine does not have."""
    ids = {
        name: number
        for number, name in enumerate(sorted({*described["groups"], *_names(described)}), start=700)
    }
    groups = (tree / "etc/group").read_text()
    users = (tree / "etc/passwd").read_text()
    has_group = {line.split(":")[0]: line.split(":")[2] for line in groups.splitlines()}
    has_user = {line.split(":")[0] for line in users.splitlines()}
    for name in described["groups"]:
        if name not in has_group:
            has_group[name] = str(ids[name])
            groups += f"{name}:x:{ids[name]}:\n"
    for user in described["users"]:
        if user["name"] not in has_user:
            group = has_group.get(user["group"], "65534")
            users += f"{user['name']}:x:{ids[user['name']]}:{group}::{user['home']}:/bin/sh\n"
    (over / "etc/group").write_text(groups)
    (over / "etc/passwd").write_text(users)


def _names(described: nixos_boot.Boot) -> Iterable[str]:
    return (user["name"] for user in described["users"])


def _owners(machine: Machine, directories: Iterable[str]) -> str:
    return machine.sh(f"stat -c '%n %U %G %a' {' '.join(directories)}")


def _query(machine: Machine, statement: str) -> str:
    done = machine.run("runuser", "-u", "postgres", "--", "psql", "-qtAc", statement)
    return done.stdout.strip()


def _assert_active(machine: Machine, described: nixos_boot.Boot) -> None:
    for unit in [*described["played"].values(), "postgresql"]:
        state = machine.sh(f"systemctl is-active {unit}", check=False)
        journal = machine.sh(f"journalctl -u {unit} -n 40 --no-pager", check=False)
        assert state == "active", f"{unit}: {journal}"


def test_services_of_a_real_nixos_find_their_state_again(
    described: nixos_boot.Boot, boot: Callable[[], Machine]
) -> None:
    """Nine that are played, each with its unit's user and confinement, and PostgreSQL itself."""
    assert described["failed"] == []
    directories = [one for found in described["directories"].values() for one in found]
    assert len(directories) >= len(described["played"])

    with boot() as machine:
        machine.wait_for("systemctl is-system-running | grep -qE 'running|degraded'")
        _assert_active(machine, described)
        machine.sh("touch /wiped")
        _query(machine, TABLE)
        before = _owners(machine, directories)
        machine_id = machine.sh("cat /etc/machine-id")

    for boots in (2, 3):
        with boot() as machine:
            machine.wait_for("systemctl is-system-running | grep -qE 'running|degraded'")
            _assert_active(machine, described)
            assert machine.sh("ls /wiped", check=False) == ""
            assert _query(machine, ANSWER) == "42"
            for directory in directories:
                played = machine.sh(f"cat {directory}/played").split()
                assert played == ["played"] * boots, directory
            assert _owners(machine, directories) == before
            assert machine.sh("cat /etc/machine-id") == machine_id
            machine.sh("touch /wiped")
