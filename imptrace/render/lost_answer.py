"""What a wipe took: as a table, and as `imptrace.lost/1`."""

import os
from collections.abc import Sequence
from typing import Literal, TypedDict

from imptrace.kept.lost.model import LostAnswer, LostItem
from imptrace.kept.lost.restore import Step
from imptrace.render.leaks_json import WriterJson, moment, writer_json
from imptrace.render.leaks_text import written_by
from imptrace.render.run_json import PathNameJson, path_name
from imptrace.render.screen import Screen
from imptrace.render.text import printable
from imptrace.render.words import counted, local_time, size, tilde


class LostJson(PathNameJson):
    """A directory or file of which something is gone."""

    kind: str
    size: int
    missing: int
    older: int
    mtime: str
    level: str
    user: str
    writers: list[WriterJson]
    attributed: str | None
    option: str | None


class RestoredJson(PathNameJson):
    """What was done about a path."""

    done: bool
    what: str


class LostAnswerJson(TypedDict):
    """The whole answer."""

    schema: Literal["imptrace.lost/1"]
    source: str
    place: str
    lost: list[LostJson]
    restored: list[RestoredJson]
    left_out: list[PathNameJson]


def json(answer: LostAnswer, steps: Sequence[Step]) -> LostAnswerJson:
    """Write an answer, and what was restored."""
    return {
        "schema": "imptrace.lost/1",
        "source": answer.source,
        "place": printable(answer.place),
        "lost": [_json(each) for each in answer.lost],
        "restored": [
            {**path_name(each.path), "done": each.is_done, "what": printable(each.what)}
            for each in steps
        ],
        "left_out": [path_name(each) for each in answer.left_out],
    }


def table(lost: Sequence[LostItem], screen: Screen) -> str:
    """Show one line for each path of which something is gone."""
    if not lost:
        return ""
    home = os.environb.get(b"HOME")
    rows = [
        (
            each.leak.level.value,
            size(each.size),
            local_time(each.leak.mtime_ns)[:16],
            f"{each.missing:,}" + (f" +{each.older:,} older" if each.older else ""),
            tilde(each.leak.path, home) + ("/" if each.leak.kind == "directory" else ""),
            written_by(each.leak),
        )
        for each in lost
    ]
    return "\n".join(
        screen.table(("LEVEL", "SIZE", "CHANGED", "FILES", "PATH", "WRITTEN BY"), rows)
    )


def summary(answer: LostAnswer) -> str:
    """Say in a line what is gone, and how that is known."""
    files = sum(each.missing + each.older for each in answer.lost)
    what = (
        f"{counted(files, 'file')} in {counted(len(answer.lost), 'place')}" if files else "nothing"
    )
    return f"against {printable(answer.place)} ({answer.source}), what is gone: {what}"


def unknown(answer: LostAnswer) -> str | None:
    """Say what the old root cannot tell."""
    if not answer.left_out:
        return None
    names = ", ".join(map(printable, answer.left_out))
    return f"{names}: a subvolume of its own, of which that snapshot has nothing; look for its own"


def step(each: Step) -> str:
    """Say what was done about a path."""
    return f"{printable(each.path)}: {printable(each.what)}"


def _json(lost: LostItem) -> LostJson:
    leak = lost.leak
    return {
        **path_name(leak.path),
        "kind": leak.kind.value,
        "size": lost.size,
        "missing": lost.missing,
        "older": lost.older,
        "mtime": moment(leak.mtime_ns),
        "level": leak.level.value,
        "user": leak.user,
        "writers": [writer_json(each) for each in leak.writers],
        "attributed": None if leak.attributed is None else leak.attributed.value,
        "option": leak.option,
    }
