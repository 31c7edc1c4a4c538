"""Units of a user's own manager are recorded without root."""

import subprocess

import pytest
from machine import Machine

PROGRAM = """#!/bin/sh
mkdir -p ~/.local/share/mine
echo facts >~/.local/share/mine/facts
echo >$XDG_RUNTIME_DIR/mine
exec sleep 600
"""
UNIT = "/home/tester/.config/systemd/user/mine.service"


def as_tester(
    machine: Machine, script: str, *, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a shell script as an ordinary user with a manager of their own."""
    command = f"export XDG_RUNTIME_DIR=/run/user/$(id -u); {script}"
    return machine.run("runuser", "--login", "tester", "-c", command, check=check)


@pytest.fixture
def mine(machine: Machine) -> str:
    """Run a user unit."""
    machine.sh("loginctl enable-linger tester")
    machine.wait_for("test -S /run/user/$(id -u tester)/systemd/private")
    machine.write("/home/tester/program", PROGRAM, 0o755)
    machine.write(UNIT, "[Service]\nExecStart=%h/program\n")
    machine.sh("chown -R tester: /home/tester")
    as_tester(machine, "systemctl --user daemon-reload; systemctl --user restart mine")
    return "mine.service"


def test_a_user_unit(machine: Machine, mine: str) -> None:
    """It is recorded into the user's database and is itself again afterwards."""
    before = as_tester(machine, f"systemctl --user cat {mine}").stdout
    said = as_tester(machine, f"imptrace service start --restart --user {mine}").stderr
    assert "no_new_privs" in said
    machine.wait_for("test -e /home/tester/.local/share/mine/facts")
    listed = as_tester(machine, "imptrace service status --user").stdout
    assert mine in listed
    said = as_tester(machine, f"imptrace service finish --user {mine}").stderr
    assert "run 1:" in said
    assert as_tester(machine, f"systemctl --user cat {mine}").stdout == before
    assert as_tester(machine, f"systemctl --user is-active {mine}").stdout == "active\n"
    shown = as_tester(machine, "imptrace show 1 --json").stdout
    assert "/home/tester/.local/share/mine/facts" in shown
    machine.sh("test ! -e /run/user/$(id -u tester)/imptrace")


def test_a_system_unit_is_not_a_user_unit(machine: Machine, mine: str) -> None:
    """The message names the kind of unit that was looked for."""
    assert mine
    done = as_tester(machine, "imptrace service start --restart --user cron", check=False)
    assert done.returncode == 2
    assert "no user unit cron.service" in done.stderr


def test_the_next_login_of_a_user(machine: Machine, mine: str) -> None:
    """Once all of the user's processes have ended, their manager starts as at a boot."""
    as_tester(machine, f"systemctl --user add-wants --quiet default.target {mine}")
    before = as_tester(machine, "find ~/.config | sort").stdout
    as_tester(machine, f"imptrace service start --restart --user --at-boot {mine}")
    user = "$(id -u tester)"
    machine.sh(f"systemctl stop user@{user} user-runtime-dir@{user}; systemctl start user@{user}")
    status = "XDG_RUNTIME_DIR=/run/user/$(id -u) imptrace service status --user"
    machine.wait_for(f"runuser --login tester -c '{status}' | grep 'answering 1 command'")
    said = as_tester(machine, f"imptrace service finish --user {mine}").stderr
    assert "paths read" in said
    assert as_tester(machine, "find ~/.config | sort").stdout == before
