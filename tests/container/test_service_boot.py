"""A unit is recorded from its start at the next boot on, and in that boot only."""

import json
from collections.abc import Iterator

import pytest
from machine import Machine
from recorded import NOTIFY, changed, run_of

UNITS = "/etc/systemd/system"
CONTROL = "/etc/systemd/system.control"
# Writes another file at each boot, first thing.
EARLY = """[Unit]
Description=Does its work at boot
[Service]
ExecStartPre=/bin/sh -c 'cp /proc/sys/kernel/random/boot_id /var/lib/early-boot'
ExecStart=/bin/sleep 600
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture(name="early")
def _early(machine: Machine) -> Iterator[str]:
    """Enable a unit that is started at boot."""
    machine.write(f"{UNITS}/early.service", EARLY)
    machine.sh("systemctl daemon-reload; systemctl enable --quiet --now early")
    yield "early.service"
    machine.run("imptrace", "service", "reset", "early")
    machine.sh("systemctl disable --quiet --now early")


def files_of_systemd(machine: Machine) -> str:
    """List everything in the places where a request may leave something."""
    listed = machine.sh("find /etc/systemd /run/systemd/system -printf '%p %l %m\\n' | sort")
    return listed + machine.sh("systemctl cat early")


def test_the_next_boot_is_recorded_and_no_other(machine: Machine, early: str) -> None:
    """Nothing changes before it, and nothing of the request is left after it."""
    before = files_of_systemd(machine)
    pid = machine.sh("systemctl show -P MainPID early")
    said = machine.run(
        "imptrace", "service", "start", *NOTIFY, "--at-boot", "--label", "50% $x", early
    )
    assert "recorded from its start at the next boot" in said.stderr
    (listed,) = json.loads(machine.sh("imptrace service status --json"))["recordings"]
    assert (listed["unit"], listed["at_boot"], listed["prepared"]) == (early, True, False)
    assert machine.sh("systemctl show -P MainPID early") == pid
    machine.sh("systemctl restart early")
    assert "imptrace-shim" not in machine.sh("systemctl show -P ExecStart early")
    done = machine.run("imptrace", "service", "start", *NOTIFY, early, check=False)
    assert done.returncode == 2
    assert "at the next boot already" in done.stderr

    machine.reboot()
    machine.wait_for("systemctl is-active early")
    assert "imptrace-shim" in machine.sh("systemctl show -P ExecStart early")
    machine.sh(f"test ! -e {CONTROL}")
    machine.run("imptrace", "service", "finish", early)
    shown = run_of(machine, early)
    assert "/var/lib/early-boot" in changed(shown)
    assert shown["run"]["label"] == "50% $x"
    machine.sh("cmp /var/lib/early-boot /proc/sys/kernel/random/boot_id")
    assert files_of_systemd(machine) == before

    machine.reboot()
    machine.wait_for("systemctl is-active early")
    assert "imptrace" not in machine.sh(
        "systemctl list-units --all --no-legend; systemctl cat early"
    )


@pytest.mark.parametrize("verb", ["finish", "reset"])
def test_a_request_is_taken_back(machine: Machine, early: str, verb: str) -> None:
    """Byte for byte, directories included."""
    before = files_of_systemd(machine)
    machine.run("imptrace", "service", "start", *NOTIFY, "--at-boot", early)
    machine.run("imptrace", "service", verb, early)
    assert files_of_systemd(machine) == before
    machine.sh("test ! -e /run/imptrace")


def test_what_a_reboot_would_wipe_is_refused(machine: Machine, early: str) -> None:
    """One line says so, and what to do."""
    machine.sh(f"mkdir {CONTROL}; mount -t tmpfs tmpfs {CONTROL}")
    try:
        done = machine.run("imptrace", "service", "start", *NOTIFY, "--at-boot", early, check=False)
        assert done.returncode == 125
        assert "which a reboot empties: record a restart" in done.stderr
        machine.sh(f"umount {CONTROL}; mount --bind {CONTROL} {CONTROL}")
        machine.sh(f"mount -o remount,bind,ro {CONTROL}")
        done = machine.run("imptrace", "service", "start", *NOTIFY, "--at-boot", early, check=False)
        assert done.returncode == 125
        assert "Read-only file system" in done.stderr
        assert done.stderr.count("\n") == 1
    finally:
        machine.sh(f"umount {CONTROL}; rmdir {CONTROL}")
    machine.sh("test ! -e /run/imptrace")


def test_what_starts_before_anything_can_record_it_is_refused(machine: Machine) -> None:
    """It could not be ordered behind what records it."""
    done = machine.run(
        "imptrace", "service", "start", *NOTIFY, "--at-boot", "systemd-journald", check=False
    )
    assert done.returncode == 2
    assert "starts so early" in done.stderr
