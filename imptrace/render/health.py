"""The findings of `imptrace doctor`, as text and as JSON (docs/json.md)."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from imptrace.record.doctor import Finding
from imptrace.render.text import printable


def as_text(findings: Sequence[Finding]) -> str:
    """Give a line per finding, what to do below it."""
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.health:<8} {finding.name:<{width}}  {printable(finding.text)}")
        if finding.remedy:
            lines.append(f"{'':<8} {'':<{width}}  {finding.remedy}")
    return "\n".join(lines)


def as_json(findings: Sequence[Finding]) -> str:
    """Give the answer of schema imptrace.doctor/1."""
    return json.dumps(
        {
            "schema": "imptrace.doctor/1",
            "findings": [asdict(finding) for finding in findings],
        },
        indent=2,
    )
