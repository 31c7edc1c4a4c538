"""Hardened units are recorded, and are as hardened as before once that is finished."""

import pytest
from machine import Machine
from recorded import NOTIFY, changed, paths, run_of

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
# What excludes nothing of the above: a root, users and an account of its own.
EVERYTHING = (
    HARDENED.replace("User=tester", "User=NAME\nDynamicUser=yes")
    + """
PrivateUsers=yes
RootDirectory=/srv/everything
BindReadOnlyPaths=/usr /bin /lib /lib64 /opt
"""
)
SANDBOXES = {
    "hardened": HARDENED,
    "everything": EVERYTHING,
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
    machine.sh(
        f"mkdir -p /srv/shared /srv/everything/mnt;systemctl daemon-reload; systemctl start {unit}"
    )
    machine.wait_for(f"test -s {state}/status")
    state = machine.sh(f"readlink -f {state}")  # a dynamic user's is in a private directory
    status = machine.sh(f"cat {state}/status; rm {state}/*")
    score = machine.sh(f"systemd-analyze security --no-pager {unit}")

    machine.run("imptrace", "service", "start", *NOTIFY, unit)
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
    said = machine.run("imptrace", "service", "start", *NOTIFY, "told").stderr
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
    machine.run("imptrace", "service", "start", *NOTIFY, "rooted")
    machine.wait_for("systemctl is-active rooted")
    machine.run("imptrace", "service", "finish", "rooted")
    run = run_of(machine, "rooted.service")
    assert {"/srv/rooted/var/inside", "/srv/elsewhere/bound"} <= set(changed(run))
    (scratch,) = [path for path in paths(run) if path.endswith("/tmp/scratch")]
    names = run["mount_names"]
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
    machine.sh(
        "imptrace service start --recorder notify --restart chrooting; systemctl start chrooting"
    )
    machine.sh("imptrace service finish chrooting")
    assert "/srv/jail/made-inside" in changed(run_of(machine, "chrooting.service"))
    machine.sh("systemctl stop chrooting")


CONTAINERS = {
    # A root directory of its own, entered by pivot_root, with a mount that only it has.
    "pivoting": (
        "",
        """unshare --mount --propagation private sh -ec '
mount --bind /srv/jail /srv/jail
cd /srv/jail
mkdir -p old proc private data
mount -t proc proc proc
mount -t tmpfs tmpfs private
mount --bind /srv/elsewhere data
pivot_root . old
umount -l /old
exec /bin/sh -c "echo >/inside; cd /data; echo >bound; echo >/private/own; exec sleep 600"'
""",
        {"/srv/jail/inside", "/srv/elsewhere/bound"},
        {"/": "/srv/jail", "/data": "/srv/elsewhere", "/private": None},
    ),
    # The same by a tool that such units use, within the unit's own namespace.
    "bubbling": (
        "PrivateTmp=yes\nUser=tester\nStateDirectory=bubbling\n",
        """exec bwrap --ro-bind / / --bind /var/lib/bubbling /mnt --bind /tmp /srv --tmpfs /tmp \\
    --dev /dev --proc /proc --unshare-all \\
    sh -c "echo >/mnt/inside; cd /srv; echo >scratch; echo >/tmp/own; exec sleep 600"
""",
        {"/var/lib/bubbling/inside"},
        {"/mnt": "/var/lib/bubbling"},
    ),
    # A chroot within the unit's own namespace.
    "jailing": (
        "PrivateTmp=yes\n",
        """exec chroot /srv/jail sh -c "echo >/inside; cd /etc; echo >there; exec sleep 600"
""",
        {"/srv/jail/inside", "/srv/jail/etc/there"},
        {"/": "/srv/jail"},
    ),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container(machine: Machine, name: str) -> None:
    """What is inside of it has the host's names; those that it uses itself are kept too."""
    settings, script, made, expected = CONTAINERS[name]
    machine.write(f"/usr/local/bin/{name}", f"#!/bin/sh\n{script}", 0o755)
    machine.write(
        f"{UNITS}/{name}.service", f"[Service]\nExecStart=/usr/local/bin/{name}\n{settings}"
    )
    machine.sh(
        "rm -rf /srv/jail; mkdir -p /srv/elsewhere /srv/jail/etc /srv/jail/usr/bin;"
        "for each in bin lib lib64; do ln -sfn usr/$each /srv/jail/$each; done;"
        "cp -a --parents /usr/bin/sh /usr/bin/dash /usr/bin/sleep /usr/bin/umount"
        " /usr/lib/*-linux-gnu/*.so* /usr/lib64 /srv/jail/; systemctl daemon-reload"
    )
    machine.run("imptrace", "service", "start", *NOTIFY, "--no-restart", name)
    machine.sh(f"systemctl start {name}")
    for path in made:
        machine.wait_for(f"test -e {path}")
    machine.wait_for(f"grep -q sleep /proc/*/comm; systemctl is-active {name}")
    machine.run("imptrace", "service", "finish", name)
    run = run_of(machine, f"{name}.service")
    assert made <= set(changed(run))
    names = run["mount_names"]
    assert expected.items() <= names.items()
    own = [path for path in paths(run) if path.endswith("/own")]
    assert own in ([], ["/private/own"], ["/tmp/own"])
    machine.sh(f"systemctl stop {name}")


def test_a_root_image(machine: Machine) -> None:
    """Shim and socket are seen inside of it; what it holds itself has no name on the host."""
    if machine.run("losetup", "--find", check=False).returncode:
        pytest.skip("needs loop devices (/dev/loop*) on the machine that runs this")
    machine.write(
        f"{UNITS}/imaged.service",
        """[Service]
RootImage=/srv/image.raw
StateDirectory=imaged
ExecStart=/bin/sh -c 'read -r x </etc/os-release; echo >/var/lib/imaged/inside; exec sleep 600'
""",
    )
    machine.sh(
        "mkdir -p /srv/image/usr/bin; cd /srv/image;"
        "mkdir -p dev etc home opt proc root run srv sys tmp var/lib/imaged;"
        "for each in bin lib lib64; do ln -sfn usr/$each $each; done; echo >etc/os-release;"
        "touch etc/machine-id etc/resolv.conf;"
        "cp -a --parents /usr/bin/sh /usr/bin/dash /usr/bin/sleep /usr/lib64"
        " /usr/lib/*-linux-gnu/libc.so* /usr/lib/*-linux-gnu/ld-linux* .;"
        "mksquashfs . /srv/image.raw -quiet -no-progress -noappend >&2; systemctl daemon-reload"
    )
    machine.run("imptrace", "service", "start", *NOTIFY, "imaged")
    machine.sh("systemctl start imaged")
    try:
        machine.wait_for("test -e /var/lib/imaged/inside")
    finally:
        machine.run("imptrace", "service", "finish", "imaged")
        machine.sh("systemctl stop imaged")
    run = run_of(machine, "imaged.service")
    assert "/var/lib/imaged/inside" in changed(run)
    assert run["properties"]["RootImage"] == "/srv/image.raw"
    assert run["mount_names"]["/"] is None
