"""What a rehearsal has shown, in lines and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

from imptrace.kept.rehearse.model import Finding, Rehearsed, Trouble
from imptrace.render.run_json import path_name, plain_text
from imptrace.render.text import printable

SCHEMA = "imptrace.rehearsal/1"
UNPROVEN = "unproven"
_WORDS = {
    Trouble.LOST: "LOST",
    Trouble.REPLACED: "NO FILE ENTRY",
    Trouble.OWNER: "OWNER",
    Trouble.LEVEL: "LEVEL",
    Trouble.EXIT: "EXIT",
}
_MOST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """All that an answer tells."""

    what: str
    unit: str | None = None
    rehearsed: Rehearsed
    findings: Sequence[Finding]
    back: Sequence[bytes]


def text(shown: Shown) -> str:
    """Say what came back and what did not."""
    lines = [f"{printable(shown.what)}: {_verdict(shown)}"]
    for finding in shown.findings:
        level = f" ({finding.level})" if finding.level is not None else ""
        where = f"{printable(finding.path)}{level}: " if finding.path else ""
        lines.append(f"{_WORDS[finding.trouble]:14}{where}{printable(finding.words)}")
    lines += [f"{'came back':14}{printable(path)}" for path in shown.back[:_MOST]]
    if len(shown.back) > _MOST:
        lines.append(f"{'':14}and {len(shown.back) - _MOST} more")
    return "\n".join(lines)


def verdict(shown: Shown) -> str:
    """Name the verdict: came-back; lost; misfit, where all came back and something fits badly.

    Unproven is what never worked, also without a wipe, or has read nothing of what is kept.
    """
    troubles = {finding.trouble for finding in shown.findings}
    if not troubles and (never_worked(shown.rehearsed) or not shown.back):
        return UNPROVEN
    if troubles & {Trouble.LOST, Trouble.REPLACED, Trouble.EXIT}:
        return "lost"
    return "misfit" if troubles else "came-back"


def never_worked(rehearsed: Rehearsed) -> bool:
    """Whether every start failed."""
    return all(start.code and not start.was_ended for start in rehearsed.starts)


def answer(shown: Shown) -> dict[str, object]:
    """Write `imptrace.rehearsal/1`."""
    return {
        "schema": SCHEMA,
        "what": printable(shown.what),
        "unit": shown.unit,
        "verdict": verdict(shown),
        "starts": [
            {"start": each.label, "exit": each.code, "ended": each.was_ended}
            for each in shown.rehearsed.starts
        ],
        "findings": [
            {
                "trouble": each.trouble.value,
                **(path_name(each.path) if each.path else {"path": None}),
                "level": each.level.value if each.level is not None else None,
                "words": printable(each.words),
            }
            for each in shown.findings
        ],
        "came_back": [plain_text(path) for path in shown.back],
    }


def _verdict(shown: Shown) -> str:
    found = verdict(shown)
    if found == UNPROVEN:
        return f"nothing is proven: {_why_not(shown.rehearsed)}"
    if found == "came-back":
        number = len(shown.back)
        return f"came back ({number} file{'s' if number != 1 else ''} read as they were left)"
    return "state is lost" if found == "lost" else "came back, but not everything fits"


def _why_not(rehearsed: Rehearsed) -> str:
    if not never_worked(rehearsed):
        return "the second start has read nothing of what is kept"
    last = rehearsed.starts[-1]
    said = [line for line in last.stderr.splitlines() if line.strip()]
    words = printable(said[-1]) if said else "it says nothing"
    return f"every start fails, also without a wipe: {last.code}: {words}"
