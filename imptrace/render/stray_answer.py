"""What is astray in a store: as a table, and as `imptrace.stray/1`."""

from typing import Literal, TypedDict

from imptrace.kept.stray import Stray, StrayAnswer
from imptrace.render.leaks_json import GapJson, gap_json, moment
from imptrace.render.run_json import PathNameJson, path_name, plain_text
from imptrace.render.screen import Screen
from imptrace.render.text import printable
from imptrace.render.words import counted, local_time, size


class StrayJson(PathNameJson):
    """One path of a store."""

    why: str
    kind: str
    size: int
    files: int
    mtime: str
    program: str | None
    last: str | None


class StrayAnswerJson(TypedDict):
    """The whole answer."""

    schema: Literal["imptrace.stray/1"]
    stores: list[PathNameJson]
    declared: int
    stray: list[StrayJson]
    gaps: list[GapJson]


def json(answer: StrayAnswer) -> StrayAnswerJson:
    """Write an answer."""
    return {
        "schema": "imptrace.stray/1",
        "stores": [path_name(store) for store in answer.stores],
        "declared": answer.declared,
        "stray": [_json(each) for each in answer.stray],
        "gaps": [gap_json(each) for each in answer.gaps],
    }


def table(answer: StrayAnswer, screen: Screen) -> str:
    """Show one line for each path."""
    rows = [
        (
            each.why,
            size(each.size),
            local_time(each.mtime_ns)[:16],
            printable(each.path) + ("/" if each.is_directory else ""),
            _used(each),
        )
        for each in answer.stray
    ]
    if not rows:
        return ""
    return "\n".join(screen.table(("WHY", "SIZE", "CHANGED", "PATH", "LAST USED"), rows))


def summary(answer: StrayAnswer) -> str:
    """Say in a line what it comes to."""
    stores = ", ".join(map(printable, answer.stores))
    total = sum(each.size for each in answer.stray)
    return (
        f"{stores}: {counted(answer.declared, 'path')} declared, "
        f"{counted(len(answer.stray), 'path')} astray, {size(total)}; nothing is deleted"
    )


def _used(each: Stray) -> str:
    if each.last is None:
        return "-"
    return f"{local_time(each.last.at_ns)[:16]} by {printable(each.last.program)}"


def _json(each: Stray) -> StrayJson:
    return {
        **path_name(each.path),
        "why": each.why,
        "kind": "directory" if each.is_directory else "file",
        "size": each.size,
        "files": each.files,
        "mtime": moment(each.mtime_ns),
        "program": None if each.last is None else plain_text(each.last.program),
        "last": None if each.last is None else moment(each.last.at_ns),
    }
