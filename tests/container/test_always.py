"""The machine's recorder as systemd runs it: always on, hardened, for everybody, over its ends."""

import json
import re

import pytest
from machine import Machine

UNIT = "/etc/systemd/system/imptrace.service"
WRITTEN = "/var/lib/writer/written-"
WRITER = """[Service]
Type=oneshot
StateDirectory=writer
ExecStart=/bin/sh -c 'echo > /var/lib/writer/written-$INVOCATION_ID'
"""


@pytest.fixture
def recorded(own_machine: Machine) -> Machine:
    """Give a machine on which the unit runs that `imptrace watch --install` prints."""
    if own_machine.run(
        "imptrace", "run", "--recorder", "bpf", "-q", "true", check=False
    ).returncode:
        pytest.skip("the bpf recorder does not work on the machine")
    own_machine.write(UNIT, own_machine.run("imptrace", "watch", "--install").stdout)
    own_machine.write("/etc/systemd/system/writer.service", WRITER)
    own_machine.sh("useradd --create-home alice; systemctl daemon-reload")
    own_machine.sh("systemctl enable --now imptrace")
    wait_for_it(own_machine)
    return own_machine


def wait_for_it(machine: Machine) -> None:
    """Wait until it records: then it follows programs."""
    machine.wait_for(
        "systemctl is-active imptrace;"
        "runuser -u alice -- imptrace run -q --recorder service --db /tmp/probe.db true"
    )


def as_alice(machine: Machine, *words: str) -> tuple[int, str, str]:
    """Have an ordinary user do something, in her home directory."""
    done = machine.run("runuser", "-l", "alice", "-c", " ".join(words), check=False)
    return done.returncode, done.stdout, done.stderr


def wait_for_pauses(machine: Machine, count: int) -> None:
    """Wait until so many pauses of the record are told; the newest run is stored soon."""
    said = "imptrace runs 2>&1 >/dev/null | grep -c 'nothing was recorded from'"
    machine.wait_for(f"test $({said}) = {count}")


def wait_for_writes(machine: Machine, count: int) -> None:
    """Wait until so many files of the unit are in the record, which is stored each second."""
    machine.wait_for(f"test $(imptrace who /var/lib/writer | grep -c {WRITTEN}) = {count}")


def test_the_unit(recorded: Machine) -> None:
    """What it may, what it sees, whom it answers, and that it comes back."""
    machine = recorded
    exposure = machine.sh("systemd-analyze --no-pager security imptrace | tail -1", check=False)
    found = re.search(r"exposure level for imptrace.service: (\d+\.\d+)", exposure)
    assert found is not None, exposure
    assert float(found[1]) < 4.5
    assert machine.sh("systemctl show -P NoNewPrivileges imptrace") == "yes"

    # Services, by unit.
    machine.sh("systemctl start writer")
    wait_for_writes(machine, 1)
    machine.wait_for("imptrace runs --parts latest | grep writer.service")

    # Users: what they did, and what they run, with the rights of a setuid program.
    code, out, said = as_alice(machine, "imptrace run sh -c 'passwd -S; echo > kept; exit 3'")
    assert code == 3, said
    assert out.startswith("alice ")
    assert "seen by the recorder service" in said
    assert "1 program ran with other rights than yours" in said
    code, out, said = as_alice(machine, "imptrace show latest --json")
    run = json.loads(out)
    assert run["run"]["recorder"] == "service"
    assert "/home/alice/kept" in [path["path"] for path in run["paths"]]
    assert "/etc/shadow" not in out
    assert "kept" in as_alice(machine, "imptrace files --db service sh")[1]

    # Its ends: killed, and a reboot; each leaves a gap that is said, and a user's program goes on.
    process = machine.sh("systemctl show -P MainPID imptrace")
    machine.sh(
        "(set +e; runuser -l alice -c 'imptrace run --db /tmp/killed.db"
        ' sh -c "echo > begun; sleep 6; echo > late; exit 5"\' > /tmp/said 2>&1;'
        " echo $? >> /tmp/said) > /dev/null 2>&1 &"
    )
    machine.wait_for("test -e /home/alice/begun")
    machine.sh("systemctl kill --signal KILL imptrace")
    machine.wait_for("tail -1 /tmp/said | grep -x 5")
    assert "the machine's recorder ended before the program did" in machine.sh("cat /tmp/said")
    machine.sh("test -e /home/alice/late")
    wait_for_it(machine)
    assert machine.sh("systemctl show -P MainPID imptrace") != process
    wait_for_pauses(machine, 1)
    machine.reboot()
    wait_for_it(machine)
    wait_for_pauses(machine, 2)
    machine.sh("systemctl start writer")
    wait_for_writes(machine, 2)
