"""`imptrace who`: as JSON, and in words where nothing was recorded."""

from collections.abc import Iterable
from typing import Literal

from imptrace.db.records import PathUse
from imptrace.kept.belongs import Belonging
from imptrace.kept.writers import Attributed
from imptrace.render.leaks_json import WriterJson, writer_json
from imptrace.render.run_json import PathNameJson, UseJson, path_name, use_json
from imptrace.render.text import printable


class WhoAnswer(PathNameJson):
    """`imptrace who PATH --json`."""

    schema: Literal["imptrace.who/1"]
    uses: list[UseJson]
    writers: list[WriterJson]
    attributed: str | None
    option: str | None


def json(path: bytes, uses: Iterable[PathUse], belongs: Belonging) -> WhoAnswer:
    """Answer who touches a path."""
    attributed = belongs.attribution.attributed
    return {
        "schema": "imptrace.who/1",
        **path_name(path),
        "uses": [use_json(use) for use in uses],
        "writers": [writer_json(writer) for writer in belongs.attribution.writers],
        "attributed": None if attributed is None else attributed.value,
        "option": belongs.option,
    }


def without_record(belongs: Belonging) -> str:
    """Say whose a path should be, and how that is known; nothing where nobody knows."""
    found = belongs.attribution
    if found.attributed in (None, Attributed.RECORDED):
        return ""
    writer = found.writers[0]
    parts = [
        printable(writer.program) if writer.program else "",
        f"unit {printable(writer.unit)}" if writer.unit else "",
        f"user {printable(writer.user)}" if writer.user else "",
    ]
    lines = [f"{', '.join(part for part in parts if part)}  ({_how(belongs)}; no recording saw it)"]
    if belongs.option is not None:
        lines.append(f"to keep it: {belongs.option}")
    return "\n".join(lines)


def _how(belongs: Belonging) -> str:
    found = belongs.attribution
    if found.attributed is Attributed.DECLARED:
        return f"declared by {printable(', '.join(found.declared_by))}"
    if found.attributed is Attributed.CATALOGUE and belongs.known is not None:
        return f"known to the catalogue: {printable(belongs.known.entry.title)}"
    named = f", and a program {printable(found.named_for)} is installed" if found.named_for else ""
    return f"its owner{named}"
