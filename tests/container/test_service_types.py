"""Units of every type and kind run while they are recorded as they run without."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from machine import Machine
from recorded import NOTIFY, changed, paths, run_of

UNITS = "/etc/systemd/system"


@contextmanager
def recording(machine: Machine, unit: str, *options: str) -> Iterator[None]:
    """Record a unit for as long as the block lasts; then it must be itself again."""
    before = machine.sh(f"systemctl cat {unit}")
    machine.run("imptrace", "service", "start", *NOTIFY, *options, unit)
    try:
        yield
    finally:
        said = machine.run("imptrace", "service", "finish", unit, check=False)
    assert said.returncode == 0, said.stderr
    assert machine.sh(f"systemctl cat {unit}") == before
    machine.sh("test ! -e /run/imptrace")


def main_pid(machine: Machine, unit: str) -> str:
    return machine.sh(f"systemctl show -P MainPID {unit}")


def test_a_dynamic_user_with_its_state_directory(machine: Machine) -> None:
    """Its private directories are recorded as the host sees them, its properties are kept."""
    machine.write(
        f"{UNITS}/dynamic.service",
        """[Service]
DynamicUser=yes
StateDirectory=dynamic
StateDirectoryMode=0700
CacheDirectory=dynamic
ExecStart=/bin/sh -c 'echo $$RANDOM >$STATE_DIRECTORY/facts; echo >/tmp/scratch; exec sleep 600'
""",
    )
    machine.sh("systemctl daemon-reload; systemctl start dynamic")
    with recording(machine, "dynamic.service"):
        machine.wait_for("test -s /var/lib/private/dynamic/facts")
        invocation = machine.sh("systemctl show -P InvocationID dynamic")
    run = run_of(machine, "dynamic.service")
    assert "/var/lib/private/dynamic/facts" in changed(run)
    (scratch,) = [path for path in paths(run) if path.endswith("/scratch")]
    assert scratch.startswith("/tmp/systemd-private-")
    properties = run["properties"]
    assert properties["StateDirectory"] == "dynamic"
    assert properties["StateDirectoryMode"] == "0700"
    assert properties["DynamicUser"] == "yes"
    assert properties["FragmentPath"] == f"{UNITS}/dynamic.service"
    assert properties["InvocationID"] == invocation
    machine.sh("systemctl stop dynamic")


def test_a_notify_unit_with_watchdog_and_reload(machine: Machine) -> None:
    """Readiness, watchdog and reload reach the unit's own main process."""
    machine.write(
        "/usr/local/bin/notifier",
        """#!/usr/bin/python3
import os, signal, socket, time
def tell(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
signal.signal(signal.SIGHUP, lambda *_: open("/var/lib/notifier-reloaded", "w").close())
time.sleep(0.3)
assert os.environ["WATCHDOG_PID"] == str(os.getpid())
tell("READY=1\\nSTATUS=at your service")
while True:
    time.sleep(0.2)
    tell("WATCHDOG=1")
""",
        0o755,
    )
    machine.write(
        f"{UNITS}/notifying.service",
        """[Service]
Type=notify
WatchdogSec=2
ExecStart=/usr/local/bin/notifier
ExecReload=/bin/kill -HUP $MAINPID
""",
    )
    machine.sh("systemctl daemon-reload; systemctl start notifying")
    with recording(machine, "notifying.service"):
        assert machine.sh("systemctl show -P StatusText notifying") == "at your service"
        pid = main_pid(machine, "notifying")
        machine.sh("systemctl reload notifying; sleep 3")
        machine.wait_for("test -e /var/lib/notifier-reloaded")
        assert main_pid(machine, "notifying") == pid
    assert "/var/lib/notifier-reloaded" in changed(run_of(machine, "notifying.service"))
    machine.sh("systemctl stop notifying")


def test_a_forking_daemon(machine: Machine) -> None:
    """Its pid file is found, and what the daemon does afterwards is recorded."""
    machine.write(
        "/usr/local/bin/forker",
        """#!/bin/sh
(exec setsid sh -c 'echo $$ >/run/forking.pid; echo >/var/lib/forking/late; exec sleep 600') &
sleep 0.5
""",
        0o755,
    )
    machine.write(
        f"{UNITS}/forking.service",
        """[Service]
Type=forking
PIDFile=/run/forking.pid
ExecStartPre=-/bin/false
ExecStartPre=/bin/mkdir -p /var/lib/forking
ExecStart=/usr/local/bin/forker
ExecStartPost=/bin/touch /var/lib/forking/post
ExecStopPost=/bin/touch /var/lib/forking/stopped
""",
    )
    machine.sh("systemctl daemon-reload; systemctl start forking")
    with recording(machine, "forking.service"):
        assert main_pid(machine, "forking") == machine.sh("cat /run/forking.pid")
    names = paths(run_of(machine, "forking.service"))
    assert {"/var/lib/forking/late", "/var/lib/forking/post"} <= names
    assert "/var/lib/forking/stopped" in names
    machine.sh("systemctl stop forking")


