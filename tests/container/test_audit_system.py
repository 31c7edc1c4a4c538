"""`imptrace audit --system` finds what every unit of a running systemd declares, and no more."""

import json
import re
from collections.abc import Iterator

from machine import Machine

UNITS = "/etc/systemd/system"
TOPS = {"StateDirectory": "lib", "CacheDirectory": "cache", "LogsDirectory": "log"}

PLANTED = {
    "plain.service": "[Service]\nExecStart=/bin/true\nStateDirectory=plain plain-more/deep\n"
    "LogsDirectory=plain\n[Install]\nWantedBy=multi-user.target\n",
    "hidden.service": "[Service]\nDynamicUser=yes\nExecStart=/bin/true\nStateDirectory=hidden\n"
    "CacheDirectory=hidden\n[Install]\nWantedBy=multi-user.target\n",
    "linked.service": "[Service]\nExecStart=/bin/true\nStateDirectory=linked:alias\n"
    "[Install]\nWantedBy=multi-user.target\n",
    "many@.service": "[Service]\nExecStart=/bin/true\nStateDirectory=many-%i\n"
    "[Install]\nWantedBy=multi-user.target\n",
    "timed.service": "[Service]\nType=oneshot\nExecStart=/bin/true\nStateDirectory=timed\n",
    "timed.timer": "[Timer]\nOnBootSec=1h\n[Install]\nWantedBy=timers.target\n",
    "asked.socket": "[Socket]\nListenStream=/run/asked\n[Install]\nWantedBy=sockets.target\n",
    "asked.service": "[Service]\nExecStart=/bin/sleep 9\nStateDirectory=asked\n",
    "bus-named.service": "[Service]\nType=dbus\nBusName=org.example.Named\nExecStart=/bin/true\n"
    "StateDirectory=bus-named\n",
    "dropped.service": "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n",
    "off.service": "[Service]\nExecStart=/bin/true\nStateDirectory=off\n"
    "[Install]\nWantedBy=multi-user.target\n",
}
STARTED_BY = ["plain.service", "hidden.service", "linked.service", "many@one.service",
              "timed.timer", "asked.socket", "dropped.service"]  # fmt: skip
BUS = (
    "[D-BUS Service]\nName=org.example.Named\nUser=root\nExec=/bin/false\n"
    "SystemdService=bus-named.service\n"
)
EXPECTED = {
    "/var/lib/plain", "/var/lib/plain-more/deep", "/var/log/plain", "/var/lib/private/hidden",
    "/var/cache/private/hidden", "/var/lib/linked", "/var/lib/many-one", "/var/lib/timed",
    "/var/lib/asked", "/var/lib/bus-named", "/var/lib/dropped",
}  # fmt: skip


def audited(machine: Machine) -> dict[str, list[str]]:
    """Ask for what units declare: path, and who declares it."""
    answer = machine.run("imptrace", "audit", "--system", "--json", check=False)
    assert answer.returncode in {0, 1}, answer.stderr
    return {
        row["path"]: row["declaredBy"]
        for row in json.loads(answer.stdout)["inventory"]
        if any(by.split()[-1] in TOPS for by in row["declaredBy"])
    }


def written_down(machine: Machine) -> Iterator[str]:
    """Read what the files of the enabled units say, with no parser but this one."""
    for line in machine.sh(
        "systemctl list-unit-files --state=enabled --type=service --no-legend --plain"
    ).splitlines():
        unit = line.split()[0]
        if "@." in unit:
            continue
        text = machine.sh(f"systemctl cat {unit}")
        private = "private/" if re.search(r"(?m)^DynamicUser=(yes|true|1|on)$", text) else ""
        for key, top in TOPS.items():
            for value in re.findall(rf"(?m)^{key}=(.*)$", text):
                for name in value.split():
                    yield f"/var/{top}/{private}{name.partition(':')[0]}"


def test_every_enabled_unit_that_declares_state_is_listed(machine: Machine) -> None:
    """Of every kind of unit and of all ways to be started; and not what is switched off."""
    for name, text in PLANTED.items():
        machine.write(f"{UNITS}/{name}", text)
    machine.sh(f"mkdir -p {UNITS}/dropped.service.d /etc/dbus-1/system-services")
    machine.write(f"{UNITS}/dropped.service.d/state.conf", "[Service]\nStateDirectory=dropped\n")
    machine.write("/etc/dbus-1/system-services/org.example.Named.service", BUS)
    machine.sh(f"systemctl daemon-reload; systemctl enable --now {' '.join(STARTED_BY)}")
    try:
        found = audited(machine)
        assert set(found) >= EXPECTED
        assert "/var/lib/off" not in found
        assert set(written_down(machine)) <= set(found)
    finally:
        machine.sh(
            f"systemctl disable --now {' '.join(STARTED_BY)}; rm -rf {UNITS}/dropped.service.d"
            f" /etc/dbus-1/system-services/org.example.Named.service; cd {UNITS};"
            f" rm -f {' '.join(PLANTED)}; systemctl daemon-reload"
        )
