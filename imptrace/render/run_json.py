"""Answers in JSON. The shapes are promised in docs/json.md: keys are added, never changed."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal, TypedDict

from imptrace.db.records import RunRecord


class ExitJson(TypedDict):
    """How the program ended; both null while that is unknown."""

    code: int | None
    signal: int | None


class RunJson(TypedDict):
    """One run."""

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
    warnings: list[dict[Literal["code", "text"], str]]


class RunsAnswer(TypedDict):
    """`imptrace runs --json`."""

    schema: Literal["imptrace.runs/1"]
    runs: list[RunJson]


def runs(records: Iterable[RunRecord]) -> RunsAnswer:
    """All runs."""
    return {"schema": "imptrace.runs/1", "runs": [_run(record) for record in records]}


def dump(answer: object) -> str:
    """Write an answer as text: ASCII only, so that no terminal or encoding can be upset by it."""
    return json.dumps(answer, indent=2)


def _run(run: RunRecord) -> RunJson:
    return {
        "id": run.id,
        "label": run.label,
        "program": _text(run.program),
        "argv": list(map(_text, run.argv)),
        "cwd": _text(run.cwd),
        "user": run.user,
        "uid": run.uid,
        "host": run.host,
        "started": _time(run.started_ns),
        "ended": None if run.ended_ns is None else _time(run.ended_ns),
        "exit": {"code": run.exit_code, "signal": run.exit_signal},
        "recorder": run.recorder,
        "status": run.status.value,
        "lost": run.lost,
        "unseen": run.unseen,
        "service": run.service,
        "warnings": [{"code": code, "text": text} for code, text in run.warnings],
    }


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _time(nanoseconds: int) -> str:
    """ISO 8601 in UTC, to the microsecond."""
    return datetime.fromtimestamp(nanoseconds / 1e9, tz=UTC).isoformat()
