"""A contribution as JSON."""

from pathlib import Path

from imptrace.contribute.plan import Assembled, next_steps
from imptrace.render.run_json import plain_text
from imptrace.render.text import printable


def answer(
    assembled: Assembled, branch: str, commit: str | None, patch: Path | None
) -> dict[str, object]:
    """Write `imptrace.contribution/1`. `commit`: None where nothing was committed."""
    contribution = assembled.contribution
    return {
        "schema": "imptrace.contribution/1",
        "service": contribution.service.id,
        "layout": contribution.layout,
        "branch": printable(branch),
        "commit": commit,
        "patch": None if patch is None else plain_text(bytes(patch)),
        "message": contribution.message,
        "files": [printable(change.path) for change in contribution.change.files],
        "diff": plain_text(assembled.repository.diff(contribution.change.files)),
        "held_back": [{"path": each.path, "why": each.why} for each in assembled.held_back],
        "next": next_steps(assembled.repository, branch) if commit is not None else [],
    }
