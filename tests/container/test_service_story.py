"""The story of docs/services.md, step by step, on NetworkManager as Debian ships it."""

import json

import pytest
from machine import Machine
from recorded import changed, run_of

UNIT = "NetworkManager.service"
PROFILE = "/etc/NetworkManager/system-connections/imptrace-test.nmconnection"
DROPIN = f"/run/systemd/system/{UNIT}.d"


def test_a_connection_is_recorded_as_written(machine: Machine) -> None:
    """Started by its catalogue name; the unit works at every step, and is itself at the end."""
    before = machine.sh(f"systemctl cat {UNIT}")
    said = machine.run("imptrace", "service", "start", "networkmanager").stderr
    assert "CAP_SYS_ADMIN" in said
    assert machine.sh(f"systemctl is-active {UNIT}") == "active"
    machine.sh("nmcli connection add type dummy ifname dummy7 con-name imptrace-test")
    assert "imptrace-test" in machine.sh("nmcli --terse connection show")

    status = json.loads(machine.sh("imptrace service status --json"))
    (service,) = status["recordings"]
    assert (service["unit"], service["prepared"]) == (UNIT, True)
    assert service["listeners"] == 1

    said = machine.run("imptrace", "service", "finish", "networkmanager").stderr
    assert f"imptrace recommend --service {UNIT}" in said
    assert machine.sh(f"systemctl is-active {UNIT}") == "active"
    assert "imptrace-test" in machine.sh("nmcli --terse connection show")
    assert machine.sh(f"systemctl cat {UNIT}") == before
    machine.sh(f"test ! -e {DROPIN} && test ! -e /run/imptrace")

    run = run_of(machine, UNIT)
    assert run["run"]["service"] == UNIT
    assert run["run"]["status"] == "complete"
    assert changed(run)[PROFILE] == "created"
    advice = machine.sh("imptrace recommend --service networkmanager --format json")
    assert "/etc/NetworkManager/system-connections" in advice


def test_capabilities_are_given_back(machine: Machine) -> None:
    """While it is recorded the service has exactly the capabilities that it has without."""
    sets = f"grep Cap /proc/$(systemctl show -P MainPID {UNIT})/status"
    without = machine.sh(sets)
    machine.sh(f"imptrace service start {UNIT}")
    try:
        assert machine.sh(sets) == without
        assert "Seccomp:\t2" in machine.sh(sets.replace("Cap", "Seccomp:"))
    finally:
        machine.sh(f"imptrace service finish {UNIT}")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("start nosuch", 2, "no unit nosuch.service"),
        ("start multi-user.target", 2, "only services have processes"),
        ("start -- -.mount", 2, "only services have processes"),
        ("start getty@.service", 2, "is a template"),
        ("start masked", 2, "is masked"),
        ("finish cron", 2, "is not being recorded"),
    ],
)
def test_bad_input_is_one_clear_line(machine: Machine, command: str, code: int, words: str) -> None:
    """It names what is wrong, has its exit code, and leaves nothing behind."""
    machine.sh("systemctl mask --runtime --quiet masked.service")
    done = machine.run("sh", "-c", f"imptrace service {command}", check=False)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    machine.sh("test ! -e /run/imptrace")


def test_an_ordinary_user_is_told_so(machine: Machine) -> None:
    """Recording a system unit needs root."""
    done = machine.run(
        "runuser", "-u", "tester", "--", "imptrace", "service", "start", "cron", check=False
    )
    assert done.returncode == 125
    assert "needs root" in done.stderr


def test_recording_twice_is_refused(machine: Machine) -> None:
    """The second start says what to do, and the first recording goes on."""
    machine.sh("imptrace service start cron")
    try:
        done = machine.run("imptrace", "service", "start", "cron", check=False)
        assert done.returncode == 2
        assert "being recorded already" in done.stderr
        assert '"cron.service"' in machine.sh("imptrace service status --json")
    finally:
        machine.sh("imptrace service finish cron")
