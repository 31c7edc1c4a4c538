"""Lists of `imptrace export --for`: real services are saved by them, wiped, and come back.

Each makes its state by its own programs, recorded where the catalogue does not know the places;
what the lists say is saved by restic, borg and rsync as docs/act.md tells, everything that the
services own is removed, and after the restoration each has to answer as before. So has each
database after a dump by the command that the catalogue has for it.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass

import pytest
from machine import Machine

DYNAMIC = """[Service]
DynamicUser=yes
StateDirectory={0}
CacheDirectory={0}
{1}
"""


@dataclass(frozen=True)
class Service:
    """A service, how it is used, and what it has to answer to whoever asks."""

    unit: str
    tops: str
    """All that it owns, to be wiped."""
    use: str
    ask: str
    answer: str
    settings: str = ""
    """Of a unit with DynamicUser, which is none of Debian's."""
    is_up: str = "true"
    entry: str = ""
    """Of the catalogue, where that knows its places; else it is recorded."""

    @property
    def name(self) -> str:
        """What `imptrace export` is asked for."""
        return self.entry or self.unit


SERVICES = (
    Service(
        "postgresql@15-main",
        "/var/lib/postgresql",
        "runuser -u postgres -- psql -qc 'CREATE TABLE kept AS SELECT 42 AS answer'",
        "runuser -u postgres -- psql -qtAc 'SELECT answer FROM kept'",
        "42",
        is_up="runuser -u postgres -- psql -qtAc 'SELECT 1'",
        entry="postgresql",
    ),
    Service(
        "mariadb",
        "/var/lib/mysql",
        "mysql -e 'CREATE DATABASE a; CREATE TABLE a.kept AS SELECT 42 AS answer'",
        "mysql -Ne 'SELECT answer FROM a.kept'",
        "42",
        is_up="mysql -Ne 'SELECT 1'",
        entry="mysql",
    ),
    Service(
        "redis-server",
        "/var/lib/redis",
        "redis-cli SET kept 42; redis-cli SAVE",
        "redis-cli GET kept",
        "42",
        is_up="redis-cli PING | grep PONG",
    ),
    Service(
        "slapd",
        "/var/lib/ldap",
        "printf 'dn: ou=kept,dc=nodomain\nobjectClass: organizationalUnit\nou: kept\n' >/tmp/kept;"
        "systemctl stop slapd; slapadd -n 1 -l /tmp/kept;"
        "chown -R openldap:openldap /var/lib/ldap; systemctl start slapd",
        "ldapsearch -xLLL -H ldapi:/// -b ou=kept,dc=nodomain dn | head -1",
        "dn: ou=kept,dc=nodomain",
        is_up="ldapsearch -x -H ldapi:/// -b '' -s base",
    ),
    Service(
        "influxdb",
        "/var/lib/influxdb",
        "influx -execute 'CREATE DATABASE a'; influx -database a -execute 'INSERT kept answer=42'",
        "influx -database a -format csv -execute 'SELECT answer FROM kept' | tail -1 | cut -d, -f3",
        "42",
        is_up="influx -execute 'SHOW DATABASES'",
    ),
    Service(
        "knot",
        "/var/lib/knot",
        "knotc zone-begin a.test;"
        "knotc zone-set a.test @ 60 SOA ns.a.test. me.a.test. 1 60 60 60 60;"
        "knotc zone-set a.test kept 60 TXT 42; knotc zone-commit a.test; knotc zone-flush a.test",
        "knotc zone-read a.test kept.a.test. TXT | grep -o '\"42\"'",
        '"42"',
        is_up="knotc status",
        entry="knot",
    ),
    Service(
        "tor@default",
        "/var/lib/tor",
        "true",
        "cat /var/lib/tor/onion/hostname",
        "",
        is_up="test -s /var/lib/tor/onion/hostname",
        entry="tor",
    ),
    Service(
        "keys",
        "/var/lib/private/keys /var/cache/private/keys",
        "etcdctl put kept 42",
        "etcdctl get --print-value-only kept",
        "42",
        "Type=notify\nExecStart=/usr/bin/etcd --data-dir /var/lib/keys/data",
        is_up="etcdctl get x",
    ),
    Service(
        "broker",
        "/var/lib/private/broker /var/cache/private/broker",
        "mosquitto_pub -p 1884 -r -t kept -m 42; systemctl restart broker",
        "mosquitto_sub -p 1884 -C 1 -W 5 -t kept",
        "42",
        "ExecStart=/usr/sbin/mosquitto -c /etc/broker.conf",
        is_up="mosquitto_pub -p 1884 -t x -m x",
    ),
    Service(
        "sharing",
        "/var/lib/private/sharing /var/cache/private/sharing",
        "true",
        "HOME=/root syncthing --home /var/lib/private/sharing/config --device-id",
        "",
        "Environment=HOME=/var/lib/sharing\n"
        "ExecStart=/bin/sh -c 'mkdir -p /var/lib/sharing/config/cache;"
        " echo again >/var/cache/sharing/thumbs; echo again >/var/lib/sharing/config/cache/thumbs;"
        " test -e /var/lib/sharing/config || syncthing generate --home /var/lib/sharing/config;"
        " exec syncthing serve --no-browser --home /var/lib/sharing/config'",
        is_up="test -e /var/lib/private/sharing/config/index-v0.14.0.db/CURRENT",
    ),
)
CONFIGURATION = {
    "/etc/broker.conf": "listener 1884\nallow_anonymous true\npersistence true\n"
    "persistence_location /var/lib/broker/\nuser root\n",
    "/etc/knot/knot.conf": "server:\n    rundir: /run/knot\n    user: knot:knot\n"
    "zone:\n  - domain: a.test\n    storage: /var/lib/knot\n",
    "/etc/tor/torrc": "DataDirectory /var/lib/tor\nHiddenServiceDir /var/lib/tor/onion\n"
    "HiddenServicePort 80\nDisableNetwork 1\nSocksPort 0\n",
}
UNITS = [service.unit for service in SERVICES]
NAMES = [service.name for service in SERVICES]
RECORDED = [service.unit for service in SERVICES if not service.entry]
TOPS = " ".join(service.tops for service in SERVICES)
LEFT_OUT = (
    "/var/cache/private",
    "/var/lib/private/sharing/config/cache",
    # Made at its first start, with nothing in it.
    "/var/lib/private/sharing/Sync",
)
SAVING = "export RESTIC_PASSWORD=x RESTIC_REPOSITORY=/backup/restic BORG_BASE_DIR=/backup\n"
SAVE = {
    "restic": "restic -q init;restic -q backup --files-from kept --exclude-file kept.exclude",
    "borg": "borg init -e none /backup/borg; borg create --patterns-from kept /backup/borg::a",
    "rsync": "mkdir copy; rsync -aAXH --filter 'merge kept' / copy/",
}
RESTORE = {
    "restic": "restic -q restore latest --target /",
    "borg": "cd /; borg extract /backup/borg::a",
    "rsync": "rsync -aAXH copy/ /",
}


