"""The records of an evidence file, to and from JSON; docs/evidence.md explains every key.

What a reader is given comes from anywhere: each value is made into its own type, and ValueError,
KeyError, TypeError or AttributeError says that it is none.
"""

import json

from imptrace.db.effect import effect_on
from imptrace.db.records import (
    Accesses,
    AccessRecord,
    PathRecord,
    ProcessRecord,
    RunRecord,
    RunStatus,
)
from imptrace.evidence import machine
from imptrace.evidence.anonymise import HOST
from imptrace.evidence.json_values import (
    Json,
    bytes_from_json,
    bytes_to_json,
    number_from_json,
    optional_number_from_json,
    path_from_json,
    state_from_json,
    state_to_json,
    text_from_json,
)
from imptrace.facts.units import unit_of
from imptrace.tracer.events import AccessFlag, Mount, Op, Outcome, RunScope


def run_record(run: RunRecord, number: int) -> Json:
    """Write a run. Its id is its number in the file."""
    return {
        "type": "run",
        "run": number,
        "program": bytes_to_json(run.program),
        "user": run.user,
        "uid": run.uid,
        "day": run.started_ns,
        "exit": {"code": run.exit_code, "signal": run.exit_signal},
        "recorder": run.recorder,
        "scope": run.scope.value,
        "status": run.status.value,
        "lost": run.lost,
        "unseen": run.unseen,
        "service": run.service,
        "properties": dict(run.properties),
        "machine": None if run.elsewhere is None else json.loads(run.elsewhere),
        "warnings": [code for code, _ in run.warnings],
    }


def run_from(record: Json) -> RunRecord:
    """Read a run."""
    program, day = bytes_from_json(record["program"]), number_from_json(record["day"])
    exit_ = record["exit"]
    return RunRecord(
        id=number_from_json(record["run"]),
        label=None,
        program=program,
        argv=(program,),
        cwd=b"/",
        user=text_from_json(record["user"]),
        uid=number_from_json(record["uid"]),
        host=HOST,
        started_ns=day,
        ended_ns=day,
        exit_code=optional_number_from_json(exit_["code"]),
        exit_signal=optional_number_from_json(exit_["signal"]),
        recorder=text_from_json(record["recorder"]),
        scope=RunScope(record.get("scope", RunScope.PROGRAM)),
        status=RunStatus(record["status"]),
        lost=number_from_json(record["lost"]),
        unseen=number_from_json(record["unseen"]),
        service=None if record["service"] is None else text_from_json(record["service"]),
        properties=_properties(record["properties"]),
        elsewhere=_machine(record["machine"]),
        warnings=tuple((text_from_json(code), "") for code in record["warnings"]),
    )


def _properties(record: Json) -> dict[str, str]:
    return {text_from_json(key): text_from_json(value) for key, value in record.items()}


def _machine(record: Json | None) -> str | None:
    """Check what a machine is said to be."""
    return None if record is None else json.dumps(machine.to_json(machine.from_json(record)))


def process_record(process: ProcessRecord) -> Json:
    """Write an image of a process."""
    return {
        "type": "process",
        "process": process.id,
        "parent": process.parent,
        "previous": process.previous,
        "exe": bytes_to_json(process.exe),
        "uid": process.uid,
        "gid": process.gid,
        "cgroup": bytes_to_json(process.cgroup),
        "environ": {name: bytes_to_json(value) for name, value in process.environ.items()},
        "started": process.started,
        "ended": process.ended,
        "status": process.status,
    }


def process_from(record: Json, run: int) -> ProcessRecord:
    """Read an image of a process."""
    number, cgroup = number_from_json(record["process"]), bytes_from_json(record["cgroup"])
    return ProcessRecord(
        id=number,
        run=run,
        pid=number,
        parent=optional_number_from_json(record["parent"]),
        previous=optional_number_from_json(record["previous"]),
        exe=bytes_from_json(record["exe"]),
        argv=(),
        cwd=b"/",
        uid=number_from_json(record["uid"]),
        gid=number_from_json(record["gid"]),
        cgroup=cgroup,
        unit=unit_of(cgroup),
        environ={
            text_from_json(name): bytes_from_json(each) for name, each in record["environ"].items()
        },
        started=number_from_json(record["started"]),
        ended=optional_number_from_json(record["ended"]),
        status=optional_number_from_json(record["status"]),
    )


def mount_record(mount: Mount) -> Json:
    """Write a mount."""
    return {
        "type": "mount",
        "mountpoint": bytes_to_json(mount.mountpoint),
        "root": bytes_to_json(mount.root),
        "fstype": mount.fstype,
        "source": bytes_to_json(mount.source),
        "options": mount.options,
        "device": mount.device,
        "id": mount.mount_id,
        "parent": mount.parent_id,
    }


def mount_from(record: Json) -> Mount:
    """Read a mount."""
    return Mount(
        mount_id=number_from_json(record["id"]),
        parent_id=number_from_json(record["parent"]),
        device=text_from_json(record["device"]),
        root=bytes_from_json(record["root"]),
        mountpoint=path_from_json(record["mountpoint"]),
        fstype=text_from_json(record["fstype"]),
        source=bytes_from_json(record["source"]),
        options=text_from_json(record["options"]),
    )


def path_record(path: PathRecord) -> Json:
    """Write a path with all that was done to it."""
    return {
        "type": "path",
        "path": bytes_to_json(path.path),
        "before": state_to_json(path.before),
        "after": state_to_json(path.after),
        "hint": path.hint,
        "link": None if path.link is None else bytes_to_json(path.link),
        "accesses": [_access(access) for access in path.accesses],
    }


def path_from(record: Json, run: int) -> PathRecord:
    """Read a path; its effect is worked out anew."""
    accesses = Accesses([_access_from(each) for each in record["accesses"]])
    before, after = state_from_json(record["before"]), state_from_json(record["after"])
    path = path_from_json(record["path"])
    hint = None if record["hint"] is None else text_from_json(record["hint"])
    link = None if record["link"] is None else bytes_from_json(record["link"])
    if after is not None:
        after = after._replace(hint=hint, link=link)
    return PathRecord(
        run=run,
        path=path,
        accesses=accesses,
        before=before,
        after=after,
        effect=effect_on(path, before, after, accesses),
    )


def _access(access: AccessRecord) -> Json:
    return {
        "process": access.process,
        "op": access.op.value,
        "count": access.count,
        "first": access.first,
        "last": access.last,
        "outcome": access.outcome.value,
        "errno": access.errno,
        "flags": int(access.flags),
        "to": None if access.to is None else bytes_to_json(access.to),
        "origin": None if access.origin is None else bytes_to_json(access.origin),
    }


def _access_from(record: Json) -> AccessRecord:
    return AccessRecord(
        process=number_from_json(record["process"]),
        op=Op(record["op"]),
        count=number_from_json(record["count"]),
        first=number_from_json(record["first"]),
        last=number_from_json(record["last"]),
        outcome=Outcome(record["outcome"]),
        errno=number_from_json(record["errno"]),
        flags=AccessFlag(number_from_json(record["flags"])),
        to=None if record["to"] is None else path_from_json(record["to"]),
        origin=None if record["origin"] is None else path_from_json(record["origin"]),
    )