def test_a_oneshot_with_prefixes_and_several_commands(machine: Machine) -> None:
    """Each prefix does what it does without recording."""
    machine.write(
        f"{UNITS}/oneshot.service",
        """[Service]
Type=oneshot
RemainAfterExit=yes
User=tester
EnvironmentFile=/etc/oneshot.env
Environment=DOLLAR=five
ExecStart=-/bin/false
ExecStart=+/bin/sh -c 'id -u >/run/oneshot-plus'
ExecStart=!/bin/sh -c 'id -u >/run/oneshot-bang'
ExecStart=@/bin/sh renamed -c 'echo "$0 ${FROM_FILE} %n" >/tmp/oneshot-at' ; \\
    /bin/sh -c 'echo ";" >/tmp/oneshot-semicolon'
ExecStart=:/bin/sh -c 'echo "$DOLLAR" >/tmp/oneshot-colon'
ExecStart=/bin/sh -c 'echo "$$DOLLAR ${DOLLAR}" "two  words" >/tmp/oneshot-plain'
""",
    )
    machine.write("/etc/oneshot.env", "FROM_FILE='a b'\n")
    results = "cat /run/oneshot-* /tmp/oneshot-*; stat -c '%U %n' /run/oneshot-* /tmp/oneshot-*"
    forget = "rm -f /run/oneshot-* /tmp/oneshot-*"
    machine.sh("systemctl daemon-reload; systemctl restart oneshot")
    expected = machine.sh(f"{results}; {forget}")
    assert "tester /tmp/oneshot-plain" in expected
    assert "root /run/oneshot-plus" in expected
    with recording(machine, "oneshot.service"):
        assert machine.sh(f"{results}; {forget}") == expected
    names = paths(run_of(machine, "oneshot.service"))
    assert {"/run/oneshot-plus", "/run/oneshot-bang", "/tmp/oneshot-colon"} <= names
    machine.sh(f"systemctl stop oneshot; {forget}")


def test_a_socket_activated_unit(machine: Machine) -> None:
    """It inherits its sockets, and is recorded when the first client comes."""
    machine.write(
        "/usr/local/bin/greeter",
        """#!/usr/bin/python3
import os, socket
assert os.environ["LISTEN_PID"] == str(os.getpid())
with socket.socket(fileno=3) as listening:
    while True:
        client, _ = listening.accept()
        open("/var/lib/greeted", "a").close()
        client.sendall(b"hello\\n")
        client.close()
""",
        0o755,
    )
    machine.write(f"{UNITS}/greeter.socket", "[Socket]\nListenStream=/run/greeter.sock\n")
    machine.write(f"{UNITS}/greeter.service", "[Service]\nExecStart=/usr/local/bin/greeter\n")
    machine.sh("systemctl daemon-reload; systemctl start greeter.socket")
    with recording(machine, "greeter.service"):
        assert machine.sh("socat - UNIX-CONNECT:/run/greeter.sock </dev/null") == "hello"
    assert "/var/lib/greeted" in changed(run_of(machine, "greeter.service"))
    assert machine.sh("socat - UNIX-CONNECT:/run/greeter.sock </dev/null") == "hello"
    machine.sh("systemctl stop greeter.socket greeter.service")


def test_a_template_instance(machine: Machine) -> None:
    """Only the instance that was named is recorded; specifiers mean what they meant."""
    machine.write(
        f"{UNITS}/tmpl@.service",
        "[Service]\nExecStart=/bin/sh -c"
        " 'echo %i >/var/lib/tmpl-%i; echo I am %i; exec sleep 600'\n",
    )
    machine.sh("systemctl daemon-reload; systemctl start tmpl@one tmpl@two")
    with recording(machine, "tmpl@one.service"):
        assert "imptrace" not in machine.sh("systemctl cat tmpl@two")
        machine.sh("systemctl restart tmpl@two")
        said = machine.sh("journalctl --boot --unit=tmpl@one --identifier=sh --output=cat")
        assert said == "I am one\nI am one"
    names = paths(run_of(machine, "tmpl@one.service"))
    assert "/var/lib/tmpl-one" in names
    assert "/var/lib/tmpl-two" not in names
    machine.sh("systemctl stop tmpl@one tmpl@two")