@pytest.fixture(name="used", scope="module")
def _used(serving_machine: Machine) -> Machine:
    """Have every service run, and be used, while it is recorded."""
    machine = serving_machine
    for path, text in CONFIGURATION.items():
        machine.write(path, text)
    for service in SERVICES:
        if service.settings:
            text = DYNAMIC.format(service.unit, service.settings)
            machine.write(f"/etc/systemd/system/{service.unit}.service", text)
    machine.sh("pg_createcluster 15 main >/dev/null 2>&1; systemctl daemon-reload")
    machine.sh("mkdir -m 1777 /backup")
    machine.run("imptrace", "service", "start", *RECORDED, timeout=300)
    start(machine)
    for service in SERVICES:
        machine.sh(service.use)
    machine.run("imptrace", "service", "finish", *RECORDED, timeout=300)
    return machine


def start(machine: Machine) -> None:
    machine.sh(f"systemctl start {' '.join(UNITS)}", timeout=300)
    for service in SERVICES:
        machine.wait_for(service.is_up)


def answers(machine: Machine) -> dict[str, str]:
    """Ask every service for what it was given."""
    given = {service.unit: machine.sh(service.ask) for service in SERVICES}
    for service in SERVICES:
        assert given[service.unit] == service.answer or not service.answer
    return given


def listed(machine: Machine) -> list[str]:
    """List all that the services own: type, mode, owner, times, where links lead, contents."""
    found = machine.sh(
        f"find {TOPS} ! -type d -printf '%p %y %m %u:%g %l %s %T@\\n' | sort;"
        f"find {TOPS} -type d ! -empty -printf '%p %m %U:%G\\n' | sort;"
        f"find {TOPS} -type f -exec sha256sum {{}} + | sort"
    )
    return [line for line in found.splitlines() if not any(each in line for each in LEFT_OUT)]


@pytest.mark.parametrize("program", [*SAVE])
def test_what_is_saved_by_a_list_comes_back(used: Machine, program: str) -> None:
    before = answers(used)
    used.run("imptrace", "export", "--for", program, *NAMES, "-o", "/backup/kept", timeout=300)
    said = used.sh("cat /backup/kept")
    assert "# secret in it: /var/lib/tor/onion" in said
    used.sh(f"systemctl stop {' '.join(UNITS)} 2>&1")
    state = listed(used)
    used.sh(f"cd /backup; {SAVING} {SAVE[program]} 2>&1", timeout=300)
    used.sh(f"rm -r {TOPS} /var/lib/private /var/cache/private")
    used.sh(f"cd /backup; {SAVING} {RESTORE[program]} 2>&1", timeout=300)
    assert listed(used) == state
    there = used.sh(f"ls -d {' '.join(LEFT_OUT)} 2>&1", check=False)
    assert there.count("No such file") == len(LEFT_OUT)
    assert used.sh("stat -c %a /var/lib/private") == "700"
    start(used)
    assert answers(used) == before
    used.sh("rm -r /backup; mkdir -m 1777 /backup")


