"""A comparison of what was observed with what is declared, for people and as JSON."""

from collections.abc import Sequence

from imptrace.kept.compare import Difference, Status
from imptrace.render.run_json import path_name
from imptrace.render.screen import Screen
from imptrace.render.text import printable

_WORDS = {
    Status.MISSING: "missing",
    Status.EXTRA: "not observed",
    Status.LEVEL: "other level",
    Status.KEPT: "kept",
}
_ORDER = (Status.MISSING, Status.LEVEL, Status.EXTRA, Status.KEPT)


def table(differences: Sequence[Difference], screen: Screen) -> str:
    """One line per path, what needs attention first."""
    ordered = sorted(differences, key=lambda each: (_ORDER.index(each.status), each.path))
    return "\n".join(screen.table(("", "OBSERVED", "DECLARED", "PATH"), [*map(_row, ordered)]))


def as_json(differences: Sequence[Difference], service: str) -> dict[str, object]:
    """Answer as `imptrace diff --json` does: see docs/json.md."""
    return {
        "schema": "imptrace.diff/1",
        "service": service,
        "missing": sum(each.status is Status.MISSING for each in differences),
        "paths": [_member(each) for each in differences],
    }


def _row(each: Difference) -> tuple[str, ...]:
    declared = "-" if each.declared is None else str(each.declared.level or each.declared.kind)
    if each.declared is not None and each.declared.path != each.path:
        declared += f" in {printable(each.declared.path)}"
    observed = "-" if each.observed is None else str(each.observed.level)
    return _WORDS[each.status], observed, declared, printable(each.path)


def _member(each: Difference) -> dict[str, object]:
    found: dict[str, object] = {
        **path_name(each.path),
        "status": each.status.value,
        "observed": None if each.observed is None else str(each.observed.level),
        "declared": None,
    }
    if each.declared is not None:
        level = each.declared.level
        found["declared"] = {
            **path_name(each.declared.path),
            "level": None if level is None else str(level),
        }
    return found
