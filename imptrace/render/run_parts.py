"""What a run of the whole machine holds, and when nothing of it was recorded."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypedDict

from imptrace.db.parts import PartCount
from imptrace.db.records import Pause
from imptrace.render.screen import Screen
from imptrace.render.text import printable
from imptrace.render.words import local_time


class PartJson(TypedDict):
    """A program as one user in one unit."""

    unit: str | None
    program: str
    uid: int
    user: str
    processes: int
    changed: int
    touched: int


class PartsAnswer(TypedDict):
    """`imptrace runs --parts RUN --json`."""

    schema: Literal["imptrace.parts/1"]
    parts: list[PartJson]


def table(parts: Sequence[PartCount], users: Mapping[int, str], screen: Screen) -> str:
    """Show one line per program, user and unit."""
    heading = ("PROGRAM", "USER", "UNIT", "CHANGED", "TOUCHED")
    rows = [
        (
            printable(part.program),
            printable(users[part.uid]),
            printable(part.unit or "-"),
            f"{part.changed:,}",
            f"{part.touched:,}",
        )
        for part in parts
    ]
    return "\n".join(screen.table(heading, rows))


def as_json(parts: Iterable[PartCount], users: Mapping[int, str]) -> PartsAnswer:
    """Answer in JSON."""
    return {
        "schema": "imptrace.parts/1",
        "parts": [
            {
                "unit": part.unit,
                "program": part.program.decode(errors="replace"),
                "uid": part.uid,
                "user": users[part.uid],
                "processes": part.processes,
                "changed": part.changed,
                "touched": part.touched,
            }
            for part in parts
        ],
    }


def pause_text(pause: Pause) -> str:
    """Say when the machine was not recorded."""
    return (
        f"nothing was recorded from {local_time(pause.since_ns)} to {local_time(pause.until_ns)}, "
        f"before run {pause.run}"
    )
