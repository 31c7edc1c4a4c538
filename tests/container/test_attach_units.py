"""Attaching to units that run and must not be restarted."""

import pytest
from machine import Machine
from recorded import changed, run_of

UNIT = "NetworkManager.service"
PROFILE = "/etc/NetworkManager/system-connections/imptrace-attached.nmconnection"


def test_a_running_unit(machine: Machine) -> None:
    """By its catalogue name: a connection is recorded as written, and nothing was restarted."""
    pid = machine.sh(f"systemctl show -P MainPID {UNIT}")
    machine.sh(
        """
        mkfifo /run/said
        imptrace attach --recorder ptrace --unit networkmanager 2> /run/said & tracer=$!
        exec 3< /run/said
        read -r line <&3
        case $line in *'attached to'*) ;; *) echo "$line"; exit 1 ;; esac
        nmcli connection add type dummy ifname dummy8 con-name imptrace-attached
        kill -INT $tracer
        wait $tracer
        """
    )
    assert machine.sh(f"systemctl show -P MainPID {UNIT}") == pid
    assert machine.sh(f"grep TracerPid /proc/{pid}/status").split() == ["TracerPid:", "0"]
    assert "imptrace-attached" in machine.sh("nmcli --terse connection show")
    run = run_of(machine, UNIT)
    assert (run["run"]["service"], run["run"]["recorder"]) == (UNIT, "ptrace")
    assert run["run"]["program"] == "NetworkManager"
    assert changed(run)[PROFILE] == "created"


@pytest.mark.parametrize(("name", "code"), [("no-such-unit", 2), ("systemd-remount-fs.service", 2)])
def test_a_unit_without_processes(machine: Machine, name: str, code: int) -> None:
    """One that does not exist, and one that has ended."""
    done = machine.run("imptrace", "attach", "--unit", name, check=False)
    assert done.returncode == code
    assert f"unit {name} has no processes" in done.stderr
