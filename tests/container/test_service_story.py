"""The story of docs/services.md, step by step, on NetworkManager as Debian ships it."""

import json

import pytest
from machine import Machine
from recorded import NOTIFY, changed, run_of

UNIT = "NetworkManager.service"
PROFILE = "/etc/NetworkManager/system-connections/imptrace-test.nmconnection"
DROPIN = f"/run/systemd/system/{UNIT}.d"


def test_a_connection_is_recorded_as_written(machine: Machine) -> None:
    """Started by its catalogue name; the unit works at every step, and is itself at the end."""
    before = machine.sh(f"systemctl cat {UNIT}")
    said = machine.run("imptrace", "service", "start", *NOTIFY, "networkmanager").stderr
    assert "CAP_SYS_ADMIN" in said
    assert machine.sh(f"systemctl is-active {UNIT}") == "active"
    machine.sh("nmcli connection add type dummy ifname dummy7 con-name imptrace-test")
    assert "imptrace-test" in machine.sh("nmcli --terse connection show")

    status = json.loads(machine.sh("imptrace service status --json"))
    services = {each["unit"]: each for each in status["recordings"]}
    assert services[UNIT]["prepared"]
    assert services[UNIT]["listeners"] == 1
    # The catalogue's name means all units of the service that there are.
    assert {"NetworkManager-dispatcher.service", "NetworkManager-wait-online.service"} < set(
        services
    )

    said = machine.run("imptrace", "service", "finish", "networkmanager").stderr
    assert "imptrace recommend --service networkmanager" in said
    assert machine.sh(f"systemctl is-active {UNIT}") == "active"
    assert "imptrace-test" in machine.sh("nmcli --terse connection show")
    assert machine.sh(f"systemctl cat {UNIT}") == before
    machine.sh(f"test ! -e {DROPIN} && test ! -e /run/imptrace")
    assert machine.sh("systemctl list-units --all --no-legend 'imptrace-*'") == ""

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
    machine.sh(f"imptrace service start --recorder notify --restart {UNIT}")
    try:
        assert machine.sh(sets) == without
        assert "Seccomp:\t2" in machine.sh(sets.replace("Cap", "Seccomp:"))
    finally:
        machine.sh(f"imptrace service finish {UNIT}")


def test_names_of_a_unit_and_of_a_service(machine: Machine) -> None:
    """A unit's own name means it alone, an alias of systemd's the unit that it is."""
    try:
        for name in (UNIT, "NetworkManager", "dbus-org.freedesktop.nm-dispatcher"):
            machine.run("imptrace", "service", "start", *NOTIFY, "--no-restart", name)
            (unit,) = json.loads(machine.sh("imptrace service status --json"))["recordings"]
            expected = "NetworkManager-dispatcher.service" if name.startswith("dbus") else UNIT
            assert unit["unit"] == expected
            machine.run("imptrace", "service", "finish", name)
        done = machine.run("imptrace", "service", "finish", "nm", check=False)
        assert done.returncode == 2
        assert "no unit of nm is being recorded" in done.stderr
    finally:
        machine.sh("imptrace service reset")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("start nosuch", 2, "no unit nosuch.service"),
        ("start multi-user.target", 2, "only services have processes"),
        ("start -- -.mount", 2, "only services have processes"),
        ("start getty@.service", 2, "is a template"),
        ("start masked", 2, "is masked"),
        ("start cron.service transient", 2, "imptrace attach --unit transient.service"),
        ("start --restart refusing", 2, "imptrace attach --unit refusing.service"),
        ("start not/a-unit", 2, "is no unit name"),
        ("start broken-line", 2, "systemctl status broken-line.service"),
        ("start --at-boot nosuch", 2, "no unit nosuch.service"),
        ("finish cron", 2, "is not being recorded"),
    ],
)
def test_bad_input_is_one_clear_line(machine: Machine, command: str, code: int, words: str) -> None:
    """It names what is wrong, has its exit code, and leaves nothing behind."""
    machine.sh("systemctl mask --runtime --quiet masked.service")
    machine.sh("systemctl is-active transient || systemd-run --quiet --unit=transient sleep 600")
    units = "/run/systemd/system"
    sleeper = "[Service]\nExecStart=/bin/sleep 600\n"
    machine.write(f"{units}/refusing.service", f"[Unit]\nRefuseManualStart=yes\n{sleeper}")
    machine.write(f"{units}/starter.target", "[Unit]\nWants=refusing.service\n")
    machine.write(f"{units}/broken-line.service", "[Service]\nExecStart=relative/program\n")
    machine.sh("systemctl daemon-reload; systemctl start starter.target")
    done = machine.run("sh", "-c", f"imptrace service {command}", check=False)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    machine.sh("test ! -e /run/imptrace")


def test_an_ordinary_user_is_told_so(machine: Machine) -> None:
    """Recording a system unit needs root."""
    done = machine.run(
        "runuser",
        "-u",
        "tester",
        "--",
        "imptrace",
        "service",
        "start",
        *NOTIFY,
        "cron",
        check=False,
    )
    assert done.returncode == 125
    assert "needs root" in done.stderr


def test_recording_twice_is_refused(machine: Machine) -> None:
    """The second start says what to do, and the first recording goes on."""
    machine.sh("imptrace service start --recorder notify --restart cron")
    try:
        done = machine.run("imptrace", "service", "start", *NOTIFY, "cron", check=False)
        assert done.returncode == 2
        assert "being recorded already" in done.stderr
        assert '"cron.service"' in machine.sh("imptrace service status --json")
    finally:
        machine.sh("imptrace service finish cron")
