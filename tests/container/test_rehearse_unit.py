"""`imptrace rehearse --unit`: a copy of a unit, wiped and started again; the live one stays."""

import json
from typing import TYPE_CHECKING

import pytest
from machine import Machine

if TYPE_CHECKING:
    import subprocess

UNITS = "/etc/systemd/system"
REMEMBERING = """
import os, socket, time
place = os.environ["STATE_DIRECTORY"] + "/facts"
with socket.create_server(("127.0.0.1", 7777)):
    before = open(place).read() if os.path.exists(place) else "nothing"
    print("found", before, os.getuid(), flush=True)
    with open(place, "a") as file:
        file.write("x")
    time.sleep(1000)
"""
SERVER = f"{UNITS}/remembering.service"


@pytest.fixture(name="server", scope="module")
def _server(machine: Machine) -> str:
    """Run a server with a sandbox, a dynamic user and a port."""
    machine.write("/usr/local/bin/remembering", f"#!/usr/bin/python3{REMEMBERING}", 0o755)
    machine.write(
        SERVER,
        """[Unit]
After=network.target
Requires=cron.service
[Service]
DynamicUser=yes
StateDirectory=remembering
ProtectSystem=strict
PrivateTmp=yes
SystemCallFilter=@system-service
ExecStart=/usr/local/bin/remembering
Restart=always
""",
    )
    machine.sh("systemctl daemon-reload; systemctl start remembering")
    machine.wait_for("test -s /var/lib/private/remembering/facts")
    return "remembering"


def rehearse(machine: Machine, *words: str) -> "subprocess.CompletedProcess[str]":
    return machine.run("imptrace", "rehearse", "--seconds=2", *words, check=False, timeout=120)


def of_the_machine(machine: Machine) -> str:
    """Tell what must be as it was: the live unit, its state, mounts, control groups, addresses."""
    return machine.sh(
        "systemctl show -P InvocationID remembering; cat /var/lib/private/remembering/facts;"
        "stat -c '%i %u %a %Y' /var/lib/private/remembering /var/lib/remembering;"
        "cut -d' ' -f5 /proc/self/mountinfo | sort; ls /run/systemd/system /run;"
        # The system's own services end when nobody asks them any longer.
        "ls /tmp | grep -v 'systemd-private-.*-systemd-' || true;"
        "find /sys/fs/cgroup -name '*rehearsal*'; hostname; ip -o address"
    )


def test_what_clashes_is_said_and_nothing_is_touched(machine: Machine, server: str) -> None:
    before = of_the_machine(machine)
    done = rehearse(machine, "--unit", server)
    assert done.returncode == 2
    assert "its copy would clash with it over TCP port 7777: --stop" in done.stderr
    assert of_the_machine(machine) == before


def test_apart_from_the_live_unit(machine: Machine, server: str) -> None:
    """With a network of its own nothing clashes, and the live unit runs on."""
    before = of_the_machine(machine)
    done = rehearse(machine, "--unit", server, "--own-network", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["verdict"]) == (0, "came-back"), answer
    assert answer["unit"] == "remembering.service"
    assert answer["came_back"] == ["/var/lib/private/remembering/facts"]
    assert [start["exit"] for start in answer["starts"]] == [0, 0, 0, 0]
    assert of_the_machine(machine) == before


def test_stopped_meanwhile(machine: Machine, server: str) -> None:
    facts = machine.sh("cat /var/lib/private/remembering/facts")
    done = rehearse(machine, "--unit", server, "--stop")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "remembering.service is stopped meanwhile" in done.stderr
    assert "remembering.service runs again" in done.stderr
    machine.sh("systemctl is-active remembering")
    machine.wait_for(f"test $(cat /var/lib/private/remembering/facts) = {facts}x")


def test_a_path_out_and_a_command_of_a_client(machine: Machine, server: str) -> None:
    """Kept is another directory: the state is lost, and the client says so too."""
    kept = [{"path": "/var/lib/other", "kind": "directory", "level": "normal"}]
    machine.write("/tmp/advice.json", json.dumps({"recommendations": kept}))
    done = rehearse(
        machine, "--unit", server, "--own-network", "--json", "--advice", "/tmp/advice.json",
        "--first", "sleep 1; echo mine >/var/lib/private/remembering/mine",
        "--again", "cat /var/lib/private/remembering/mine",
    )  # fmt: skip
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["verdict"]) == (1, "lost"), done.stderr
    found = {(each["trouble"], each["path"]) for each in answer["findings"]}
    assert ("lost", "/var/lib/private/remembering/facts") in found
    assert ("exit", None) in found
    assert machine.run("test", "-e", "/var/lib/private/remembering/mine", check=False).returncode


def test_what_is_over_by_itself(machine: Machine) -> None:
    """A oneshot whose file nobody keeps is found out, also though nothing fails."""
    machine.write(
        f"{UNITS}/once.service",
        """[Service]
Type=oneshot
ExecStart=/bin/sh -c 'mkdir -p /var/lib/once; test -e /var/lib/once/key || \\
    cp /proc/sys/kernel/random/uuid /var/lib/once/key; cat /var/lib/once/key'
""",
    )
    machine.sh("systemctl daemon-reload")
    for kept, code in (("/var/lib/once", 0), ("/var/lib/other", 1)):
        rows = [{"path": kept, "kind": "directory", "level": "normal"}]
        machine.write("/tmp/advice.json", json.dumps({"recommendations": rows}))
        done = rehearse(machine, "--unit", "once", "--advice", "/tmp/advice.json")
        assert done.returncode == code, done.stdout + done.stderr
    assert "LOST          /var/lib/once/key" in done.stdout
    assert machine.run("test", "-e", "/var/lib/once", check=False).returncode


def test_what_never_works_proves_nothing(machine: Machine) -> None:
    machine.write(
        f"{UNITS}/luckless.service",
        "[Service]\nStateDirectory=luckless\nExecStart=/bin/sh -c 'echo no luck >&2; exit 7'\n",
    )
    machine.sh("systemctl daemon-reload")
    done = rehearse(machine, "--unit", "luckless")
    assert done.returncode == 3
    assert "nothing is proven: every start fails, also without a wipe: 7: no luck" in done.stdout


def test_a_service_of_the_bus_that_sets_up_the_network(machine: Machine) -> None:
    """It gets a bus and a network of its own; the real one stays as it was."""
    before = machine.sh("ip -o address; ip route; systemctl show -P MainPID NetworkManager")
    done = rehearse(machine, "--unit", "NetworkManager", "networkmanager", "--json")
    assert "its copy gets one of its own" in done.stderr
    answer = json.loads(done.stdout)
    assert answer["verdict"] == "came-back", done.stdout
    assert "/var/lib/NetworkManager/NetworkManager.state" in answer["came_back"]
    after = machine.sh("ip -o address; ip route; systemctl show -P MainPID NetworkManager")
    assert after == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--unit", "nosuch"], "there is no unit nosuch.service"),
        (["--unit", "getty@"], "is a template"),
        (["--unit", "cron", "--user", "tester"], "leave out --user"),
        (["cron", "--stop"], "are for --unit"),
    ],
)
def test_bad_input(machine: Machine, words: list[str], said: str) -> None:
    done = rehearse(machine, *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr


def test_only_root(machine: Machine) -> None:
    done = machine.run(
        "runuser", "-u", "tester", "--", "imptrace", "rehearse", "--unit", "cron", check=False
    )
    assert done.returncode == 125
    assert "needs root: use sudo" in done.stderr
