"""`imptrace move --stop`: exactly the units that run are stopped, and started again."""

from machine import Machine

UNITS = "/etc/systemd/system"
# Writes as it stops, as databases do: what was seen before is older than what has to be copied.
LAST_WORDS = """[Service]
WorkingDirectory=/var/lib/{0}
ExecStart=/bin/sh -c 'exec 3>>log; trap "echo end >&3; mv log old; exit 0" TERM; \\
    while :; do sleep 0.2; done'
"""


def state(machine: Machine, unit: str) -> tuple[str, str]:
    shown = machine.sh(f"systemctl show -P ActiveState -P InvocationID {unit}").splitlines()
    return shown[0], shown[1] if len(shown) > 1 else ""


def test_what_runs_is_stopped_and_no_more(machine: Machine) -> None:
    """One that runs, one that does not, and what the first writes as it stops."""
    for name in ("scribe", "idler"):
        machine.write(f"{UNITS}/{name}.service", LAST_WORDS.format(name))
        machine.sh(f"mkdir -p /var/lib/{name}; echo x >/var/lib/{name}/log")
    machine.sh("systemctl daemon-reload; systemctl start scribe; mkdir -p /persistent")
    machine.wait_for("ls -l /proc/$(systemctl show -P MainPID scribe)/fd | grep -q scribe/log")
    before = state(machine, "scribe")
    refused = machine.run("imptrace", "move", "/var/lib/scribe", check=False)
    assert refused.returncode == 1
    assert "writes to /var/lib/scribe/log" in refused.stdout + refused.stderr
    assert state(machine, "scribe") == before

    done = machine.run(
        "imptrace", "move", "/var/lib/scribe", "/var/lib/idler", "--stop", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    after = state(machine, "scribe")
    assert (before[0], after[0]) == ("active", "active")
    assert before[1] != after[1]
    assert state(machine, "idler")[0] == "inactive"
    assert machine.sh("cat /persistent/var/lib/scribe/old") == "x\nend"
    assert machine.sh("cat /persistent/var/lib/idler/log") == "x"

    undone = machine.run("imptrace", "move", "--undo", check=False)
    assert undone.returncode == 0, undone.stderr
    assert machine.sh("find /persistent -mindepth 1") == ""
    machine.sh("systemctl stop scribe; rm -r /var/lib/scribe /var/lib/idler /persistent")
