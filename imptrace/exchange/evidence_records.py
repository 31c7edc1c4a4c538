"""The records of an evidence file, to and from JSON; docs/evidence.md explains every key.

Bytes that are no valid UTF-8 are written as `{"base64": "..."}`. What a reader is given comes from
anywhere: each value is made into its own type, and ValueError, KeyError or TypeError says that it
is none.
"""

from base64 import b64decode, b64encode
from typing import Any

from imptrace.db.effect import effect_of
from imptrace.db.records import (
    AccessRecord,
    PathRecord,
    ProcessRecord,
    RunRecord,
    RunStatus,
)
from imptrace.db.units import unit_of
from imptrace.exchange.anonymise import HOST
from imptrace.tracer.events import AccessFlag, FileState, FileType, Mount, Op, Outcome

Json = dict[str, Any]
_LARGEST = (1 << 63) - 1


def run_record(run: RunRecord, number: int) -> Json:
    """Write a run. Its id is its number in the file."""
    return {
        "type": "run",
        "run": number,
        "program": _bytes(run.program),
        "user": run.user,
        "uid": run.uid,
        "day": run.started_ns,
        "exit": {"code": run.exit_code, "signal": run.exit_signal},
        "recorder": run.recorder,
        "status": run.status.value,
        "lost": run.lost,
        "unseen": run.unseen,
        "service": run.service,
        "properties": dict(run.properties),
        "warnings": [code for code, _ in run.warnings],
    }


def run_from(record: Json) -> RunRecord:
    """Read a run."""
    program, day = _bytes_from(record["program"]), _number(record["day"])
    exit_ = record["exit"]
    return RunRecord(
        id=_number(record["run"]),
        label=None,
        program=program,
        argv=(program,),
        cwd=b"/",
        user=_text(record["user"]),
        uid=_number(record["uid"]),
        host=HOST,
        started_ns=day,
        ended_ns=day,
        exit_code=_optional_number(exit_["code"]),
        exit_signal=_optional_number(exit_["signal"]),
        recorder=_text(record["recorder"]),
        status=RunStatus(record["status"]),
        lost=_number(record["lost"]),
        unseen=_number(record["unseen"]),
        service=None if record["service"] is None else _text(record["service"]),
        properties={_text(key): _text(value) for key, value in record["properties"].items()},
        warnings=tuple((_text(code), "") for code in record["warnings"]),
    )


def process_record(process: ProcessRecord) -> Json:
    """Write an image of a process."""
    return {
        "type": "process",
        "process": process.id,
        "parent": process.parent,
        "previous": process.previous,
        "exe": _bytes(process.exe),
        "uid": process.uid,
        "gid": process.gid,
        "cgroup": _bytes(process.cgroup),
        "environ": {name: _bytes(value) for name, value in process.environ.items()},
        "started": process.started,
        "ended": process.ended,
        "status": process.status,
    }


def process_from(record: Json, run: int) -> ProcessRecord:
    """Read an image of a process."""
    number, cgroup = _number(record["process"]), _bytes_from(record["cgroup"])
    return ProcessRecord(
        id=number,
        run=run,
        pid=number,
        parent=_optional_number(record["parent"]),
        previous=_optional_number(record["previous"]),
        exe=_bytes_from(record["exe"]),
        argv=(),
        cwd=b"/",
        uid=_number(record["uid"]),
        gid=_number(record["gid"]),
        cgroup=cgroup,
        unit=unit_of(cgroup),
        environ={_text(name): _bytes_from(each) for name, each in record["environ"].items()},
        started=_number(record["started"]),
        ended=_optional_number(record["ended"]),
        status=_optional_number(record["status"]),
    )


def mount_record(mount: Mount) -> Json:
    """Write a mount."""
    return {
        "type": "mount",
        "mountpoint": _bytes(mount.mountpoint),
        "root": _bytes(mount.root),
        "fstype": mount.fstype,
        "source": _bytes(mount.source),
        "options": mount.options,
        "device": mount.device,
        "id": mount.mount_id,
        "parent": mount.parent_id,
    }


def mount_from(record: Json) -> Mount:
    """Read a mount."""
    return Mount(
        mount_id=_number(record["id"]),
        parent_id=_number(record["parent"]),
        device=_text(record["device"]),
        root=_bytes_from(record["root"]),
        mountpoint=_path_from(record["mountpoint"]),
        fstype=_text(record["fstype"]),
        source=_bytes_from(record["source"]),
        options=_text(record["options"]),
    )


def path_record(path: PathRecord) -> Json:
    """Write a path with all that was done to it."""
    return {
        "type": "path",
        "path": _bytes(path.path),
        "before": _state(path.before),
        "after": _state(path.after),
        "hint": path.hint,
        "link": None if path.link is None else _bytes(path.link),
        "accesses": [_access(access) for access in path.accesses],
    }


def path_from(record: Json, run: int) -> PathRecord:
    """Read a path; its effect is worked out anew."""
    accesses = tuple(_access_from(each) for each in record["accesses"])
    before, after = _state_from(record["before"]), _state_from(record["after"])
    return PathRecord(
        run=run,
        path=_path_from(record["path"]),
        accesses=accesses,
        before=before,
        after=after,
        hint=None if record["hint"] is None else _text(record["hint"]),
        link=None if record["link"] is None else _bytes_from(record["link"]),
        effect=effect_of(before, after, accesses),
        read_first=any(AccessFlag.READ_FIRST in access.flags for access in accesses),
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
        "to": None if access.to is None else _bytes(access.to),
        "origin": None if access.origin is None else _bytes(access.origin),
    }


def _access_from(record: Json) -> AccessRecord:
    return AccessRecord(
        process=_number(record["process"]),
        op=Op(record["op"]),
        count=_number(record["count"]),
        first=_number(record["first"]),
        last=_number(record["last"]),
        outcome=Outcome(record["outcome"]),
        errno=_number(record["errno"]),
        flags=AccessFlag(_number(record["flags"])),
        to=None if record["to"] is None else _path_from(record["to"]),
        origin=None if record["origin"] is None else _path_from(record["origin"]),
    )


def _state(state: FileState | None) -> Json | None:
    if state is None:
        return None
    return {**state._asdict(), "type": state.type.value}


def _state_from(record: Json | None) -> FileState | None:
    if record is None:
        return None
    numbers = {key: _number(record[key]) for key in FileState._fields if key != "type"}
    return FileState(type=FileType(record["type"]), **numbers)


def _bytes(value: bytes) -> str | Json:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(value).decode()}


def _bytes_from(value: str | Json) -> bytes:
    decoded = value.encode() if isinstance(value, str) else b64decode(value["base64"])
    if b"\0" in decoded:
        raise ValueError("a NUL byte in a name")
    return decoded


def _path_from(value: str | Json) -> bytes:
    path = _bytes_from(value)
    if not path.startswith(b"/"):
        raise ValueError("a path that is not absolute")
    return path


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        raise ValueError(f"{value!r} is no number of the right size")
    return value


def _optional_number(value: object) -> int | None:
    return None if value is None else _number(value)
