"""A unit recorded as it runs: nothing restarts it, nothing of it changes, and nothing is missed."""

from collections.abc import Iterator

import pytest
from machine import Machine
from recorded import changed, run_of

UNIT = "laden.service"
FILE = f"/etc/systemd/system/{UNIT}"
WORK = "/var/lib/laden"
LADEN = f"""[Service]
DynamicUser=yes
StateDirectory=laden
PrivateTmp=yes
NoNewPrivileges=yes
SystemCallFilter=@system-service
ExecStartPre=/bin/sh -c 'echo > {WORK}/before-$$INVOCATION_ID'
ExecStart=/bin/sh -c 'cd {WORK}; for n in $(seq 100000); do echo $n > file$((n % 500)).new; \
    mv file$((n % 500)).new file$((n % 500)); done'
"""


@pytest.fixture
def laden(machine: Machine) -> Iterator[Machine]:
    """Give a machine with a unit that works as fast as it can."""
    if machine.run("imptrace", "run", "--recorder", "bpf", "-q", "true", check=False).returncode:
        pytest.skip("the bpf recorder does not work on the machine")
    machine.write(FILE, LADEN)
    machine.sh(f"systemctl daemon-reload; systemctl start {UNIT}")
    yield machine
    machine.sh(f"systemctl stop {UNIT}; rm {FILE}; systemctl daemon-reload")


def shown(machine: Machine, name: str) -> str:
    """Ask systemd about the unit."""
    return machine.sh(f"systemctl show -P {name} {UNIT}")


def test_under_load(laden: Machine) -> None:
    """The same process before and after, the same unit, and what it did is there."""
    before, text = shown(laden, "MainPID"), laden.sh(f"systemctl cat {UNIT}")
    said = laden.run("imptrace", "service", "start", UNIT).stderr
    assert f"{UNIT} is being recorded (until a reboot" in said
    assert laden.sh(f"systemctl cat {UNIT}") == text
    assert "recorded as it runs" in laden.run("imptrace", "service", "status").stdout
    laden.sh("sleep 2")
    laden.run("imptrace", "service", "finish", UNIT)
    assert (shown(laden, "MainPID"), shown(laden, "NRestarts")) == (before, "0")
    assert shown(laden, "ActiveState") == "active"
    run = run_of(laden, UNIT)
    assert run["run"]["recorder"] == "bpf"
    done = changed(run)
    assert len([path for path in done if "/laden/file" in path]) > 100
    assert not [path for path in done if "/before-" in path]
    laden.sh("test ! -e /run/imptrace")


@pytest.mark.parametrize("how", ["restarted meanwhile", "restarted for it", "started meanwhile"])
def test_its_start(laden: Machine, how: str) -> None:
    """Whoever starts it, its first command is seen, and nothing of systemd's."""
    if how == "started meanwhile":
        laden.sh(f"systemctl stop {UNIT}")
    options = ["--restart"] if how == "restarted for it" else []
    laden.run("imptrace", "service", "start", *options, UNIT)
    if how != "restarted for it":
        laden.sh(f"systemctl restart {UNIT}")
    laden.sh("sleep 1")
    laden.run("imptrace", "service", "finish", UNIT)
    invocation = shown(laden, "InvocationID")
    done = changed(run_of(laden, UNIT))
    assert done[f"/var/lib/private/laden/before-{invocation}"] == "created"
    assert all(path.startswith("/var/lib/private/laden/") for path in done)
    assert shown(laden, "ActiveState") == "active"


def test_killed_recorder(laden: Machine) -> None:
    """It is there again at once, in a run of its own; the unit does not notice."""
    before = shown(laden, "MainPID")
    laden.run("imptrace", "service", "start", UNIT)
    laden.sh("systemctl kill --signal=KILL 'imptrace-record-laden-*'; sleep 3")
    laden.run("imptrace", "service", "finish", UNIT)
    assert shown(laden, "MainPID") == before
    assert changed(run_of(laden, UNIT))
