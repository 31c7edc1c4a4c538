"""What a machine would lose: nothing where nothing was done since it booted."""

import json

import pytest
from machine import Machine

TRANSIENT = "transient"


def leaks(machine: Machine, *arguments: str) -> dict[str, str]:
    done = machine.run("imptrace", "leaks", "--json", *arguments, check=False)
    answer = json.loads(done.stdout)
    assert done.returncode == any(
        leak["level"] in ("important", "secret") for leak in answer["leaks"]
    )
    return {leak["path"]: leak["level"] for leak in answer["leaks"]}


@pytest.fixture(name="fresh")
def _fresh(machine: Machine) -> Machine:
    """Boot it anew, so that what other tests have left is as old as what the image had."""
    machine.reboot()
    return machine


def test_a_fresh_boot_leaks_nothing(fresh: Machine) -> None:
    """Its image, what the boot made, and the system's own logs are all."""
    assert set(leaks(fresh).values()) <= {TRANSIENT}


def test_what_is_done_then_is_found(fresh: Machine) -> None:
    """Also for an ordinary user, who gets no more than what is below the own home."""
    fresh.sh("sleep 2; mkdir -p /var/lib/unheard; echo x >/var/lib/unheard/state")
    fresh.sh("runuser -u tester -- sh -c 'mkdir -p ~/.config/mine; echo x >~/.config/mine/a'")
    found = leaks(fresh)
    assert found["/var/lib/unheard"] == "normal"
    assert found["/home/tester/.config/mine"] == "normal"
    done = fresh.run("runuser", "-u", "tester", "--", "imptrace", "leaks", "--json", check=False)
    assert [leak["path"] for leak in json.loads(done.stdout)["leaks"]] == [
        "/home/tester/.config/mine"
    ]


def test_what_services_write_right_after_the_boot_is_theirs(own_serving_machine: Machine) -> None:
    """They are up, and what they are asked to keep is no work of the boot; before, nothing is."""
    machine = own_serving_machine
    machine.sh("systemctl enable -q redis-server mosquitto")
    machine.reboot()
    stores = {"/var/lib/redis", "/var/lib/mosquitto"}
    assert not stores & leaks(machine).keys()
    machine.sh("redis-cli set a b; redis-cli save; mosquitto_pub -r -t a -m b")
    machine.sh("pkill -USR1 -x mosquitto")
    machine.wait_for("test -s /var/lib/mosquitto/mosquitto.db")
    found = leaks(machine)
    assert {found.get(path) for path in stores} == {"important"}
