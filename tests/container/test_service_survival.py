"""Whatever is killed or removed: the service goes on, and a reset leaves nothing behind."""

import json
import time
from collections.abc import Iterator

import pytest
from machine import Machine
from recorded import NOTIFY, changed, run_of

UNITS = "/etc/systemd/system"
# Opens, writes and renames all the time; any error ends it.
BUSY = """#!/usr/bin/python3
import os, time
os.makedirs("/var/lib/busy", exist_ok=True)
rounds = 0
while True:
    with open("/var/lib/busy/new", "w") as file:
        file.write(str(rounds))
    os.rename("/var/lib/busy/new", "/var/lib/busy/now")
    rounds += 1
    time.sleep(0.002)
"""


@pytest.fixture
def busy(machine: Machine) -> Iterator[str]:
    """Run a unit that makes traced calls without a pause."""
    machine.write("/usr/local/bin/busy", BUSY, 0o755)
    machine.write(f"{UNITS}/busy.service", "[Service]\nExecStart=/usr/local/bin/busy\n")
    machine.sh("systemctl daemon-reload; systemctl restart busy")
    yield "busy.service"
    machine.run("imptrace", "service", "reset", "--no-restart", "busy")
    machine.sh("systemctl stop busy")


def rounds(machine: Machine) -> int:
    """How far it got."""
    return int(machine.sh("cat /var/lib/busy/now"))


def goes_on(machine: Machine, pid: str) -> None:
    """Wait until the same process has made progress."""
    machine.wait_for(f"test $(systemctl show -P MainPID busy) = {pid}")
    before = rounds(machine)
    machine.wait_for(f"test $(cat /var/lib/busy/now) -gt {before + 20}")


def pids_of_recorder(machine: Machine) -> list[str]:
    """List the recorder's processes: the one that stores, then the one that answers."""
    processes = "cat /sys/fs/cgroup/system.slice/imptrace-record-busy-*.service/cgroup.procs"
    machine.wait_for(f"test $({processes} | wc -l) = 2")
    return machine.sh(processes).split()


@pytest.mark.parametrize("which", ["all of it", "the one that stores", "the one that answers"])
def test_a_killed_recorder(machine: Machine, busy: str, which: str) -> None:
    """The unit's calls wait until a new one has taken over, and none of them fails."""
    machine.sh(f"imptrace service start --recorder notify --restart {busy}")
    pid = machine.sh("systemctl show -P MainPID busy")
    for _ in range(3):
        goes_on(machine, pid)
        stores, answers = pids_of_recorder(machine)
        killed = {"all of it": f"{stores} {answers}", "the one that stores": stores}
        machine.sh(f"kill -KILL {killed.get(which, answers)}", check=False)
        machine.wait_for(f"! kill -0 {stores} 2>/dev/null")
        goes_on(machine, pid)
    machine.sh(f"imptrace service finish {busy}")
    run = run_of(machine, busy)
    assert run["run"]["status"] == "complete"
    assert "/var/lib/busy/now" in changed(run)


def test_stopping_the_recorder_by_hand(machine: Machine, busy: str) -> None:
    """It does not leave before the unit does, unless it is forced."""
    machine.sh(f"imptrace service start --recorder notify --restart {busy}")
    pid = machine.sh("systemctl show -P MainPID busy")
    machine.sh("systemctl stop --no-block 'imptrace-record-busy-*'; sleep 2")
    goes_on(machine, pid)
    machine.sh("systemctl restart busy")
    goes_on(machine, machine.sh("systemctl show -P MainPID busy"))
    journal = machine.sh("journalctl -b -u busy -t imptrace -o cat")
    assert "not recorded: the recorder" in journal


def test_a_vanished_recorder(machine: Machine, busy: str) -> None:
    """With socket and recorder gone the unit starts, unrecorded; finish and reset clean up."""
    before = machine.sh(f"systemctl cat {busy}")
    machine.sh(f"imptrace service start --recorder notify --restart --no-restart {busy}")
    machine.sh("systemctl kill --signal=KILL 'imptrace-record-busy-*'; rm -rf /run/imptrace/busy-*")
    machine.sh("systemctl restart busy")
    goes_on(machine, machine.sh("systemctl show -P MainPID busy"))
    machine.wait_for("journalctl -b -u busy -t imptrace -o cat | grep -q 'cannot be reached'")
    done = machine.run("imptrace", "service", "finish", busy)
    assert "recorder was gone" in done.stderr
    assert machine.sh(f"systemctl cat {busy}") == before
    machine.sh("test ! -e /run/imptrace")
    left = machine.sh("systemctl list-units --all --no-legend 'imptrace-*'")
    assert left == ""


def test_a_reset_removes_everything(machine: Machine, busy: str) -> None:
    """After a crash in the middle the unit's files are as they were, byte for byte."""
    before = machine.run("systemctl", "cat", busy).stdout
    machine.sh(f"imptrace service start --recorder notify --restart {busy}")
    machine.sh("systemctl kill --signal=KILL 'imptrace-record-busy-*'")
    machine.run("imptrace", "service", "reset", busy)
    assert machine.run("systemctl", "cat", busy).stdout == before
    goes_on(machine, machine.sh("systemctl show -P MainPID busy"))
    machine.sh(f"test ! -e /run/imptrace && test ! -e /run/systemd/system/{busy}.d")
    assert machine.sh("systemctl list-units --all --no-legend 'imptrace-*'") == ""
    assert json.loads(machine.sh("imptrace service status --json"))["recordings"] == []
    assert "nothing to remove" in machine.run("imptrace", "service", "reset", busy).stderr


