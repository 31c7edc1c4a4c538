"""What the database on the machine says about a run."""

import json
from typing import Any

from machine import Machine

NOTIFY = ("--recorder", "notify", "--restart")
"""Options of `service start`: by a shim, and from the unit's start on."""
_ASK = """
import json, sys
from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.render import run_json
with reading(sys.argv[2] or None) as engine:
    run = max(run.id for run in queries.runs(engine) if run.service == sys.argv[1])
    details = queries.run_details(engine, run)
names = {}
for name in details.mount_names:
    host = None if name.host is None else name.host.decode()
    names.setdefault(name.inside.decode(), []).append(host)
kept = {
    "properties": dict(details.run.properties),
    "mount_names": {key: each[0] if len(each) == 1 else each for key, each in names.items()},
}
print(json.dumps({**run_json.run(details), **kept}))
"""


def run_of(machine: Machine, service: str, database: str = "") -> dict[str, Any]:
    """Answer with the newest run of a service: what `imptrace show --json` has, and properties."""
    done = machine.run("/opt/imptrace/bin/python", "-c", _ASK, service, database)
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def changed(shown: dict[str, Any]) -> dict[str, str]:
    """Tell what the run did to each path that it changed."""
    return {
        each["path"]: each["effect"]
        for each in shown["paths"]
        if each["effect"] not in (None, "unchanged")
    }


def paths(shown: dict[str, Any]) -> set[str]:
    """List every path of the run."""
    return {each["path"] for each in shown["paths"]}