def test_clan_is_told_the_same(used: Machine) -> None:
    if not shutil.which("nix-instantiate"):
        pytest.skip("needs nix-instantiate")
    module = used.run("imptrace", "export", "--for", "clan", *NAMES, timeout=300).stdout
    command = ["nix-instantiate", "--eval", "--strict", "--json", "-E", module]
    read = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (state,) = json.loads(read)["clan"]["core"]["state"].values()
    restic = used.run("imptrace", "export", "--for", "restic", *NAMES, timeout=300).stdout
    assert state["folders"] == [line for line in restic.splitlines() if line[0] == "/"]


@dataclass(frozen=True)
class Dump:
    """A database of the catalogue, and how it is filled again from a dump in /backup/dump."""

    entry: str
    unit: str
    restore: str
    """Of the stopped service, whose state is removed; it is started by this where need be."""
    is_recorded: bool = False
    """Another distribution keeps it elsewhere, which only a recording tells."""


DUMPS = (
    Dump(
        "postgresql",
        "postgresql@15-main",
        "rm -r /etc/postgresql; pg_createcluster 15 main; systemctl start postgresql@15-main;"
        "runuser -u postgres -- psql -q </backup/dump",
    ),
    Dump(
        "mysql",
        "mariadb",
        "mysql_install_db --user=mysql; systemctl start mariadb; mysql </backup/dump",
    ),
    Dump(
        "redis",
        "redis-server",
        "install -D -o redis /backup/dump /var/lib/redis/dump.rdb",
        is_recorded=True,
    ),
    Dump(
        "openldap",
        "slapd",
        "install -d -o openldap /var/lib/ldap; slapadd -n 1 -l /backup/dump;"
        "chown -R openldap: /var/lib/ldap",
    ),
    Dump(
        "influxdb",
        "influxdb",
        "install -d -o influxdb /var/lib/influxdb; systemctl start influxdb;"
        "until influx -execute 'SHOW DATABASES'; do sleep 0.2; done;"
        "influxd restore -portable /backup/dump",
    ),
    Dump(
        "etcd",
        "keys",
        "install -d -m 700 /var/lib/private;"
        "etcdctl snapshot restore /backup/dump --data-dir /var/lib/private/keys/data",
    ),
    Dump(
        "knot",
        "knot",
        "systemctl start knot; knotc -b zone-restore +backupdir /backup/dump",
    ),
)


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.entry)
def test_a_dump_of_a_live_database_can_be_restored(used: Machine, dump: Dump) -> None:
    service = next(each for each in SERVICES if each.unit == dump.unit)
    assert used.sh(service.ask) == service.answer
    dumped(used, dump.entry, is_recorded=dump.is_recorded)
    used.sh(f"systemctl stop {dump.unit} 2>&1; rm -r {service.tops}")
    used.sh(f"({dump.restore}) 2>&1; systemctl start {dump.unit}", timeout=300)
    used.wait_for(service.is_up)
    assert used.sh(service.ask) == service.answer


def test_a_database_of_sqlite_that_is_written_to(used: Machine) -> None:
    """In a file of its own log, as its server leaves it while it runs."""
    used.sh("install -d /var/lib/vaultwarden")
    statements = "PRAGMA journal_mode=wal; CREATE TABLE kept(answer); INSERT INTO kept VALUES (42);"
    writer = f"(echo '{statements}'; sleep 100) | sqlite3 /var/lib/vaultwarden/db.sqlite3"
    used.sh(f"{{ {writer}; }} >/dev/null 2>&1 &")
    used.wait_for("test -s /var/lib/vaultwarden/db.sqlite3-wal")
    dumped(used, "vaultwarden")
    assert used.sh("sqlite3 /backup/dump 'SELECT answer FROM kept'") == "42"


def dumped(machine: Machine, entry: str, *, is_recorded: bool = False) -> None:
    """Do what the list says, into /backup/dump."""
    database = () if is_recorded else ("--db", "/backup/none.db")
    said = machine.run("imptrace", "export", "--for", "rsync", entry, *database).stdout
    (command,) = {
        line.removeprefix("# dump: ") for line in said.splitlines() if line.startswith("# dump: ")
    }
    words = command.split()
    for place in ("FILE", "DIRECTORY"):
        command = command.replace(place, "/backup/dump")
    into = "" if {"FILE", "DIRECTORY"} & set(words) or "FILE'" in words else " >/backup/dump"
    machine.sh(f"rm -rf /backup/dump; {command}{into}", timeout=300)
