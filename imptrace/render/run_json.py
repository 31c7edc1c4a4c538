"""Answers in JSON. docs/json.md promises the shapes: keys are added, never changed or removed."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple, NotRequired, TypedDict

from imptrace.db.records import (
    Accesses,
    PathRecord,
    PathUse,
    Pause,
    ProcessRecord,
    RunDetails,
    RunRecord,
)
from imptrace.tracer.events import AccessFlag, FileState, FileType, Op


class ExitJson(TypedDict):
    """How the program ended; both are null while that is unknown."""

    code: int | None
    signal: int | None


class WarningJson(TypedDict):
    """Something that the user should know; `code` is stable."""

    code: str
    text: str


class RunJson(TypedDict):
    """One run. Times are ISO 8601 in UTC."""

    id: int
    label: str | None
    program: str
    argv: list[str]
    cwd: str
    user: str
    uid: int
    host: str
    started: str
    ended: str | None
    exit: ExitJson
    recorder: str
    status: str
    lost: int
    unseen: int
    service: str | None
    warnings: list[WarningJson]


class ProcessJson(TypedDict):
    """One image of a process: an exec makes a new one, with the same pid."""

    id: int
    pid: int
    parent: int | None
    previous: int | None
    exe: str
    argv: list[str]
    cwd: str
    uid: int
    gid: int
    unit: str | None


class StateJson(TypedDict):
    """What lstat said about a path."""

    type: str
    size: int
    mode: str
    uid: int
    gid: int
    mtime_ns: int
    inode: int


class PathNameJson(TypedDict):
    """A path; `path_b64` holds its bytes where they are not valid UTF-8."""

    path: str
    path_b64: NotRequired[str]


class PathJson(PathNameJson):
    """One path of one run."""

    type: str | None
    ops: dict[str, int]
    outcome: str
    effect: str | None
    read_first: bool
    before: StateJson | None
    after: StateJson | None
    hint: str | None
    link: str | None
    processes: list[int]


class UseJson(PathNameJson):
    """What one program did to one path in one run."""

    run: int
    program: str
    exe: str
    ops: dict[str, int]
    outcome: str
    effect: str | None


class RunAnswer(TypedDict):
    """`imptrace show RUN --json`."""

    schema: Literal["imptrace.run/1"]
    run: RunJson
    processes: list[ProcessJson]
    paths: list[PathJson]


class PauseJson(TypedDict):
    """A time in which nothing of the machine was recorded; `run` began then."""

    run: int
    since: str
    until: str


class RunsAnswer(TypedDict):
    """`imptrace runs --json`."""

    schema: Literal["imptrace.runs/1"]
    runs: list[RunJson]
    pauses: list[PauseJson]


class FilesAnswer(TypedDict):
    """`imptrace files PROGRAM --json`."""

    schema: Literal["imptrace.files/1"]
    program: str
    uses: list[UseJson]


def run(details: RunDetails) -> RunAnswer:
    """Answer with one run and all that belongs to it."""
    return {
        "schema": "imptrace.run/1",
        "run": _run(details.run),
        "processes": [_process(process) for process in details.processes],
        "paths": list(_paths(details.paths)),
    }


def runs(records: Iterable[RunRecord], pauses: Iterable[Pause]) -> RunsAnswer:
    """Answer with all runs."""
    return {
        "schema": "imptrace.runs/1",
        "runs": [_run(record) for record in records],
        "pauses": [
            {"run": each.run, "since": time_of(each.since_ns), "until": time_of(each.until_ns)}
            for each in pauses
        ],
    }


def files(program: str, uses: Iterable[PathUse]) -> FilesAnswer:
    """Answer what a program touches."""
    return {
        "schema": "imptrace.files/1",
        "program": _plain(program),
        "uses": [use_json(use) for use in uses],
    }


def _run(record: RunRecord) -> RunJson:
    return {
        "id": record.id,
        "label": record.label,
        "program": plain_text(record.program),
        "argv": _texts(record.argv),
        "cwd": plain_text(record.cwd),
        "user": record.user,
        "uid": record.uid,
        "host": record.host,
        "started": time_of(record.started_ns),
        "ended": None if record.ended_ns is None else time_of(record.ended_ns),
        "exit": {"code": record.exit_code, "signal": record.exit_signal},
        "recorder": record.recorder,
        "status": record.status.value,
        "lost": record.lost,
        "unseen": record.unseen,
        "service": record.service,
        "warnings": [{"code": code, "text": text} for code, text in record.warnings],
    }


def _process(process: ProcessRecord) -> ProcessJson:
    return {
        "id": process.id,
        "pid": process.pid,
        "parent": process.parent,
        "previous": process.previous,
        "exe": plain_text(process.exe),
        "argv": _texts(process.argv),
        "cwd": plain_text(process.cwd),
        "uid": process.uid,
        "gid": process.gid,
        "unit": process.unit,
    }


class _Done(NamedTuple):
    """What the accesses of a path say together."""

    ops: dict[str, int]
    outcome: str
    processes: list[int]


def _paths(paths: Iterable[PathRecord]) -> Iterator[PathJson]:
    # Tens of thousands of paths may share what was done to them.
    done: dict[Accesses, _Done] = {}
    for path in paths:
        if path.accesses not in done:
            done[path.accesses] = _done(path)
        yield _path(path, done[path.accesses])


def _done(path: PathRecord) -> _Done:
    processes = sorted({access.process for access in path.accesses})
    return _Done(_ops(path.ops.items()), path.outcome.value, processes)


def _path(path: PathRecord, done: _Done) -> PathJson:
    return {
        **path_name(path.path),
        "type": file_type(path),
        "ops": done.ops,
        "outcome": done.outcome,
        "effect": path.effect and path.effect.value,
        "read_first": path.read_first,
        "before": _state(path.before),
        "after": _state(path.after),
        "hint": path.hint,
        "link": None if path.link is None else plain_text(path.link),
        "processes": done.processes,
    }


def file_type(path: PathRecord) -> FileType | None:
    """Tell what kind of object is, or else was, at a path; None if nobody looked."""
    for state in (path.after, path.before):
        if state is not None and state.type is not FileType.ABSENT:
            return state.type
    return FileType.DIRECTORY if AccessFlag.DIRECTORY in path.flags else None


def use_json(use: PathUse) -> UseJson:
    """Write one use of a path."""
    return {
        **path_name(use.path),
        "run": use.run,
        "program": plain_text(use.program),
        "exe": plain_text(use.exe),
        "ops": _ops(use.ops.items()),
        "outcome": use.outcome.value,
        "effect": use.effect and use.effect.value,
    }


def _state(state: FileState | None) -> StateJson | None:
    if state is None or state.type is FileType.ABSENT:
        return None
    return {
        "type": state.type.value,
        "size": state.size,
        "mode": f"{state.mode:04o}",
        "uid": state.uid,
        "gid": state.gid,
        "mtime_ns": state.mtime_ns,
        "inode": state.inode,
    }


def _ops(ops: Iterable[tuple[Op, int]]) -> dict[str, int]:
    return {op.value: count for op, count in ops}


def path_name(path: bytes) -> PathNameJson:
    """Name a path in JSON; its bytes as well where they are not valid UTF-8."""
    try:
        return {"path": path.decode()}
    except UnicodeDecodeError:
        return {"path": plain_text(path), "path_b64": base64.b64encode(path).decode("ascii")}


def _texts(values: Sequence[bytes]) -> list[str]:
    return list(map(plain_text, values))


def plain_text(value: bytes) -> str:
    """Decode what need not be UTF-8: other bytes are shown as escapes."""
    return value.decode(errors="backslashreplace")


def _plain(text: str) -> str:
    """Return text without the lone surrogates that stand for undecodable bytes of an argument."""
    return plain_text(text.encode(errors="surrogateescape"))


def time_of(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, tz=UTC).isoformat(timespec="microseconds")
