"""The findings of `imptrace doctor`, as text and as JSON (docs/json.md)."""

from collections.abc import Sequence
from dataclasses import asdict

from imptrace.record.doctor import Check, Health
from imptrace.render.json_text import dump
from imptrace.render.screen import Screen
from imptrace.render.text import printable

_STYLES = {Health.BROKEN: "red", Health.LIMITED: "yellow"}


def as_text(findings: Sequence[Check], screen: Screen) -> str:
    """Give a line per finding, what to do below it."""
    rows, styles = [], []
    for finding in findings:
        rows.append((finding.health.value, finding.name, printable(finding.text)))
        styles.append(_STYLES.get(finding.health, ""))
        if finding.remedy:
            rows.append(("", "", printable(finding.remedy)))
            styles.append("")
    return "\n".join(screen.table(("", "", ""), rows, styles))


def as_json(findings: Sequence[Check]) -> str:
    """Give the answer of schema imptrace.doctor/1."""
    return dump(
        {
            "schema": "imptrace.doctor/1",
            "findings": [asdict(finding) for finding in findings],
        }
    )
