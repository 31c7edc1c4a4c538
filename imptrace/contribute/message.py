"""The commit message: the repository's own convention, and the evidence, with nothing private."""

import re
import textwrap
from collections.abc import Iterable, Sequence

from imptrace.contribute.proposal import Change, Proposal, ProposedPath
from imptrace.evidence.provenance import Provenance
from imptrace.facts.levels import Level
from imptrace.kept.compare import Declared, Difference

WIDTH = 72
_SCOPED = re.compile(r"[a-z][\w./, -]*: \S")
_CONVENTIONAL = re.compile(r"(feat|fix|docs|chore|refactor|test)(\([^)]*\))?!?: \S")


def compose(
    proposal: Proposal, change: Change, provenance: Provenance, subjects: Sequence[str]
) -> str:
    """Write the message. `subjects` are those of the repository's log, newest first."""
    parts = [
        subject_line(proposal, change, subjects),
        _wrapped(_origin(provenance), ""),
        *_levels(change.added),
        *_kept_as_before(change.unobserved, "Kept as before, not observed in these runs:"),
        *_other_levels(change.other_levels),
    ]
    return "\n\n".join(parts) + "\n"


def subject_line(proposal: Proposal, change: Change, subjects: Sequence[str]) -> str:
    """Write the first line as the repository's log has it: scoped, conventional, or a sentence."""
    if _most(subjects, _CONVENTIONAL):
        prefix, capital = f"feat({proposal.service}): ", False
    elif _most(subjects, _SCOPED):
        prefix, capital = f"{proposal.service}: ", False
    else:
        prefix, capital = "", True
    text = _deed(proposal, change, scoped=bool(prefix))
    if len(prefix + text) > WIDTH:
        text = f"persist {_count(len(change.added))}" + ("" if prefix else f" of {proposal.title}")
    return prefix + (text[0].upper() + text[1:] if capital else text)


def _most(subjects: Sequence[str], form: re.Pattern[str]) -> bool:
    """Whether enough of a log has a form to call it the convention."""
    return sum(bool(form.match(each)) for each in subjects) * 3 >= max(len(subjects), 1)


def _deed(proposal: Proposal, change: Change, *, scoped: bool) -> str:
    """Say what the change does."""
    of_whom = "" if scoped else f" of {proposal.title}"
    if not change.added:
        return "enter the module" if scoped else f"enter the module{of_whom}"
    if change.is_new:
        return "persistence" if scoped else f"describe what {proposal.title} keeps"
    if len(change.added) == 1:
        return f"persist {change.added[0].path}{of_whom}"
    return f"persist {_count(len(change.added))}{of_whom}"


def _count(paths: int) -> str:
    return "one more path" if paths == 1 else f"{paths} more paths"


def _origin(provenance: Provenance) -> str:
    runs = "1 run" if provenance.runs == 1 else f"{provenance.runs} runs"
    where = f" on {provenance.system}" if provenance.system else ""
    recorders = f"recorder {', '.join(provenance.recorders)}"
    lost = f", {provenance.lost} events lost" if provenance.lost else ""
    rehearsed = " Rehearsed in a copy that was wiped: came back." if provenance.rehearsed else ""
    return (
        f"Observed: {', '.join(provenance.programs)}{where}, {runs} "
        f"({recorders}, imptrace {provenance.imptrace}{lost}).{rehearsed}"
    )


def _levels(paths: Iterable[ProposedPath]) -> list[str]:
    found = list(paths)
    sections = []
    for level in Level:
        of_level = [path for path in found if path.level is level]
        if of_level:
            sections.append("\n".join([f"{level.value}:", *map(_bullet, of_level)]))
    return sections


def _bullet(path: ProposedPath) -> str:
    return _wrapped(f"- {path.path} ({path.kind.value}): {path.reason}", "  ")


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(
        text, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def _kept_as_before(declared: Iterable[Declared], title: str) -> list[str]:
    lines = [
        f"- {each.path.decode(errors='replace')}" + (f" ({each.level})" if each.level else "")
        for each in declared
    ]
    return ["\n".join([title, *lines])] if lines else []


def _other_levels(differences: Iterable[Difference]) -> list[str]:
    lines = [
        f"- {each.path.decode()} ({each.declared.level}): observed as {each.observed.level}"
        for each in differences
        if each.declared and each.observed
    ]
    return ["\n".join(["Kept as before, observed at another level:", *lines])] if lines else []
