"""What older versions of systemd do not have, or do otherwise: on a machine with a newer one."""

from machine import Machine
from recorded import NOTIFY, changed, paths, run_of

UNITS = "/etc/systemd/system"
FIRST_WITH_NOTIFY_RELOAD = 253
FIRST_THAT_KEEPS_PRIVILEGES = 255
RELOADER = """#!/usr/bin/python3
import os, signal, socket, time
def tell(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
def reload(*_):
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    tell(f"RELOADING=1\\nMONOTONIC_USEC={now}")
    with open("/var/lib/reloader-reloaded", "a") as file:
        file.write("once\\n")
    tell("READY=1\\nSTATUS=reloaded")
signal.signal(signal.SIGHUP, reload)
tell("READY=1\\nSTATUS=started")
while True:
    signal.pause()
"""
# What systemd 255 and later do otherwise: seccomp settings no longer imply no_new_privs.
FILTERED = """[Service]
User=tester
StateDirectory=filtered
PrivateTmp=yes
ProtectClock=yes
SystemCallFilter=@system-service
ExecStart=/bin/sh -c 'grep -E "^(Cap|NoNew)" /proc/self/status >/var/lib/filtered/status; \\
    echo >/tmp/scratch; exec sleep 600'
"""


def version(machine: Machine) -> int:
    """Answer with the number of the machine's systemd."""
    return int(machine.sh("systemctl --version").split()[1])


def test_a_notify_reload_unit(newer_machine: Machine) -> None:
    """Reloading is over when the unit's own main process says so, recorded or not."""
    machine = newer_machine
    assert version(machine) >= FIRST_WITH_NOTIFY_RELOAD
    machine.write("/usr/local/bin/reloader", RELOADER, 0o755)
    machine.write(
        f"{UNITS}/reloader.service",
        "[Service]\nType=notify-reload\nExecStart=/usr/local/bin/reloader\n",
    )
    machine.sh("systemctl daemon-reload; systemctl start reloader")
    before = machine.sh("systemctl cat reloader")
    machine.run("imptrace", "service", "start", *NOTIFY, "reloader")
    pid = machine.sh("systemctl show -P MainPID reloader")
    assert machine.sh("systemctl show -P StatusText reloader") == "started"
    machine.sh("systemctl reload reloader")
    assert machine.sh("systemctl show -P StatusText reloader") == "reloaded"
    assert machine.sh("cat /var/lib/reloader-reloaded") == "once"
    assert machine.sh("systemctl show -P MainPID reloader") == pid
    machine.run("imptrace", "service", "finish", "reloader")
    assert machine.sh("systemctl cat reloader") == before
    assert "/var/lib/reloader-reloaded" in changed(run_of(machine, "reloader.service"))
    machine.sh("systemctl reload reloader; systemctl stop reloader; test ! -e /run/imptrace")


def test_a_whole_recording(newer_machine: Machine) -> None:
    """A unit with filters of its own has the privileges that it has without; all is recorded."""
    machine = newer_machine
    assert version(machine) >= FIRST_THAT_KEEPS_PRIVILEGES
    machine.write(f"{UNITS}/filtered.service", FILTERED)
    machine.sh("systemctl daemon-reload; systemctl start filtered")
    machine.wait_for("test -s /var/lib/filtered/status")
    before = machine.sh("systemctl cat filtered; cat /var/lib/filtered/status")
    machine.sh("rm /var/lib/filtered/status")
    machine.run("imptrace", "service", "start", *NOTIFY, "filtered")
    machine.wait_for("test -s /var/lib/filtered/status")
    machine.sh("systemctl kill --signal=KILL 'imptrace-record-filtered-*'")
    machine.sh("systemctl restart filtered")
    done = machine.run("imptrace", "service", "finish", "filtered")
    assert "next: imptrace recommend --service filtered" in done.stderr
    assert machine.sh("systemctl cat filtered; cat /var/lib/filtered/status") == before
    run = run_of(machine, "filtered.service")
    assert "/var/lib/filtered/status" in paths(run)
    assert [path for path in paths(run) if path.endswith("/scratch")] != ["/tmp/scratch"]
    machine.sh("systemctl stop filtered; test ! -e /run/imptrace")
