"""Hardened units are recorded, and are as hardened as before once that is finished."""

import json

import pytest
from machine import Machine
from recorded import changed, paths, run_of

UNITS = "/etc/systemd/system"
PROGRAM = """#!/bin/sh
echo facts >"$STATE_DIRECTORY/facts"
grep -E '^(Cap|NoNew)' /proc/self/status >"$STATE_DIRECTORY/status"
exec sleep 600
"""
HARDENED = """
User=tester
StateDirectory=NAME
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ReadOnlyPaths=/opt
BindPaths=/srv/shared:/mnt
NoNewPrivileges=yes
RestrictAddressFamilies=AF_INET
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@resources @sandbox
CapabilityBoundingSet=
"""
SANDBOXES = {
    "hardened": HARDENED,
    "private-users": "User=tester\nPrivateUsers=yes\nStateDirectory=NAME\n",
    "no-family": "StateDirectory=NAME\nRestrictAddressFamilies=none\n",
    "killing-filter": "StateDirectory=NAME\nSystemCallFilter=~seccomp socket sendmsg ppoll\n",
    "allow-list": (
        "StateDirectory=NAME\nUser=tester\nSystemCallFilter=@default @file-system @basic-io"
        " @process @signal @io-event\nSystemCallErrorNumber=EPERM\n"
    ),
    "bounded-user": "User=tester\nStateDirectory=NAME\nCapabilityBoundingSet=CAP_CHOWN\n",
    "ambient-user": "User=tester\nStateDirectory=NAME\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n",
    "plain-user": "User=tester\nStateDirectory=NAME\n",
    "masked-run": "StateDirectory=NAME\nTemporaryFileSystem=/run\n",
    "no-exec": "StateDirectory=NAME\nNoExecPaths=/\nExecPaths=/usr /lib /lib64 /bin\n",
}


@pytest.mark.parametrize("name", SANDBOXES)
def test_a_sandbox(machine: Machine, name: str) -> None:
    """The program has the privileges that it has without; its state is recorded as the host's."""
    unit = f"sandbox-{name}.service"
    settings = SANDBOXES[name].replace("NAME", f"sandbox-{name}")
    state = f"/var/lib/sandbox-{name}"
    machine.write("/usr/local/bin/sandboxed", PROGRAM, 0o755)
    machine.write(f"{UNITS}/{unit}", f"[Service]\nExecStart=/usr/local/bin/sandboxed\n{settings}")
    machine.sh(f"mkdir -p /srv/shared; systemctl daemon-reload; systemctl start {unit}")
    machine.wait_for(f"test -s {state}/status")
    status = machine.sh(f"cat {state}/status; rm {state}/*")
    score = machine.sh(f"systemd-analyze security --no-pager {unit}")

    machine.run("imptrace", "service", "start", unit)
    try:
        machine.wait_for(f"test -s {state}/status")
        assert machine.sh(f"cat {state}/status") == status
        assert machine.sh(f"systemctl is-active {unit}") == "active"
    finally:
        machine.run("imptrace", "service", "finish", unit)
    assert machine.sh(f"systemd-analyze security --no-pager {unit}") == score
    assert f"{state}/facts" in changed(run_of(machine, unit))
    machine.sh(f"systemctl stop {unit}")


def test_what_changes_is_printed(machine: Machine) -> None:
    """Every line that widens the sandbox is told when recording starts."""
    machine.write(
        f"{UNITS}/told.service",
        "[Service]\nExecStart=/bin/sleep 600\nUser=tester\n"
        "RestrictAddressFamilies=AF_INET\nSystemCallFilter=@file-system\n",
    )
    machine.sh("systemctl daemon-reload")
    said = machine.run("imptrace", "service", "start", "told").stderr
    text = machine.sh("cat /run/systemd/system/told.service.d/*")
    machine.run("imptrace", "service", "reset", "told")
    for directive in ("RestrictAddressFamilies=AF_UNIX", "SystemCallFilter="):
        assert directive in said
        assert directive in text


def test_a_root_directory(machine: Machine) -> None:
    """Shim and socket are seen inside; paths are recorded as they are outside, too."""
    machine.write(
        f"{UNITS}/rooted.service",
        """[Service]
RootDirectory=/srv/rooted
BindReadOnlyPaths=/usr /bin /lib /lib64
BindPaths=/srv/elsewhere:/data
PrivateTmp=yes
ExecStart=/bin/sh -c 'echo >/var/inside; echo >/data/bound; echo >/tmp/scratch; exec sleep 600'
""",
    )
    machine.sh("mkdir -p /srv/rooted/var /srv/elsewhere; systemctl daemon-reload")
    machine.sh("systemctl start rooted")
    machine.wait_for("test -e /srv/rooted/var/inside")
    before = machine.sh("find /srv/rooted | sort")
    machine.run("imptrace", "service", "start", "rooted")
    machine.wait_for("systemctl is-active rooted")
    machine.run("imptrace", "service", "finish", "rooted")
    run = run_of(machine, "rooted.service")
    assert {"/srv/rooted/var/inside", "/srv/elsewhere/bound"} <= set(changed(run))
    (scratch,) = [path for path in paths(run) if path.endswith("/tmp/scratch")]
    names = json.loads(run["properties"]["MountNames"])
    assert names["/data"] == "/srv/elsewhere"
    assert names["/tmp"] + "/scratch" == scratch
    assert machine.sh("find /srv/rooted | sort") == before
    machine.sh("systemctl stop rooted")


def test_a_unit_that_changes_its_root_itself(machine: Machine) -> None:
    """A chroot below the unit is seen through."""
    machine.write(
        f"{UNITS}/chrooting.service",
        "[Service]\nExecStart=/usr/sbin/chroot /srv/jail /usr/bin/touch /made-inside\n"
        "Type=oneshot\nRemainAfterExit=yes\n",
    )
    machine.sh(
        "mkdir -p /srv/jail/usr; for each in bin lib lib64; do ln -sfn usr/$each /srv/jail/$each;"
        " done; cp -a --parents /usr/bin/touch /usr/lib/*-linux-gnu/libc.so.6 /usr/lib64"
        " /usr/lib/*-linux-gnu/ld-linux* /srv/jail/; systemctl daemon-reload"
    )
    machine.sh("imptrace service start chrooting; systemctl start chrooting")
    machine.sh("imptrace service finish chrooting")
    assert "/srv/jail/made-inside" in changed(run_of(machine, "chrooting.service"))
    machine.sh("systemctl stop chrooting")
