"""What `imptrace keep` does to a configuration, as JSON."""

from imptrace.contribute.keeping.plan import ConfigurationChange
from imptrace.render.kept_change import diff
from imptrace.render.run_json import path_name, plain_text
from imptrace.render.text import printable


def answer(
    change: ConfigurationChange, evaluated: str | None, *, is_written: bool
) -> dict[str, object]:
    """Write `imptrace.keep/1`."""
    return {
        "schema": "imptrace.keep/1",
        "written": is_written,
        "evaluated": evaluated,
        "files": [
            {**path_name(bytes(file)), "diff": diff({file: sources})}
            for file, sources in sorted(change.sources.items())
        ],
        "kept": [{**path_name(path), "by": printable(by)} for path, by in change.kept],
        "refused": [{**path_name(path), "why": printable(why)} for path, why in change.refused],
        "unread": [plain_text(each.encode(errors="surrogateescape")) for each in change.unread],
    }