def test_finishing_without_a_restart(machine: Machine, busy: str) -> None:
    """The unit runs on, answered and no longer recorded, until it ends of itself."""
    machine.sh(f"imptrace service start --recorder notify --restart {busy}")
    pid = machine.sh("systemctl show -P MainPID busy")
    goes_on(machine, pid)
    said = machine.run("imptrace", "service", "finish", "--no-restart", busy).stderr
    assert "runs on with its filter" in said
    assert run_of(machine, busy)["run"]["status"] == "complete"
    goes_on(machine, pid)
    time.sleep(4)
    goes_on(machine, pid)
    machine.sh("systemctl stop busy")
    machine.wait_for("test -z \"$(systemctl list-units --all --no-legend 'imptrace-*')\"")
    machine.wait_for("! ls -d /run/imptrace/busy-* 2>/dev/null")


def test_many_recordings_in_a_row(machine: Machine, busy: str) -> None:
    """Restarts for recording do not use up the unit's own start limit (5 in 10 s)."""
    for _ in range(4):
        machine.sh(
            f"imptrace service start --recorder notify --restart {busy};"
            f" imptrace service finish {busy}"
        )
    assert machine.sh(f"systemctl is-active {busy}") == "active"


def test_a_unit_that_fails_when_it_is_finished(machine: Machine) -> None:
    """What was recorded is there, the recorder is gone, and the unit's failure is reported."""
    machine.write(
        f"{UNITS}/once.service",
        "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
        "ExecStart=/bin/sh -ec 'test ! -e /var/lib/twice; echo >/var/lib/once'\n",
    )
    machine.sh("rm -f /var/lib/once /var/lib/twice; systemctl daemon-reload; systemctl start once")
    machine.sh("imptrace service start --recorder notify --restart once; touch /var/lib/twice")
    done = machine.run("imptrace", "service", "finish", "once", check=False)
    assert done.returncode == 125
    assert "the recording is finished, but" in done.stderr
    assert "/var/lib/once" in changed(run_of(machine, "once.service"))
    machine.sh("test ! -e /run/imptrace; systemctl reset-failed once")


STORMY = """[Unit]
StartLimitIntervalSec=0
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=/bin/sh -c 'echo one >/var/lib/stormy'
ExecStartPre=/bin/cat /etc/hostname
ExecStart=/bin/sh -c 'echo two >>/var/lib/stormy; cat /etc/passwd >/dev/null'
ExecStartPost=/bin/sh -c 'echo three >>/var/lib/stormy'
"""
# Kills one of the recorder's processes, or all, at moments that nobody chose.
KILLER = """#!/usr/bin/python3
import glob, os, random, signal, time
while not os.path.exists("/run/calm"):
    time.sleep(random.uniform(0, 1))
    for group in glob.glob("/sys/fs/cgroup/system.slice/imptrace-record-stormy-*/cgroup.procs"):
        with open(group) as file:
            pids = file.read().split()
        for pid in random.choice([pids, pids[:1], pids[1:]]):
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
"""


def test_a_storm_of_starts_and_killings(machine: Machine) -> None:
    """Wherever between the shim's call and its program the recorder dies, the unit starts."""
    machine.write("/usr/local/bin/killer", KILLER, 0o755)
    machine.write(f"{UNITS}/stormy.service", STORMY)
    machine.sh("rm -f /run/calm; systemctl daemon-reload; systemctl start stormy")
    before = machine.sh("systemctl cat stormy")
    machine.run("imptrace", "service", "start", *NOTIFY, "stormy")
    machine.sh("systemd-run --quiet --unit=killer /usr/local/bin/killer")
    try:
        for _ in range(12):
            machine.sh("rm -f /var/lib/stormy; systemctl restart stormy")
            assert machine.sh("cat /var/lib/stormy") == "one\ntwo\nthree"
    finally:
        machine.sh("touch /run/calm")
        machine.wait_for("! systemctl is-active --quiet killer")
        machine.run("imptrace", "service", "finish", "stormy")
    assert machine.sh("systemctl cat stormy") == before
    machine.sh("systemctl stop stormy; test ! -e /run/imptrace")


def test_a_recorder_that_hangs(machine: Machine) -> None:
    """A unit that has little time to start does not spend it on waiting for the recorder."""
    machine.write(
        f"{UNITS}/hasty.service",
        "[Service]\nType=oneshot\nTimeoutStartSec=2\nExecStartPre=/bin/true\n"
        "ExecStart=/bin/touch /var/lib/hasty\n",
    )
    machine.sh("systemctl daemon-reload; imptrace service start --recorder notify --restart hasty")
    groups = "/sys/fs/cgroup/system.slice/imptrace-record-hasty-*/cgroup.procs"
    machine.sh(f"kill -STOP $(cat {groups}); systemctl start hasty; test -e /var/lib/hasty")
    journal = machine.sh("journalctl -b -u hasty -t imptrace -o cat")
    assert "not recorded: the recorder does not answer" in journal
    machine.sh(
        f"kill -CONT $(cat {groups}); imptrace service finish hasty; test ! -e /run/imptrace"
    )