def test_postgresql(machine: Machine) -> None:
    """A database server, a template instance of Debian's, keeps its data and works throughout."""
    unit = "postgresql@15-main.service"
    # Installed by debootstrap, it may not have been able to make its first cluster.
    machine.sh("test -d /etc/postgresql/15/main || pg_createcluster 15 main", timeout=120)
    machine.sh(f"systemctl daemon-reload; systemctl start {unit}")
    psql = ("runuser", "-u", "postgres", "--", "psql", "--quiet", "--tuples-only", "--no-align")
    with recording(machine, unit):
        machine.run(*psql, text="create table seen (x int); insert into seen values (1);")
    assert machine.run(*psql, text="select count(*) from seen;").stdout == "1\n"
    run = run_of(machine, unit)
    assert any(path.startswith("/var/lib/postgresql/15/main/") for path in changed(run))
    assert run["run"]["lost"] == 0


def test_cron_runs_its_jobs(machine: Machine) -> None:
    """What cron starts belongs to its run."""
    machine.write("/etc/cron.d/imptrace-test", "@reboot root touch /var/lib/cron-was-here\n")
    machine.sh("rm -f /run/crond.reboot")  # cron takes its next start for the first since a boot
    with recording(machine, "cron"):
        machine.wait_for("test -e /var/lib/cron-was-here")
    assert "/var/lib/cron-was-here" in changed(run_of(machine, "cron.service"))
    machine.sh("rm /etc/cron.d/imptrace-test")


def test_prepared_for_the_next_start(machine: Machine) -> None:
    """--no-restart leaves what runs alone; the next start is recorded."""
    machine.write(
        f"{UNITS}/later.service",
        "[Service]\nExecStart=/bin/sh -c 'date +%%N >/var/lib/later; exec sleep 600'\n",
    )
    machine.sh("systemctl daemon-reload; systemctl start later")
    pid = main_pid(machine, "later")
    with recording(machine, "later.service", "--no-restart"):
        assert main_pid(machine, "later") == pid
        machine.sh("systemctl restart later")
    assert "/var/lib/later" in changed(run_of(machine, "later.service"))
    machine.sh("systemctl stop later")


def test_a_unit_that_cannot_start_keeps_its_failure(machine: Machine) -> None:
    """Start says so, removes the recording, and exit status and result stay the unit's own."""
    machine.write(f"{UNITS}/broken.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n")
    machine.sh("systemctl daemon-reload")
    machine.run("imptrace", "service", "start", *NOTIFY, "broken")
    machine.sh("systemctl start broken", check=False)
    assert machine.sh("systemctl show -P ExecMainStatus broken") == "1"
    machine.run("imptrace", "service", "finish", "broken")


@pytest.mark.parametrize("kind", ["simple", "exec"])
def test_a_missing_program_fails_as_without(machine: Machine, kind: str) -> None:
    """Exit status 203 is systemd's own for it."""
    machine.write(
        f"{UNITS}/missing.service", f"[Service]\nType={kind}\nExecStart=/no/such/program\n"
    )
    machine.sh(
        "systemctl daemon-reload; imptrace service start --recorder notify --restart missing"
    )
    machine.sh("systemctl start missing", check=False)
    machine.wait_for("test $(systemctl show -P ActiveState missing) = failed")
    assert machine.sh("systemctl show -P ExecMainStatus missing") == "203"
    machine.sh("imptrace service finish missing; systemctl reset-failed missing", check=False)


def test_credentials(machine: Machine) -> None:
    """They are where the unit looks for them."""
    machine.write(
        f"{UNITS}/credited.service",
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nDynamicUser=yes\nStateDirectory=credited\n"
        "SetCredential=key:secret\n"
        "ExecStart=/bin/sh -c 'cat $CREDENTIALS_DIRECTORY/key >$STATE_DIRECTORY/copy'\n",
    )
    machine.sh("systemctl daemon-reload; systemctl start credited; rm /var/lib/credited/copy")
    with recording(machine, "credited.service"):
        assert machine.sh("cat /var/lib/credited/copy") == "secret"
    assert "/var/lib/private/credited/copy" in changed(run_of(machine, "credited.service"))
    machine.sh("systemctl stop credited")


def test_strangers_are_turned_away(machine: Machine) -> None:
    """Only processes of the unit may bring a listener to its recorder."""
    knock = (
        "import glob, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET);"
        "s.connect(glob.glob('/run/imptrace/cron-*/socket')[0]); s.settimeout(20);"
        "print(len(s.recv(64)))"
    )
    with recording(machine, "cron"):
        for user in ("tester", "root"):
            done = machine.run("runuser", "-u", user, "--", "python3", "-c", knock)
            assert done.stdout == "0\n"
