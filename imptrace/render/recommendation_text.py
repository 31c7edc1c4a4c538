"""An advice for people: a table to act on, what was set aside, and the reasons for one path."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from imptrace.db.records import AccessRecord, RunDetails
from imptrace.errors import UsageError
from imptrace.facts.paths import parents_of
from imptrace.facts.programs import program_name
from imptrace.judge.codes import Code
from imptrace.judge.model import (
    Advice,
    Level,
    Method,
    Reason,
    Recommendation,
    Scope,
    Verdict,
    Why,
)
from imptrace.render.reasons import in_words
from imptrace.render.style import Style
from imptrace.render.table import columns
from imptrace.render.text import printable
from imptrace.render.words import counted, tilde

_IN_BULK = (Why.READ_ONLY, Why.PACKAGE, Why.VIRTUAL, Why.STORE)
"""Set aside by the thousand, so only counted."""
_TELLING = frozenset(
    {
        Code.COUNTED,
        Code.SECRET_WORD,
        Code.PRIVATE_CONFIGURATION,
        Code.CONTENT,
        Code.DATABASE_WORD,
        Code.USER_DATA_WORD,
        Code.HOLDS_SECRET,
        Code.DYNAMIC_USER,
    }
)
"""Reasons that the table shows beside the main one."""
_CERTAIN, _GOOD, _FAIR = 0.85, 0.7, 0.6


def table(advice: Advice, style: Style, *, set_aside: bool = False) -> str:
    """Write what to keep, one line each; with `set_aside`, also what not to keep and why."""
    owned = [each for each in advice.recommendations if each.scope is Scope.OWNED]
    shared = [each for each in advice.recommendations if each.scope is Scope.SHARED]
    lines = [style.bold(_heading(advice)), ""]
    if owned:
        lines += _rows("KEEP", owned, advice, style)
    else:
        lines.append("Nothing to keep.")
    if shared:
        lines += ["", *_rows("SHARED, ONLY SUGGESTED", shared, advice, style)]
    if set_aside:
        lines += ["", *_set_aside(advice, style)]
    return "\n".join(lines)


def sureness(confidence: float) -> str:
    """Put a confidence in a word."""
    if confidence >= _CERTAIN:
        return "very"
    if confidence >= _GOOD:
        return "quite"
    return "fairly" if confidence >= _FAIR else "hardly"


def explanation(advice: Advice, runs: Sequence[RunDetails], path: bytes, style: Style) -> str:
    """Write all that is known about one path: verdict, reasons, calls, and what keeps it.

    Raises UsageError if no run saw the path and nothing is recommended for it.
    """
    kept = _keeping(advice, path)
    judged = next((each for each in advice.verdicts if each.path == path), None)
    aside = next((each for each in advice.set_aside if each.path == path), None)
    if kept is None and judged is None and aside is None:
        raise UsageError(f"{os.fsdecode(path)} was not seen; imptrace files lists what was")
    lines = [style.bold(printable(path))]
    if judged is not None:
        lines += _judged(judged)
    if aside is not None:
        lines.append(f"set aside ({aside.why}): {_words(aside.reasons)}")
    if kept is not None:
        lines += _kept(kept, path)
    return "\n".join([*lines, *_calls(runs, path)])


def _heading(advice: Advice) -> str:
    subject = advice.subject
    name = subject.service or (printable(subject.program) if subject.program else None)
    name = name or subject.option or "-"
    option = f" ({subject.option})" if subject.option and subject.option != name else ""
    runs = counted(len(advice.runs), "run") if advice.runs else "no run: only declared"
    return f"{printable(name)}{option}, from {runs}"


def _rows(
    title: str, recommendations: Sequence[Recommendation], advice: Advice, style: Style
) -> list[str]:
    is_shared = recommendations[0].scope is Scope.SHARED
    heading = (title, "KIND", "LEVEL", "OWNER", "SURE", "USED BY" if is_shared else "", "WHY")
    rows = [heading, *(_row(each, advice) for each in recommendations)]
    if not is_shared:
        rows = [(*row[:5], row[6]) for row in rows]
    first, *rest = columns(rows)
    return [
        style.dim(first),
        *(_coloured(line, each, style) for line, each in zip(rest, recommendations, strict=True)),
    ]


def _row(each: Recommendation, advice: Advice) -> tuple[str, ...]:
    home = advice.subject.home.path if advice.subject.home else None
    return (
        tilde(each.path, home),
        each.kind.value,
        each.level.value,
        _owner(each),
        sureness(each.confidence) if each.observed else "declared",
        ", ".join(map(printable, each.used_by)) or "-",
        _main_reason(each),
    )


def _coloured(line: str, each: Recommendation, style: Style) -> str:
    if each.level is Level.SECRET:
        return style.red(line)
    return style.dim(line) if each.level is Level.TRANSIENT else line


def _owner(each: Recommendation) -> str:
    if each.user is None and each.mode is None:
        return "-"
    mode = "" if each.mode is None else f" {each.mode:04o}"
    return f"{printable(each.user or '?')}:{printable(each.group or '?')}{mode}"


def _main_reason(each: Recommendation) -> str:
    main, *others = each.reasons
    shown = [main, *(other for other in others if other.code in _TELLING)]
    words = "; ".join(in_words(reason) for reason in shown)
    if each.method is Method.NONE:
        return f"{words}; it is replaced when written: --explain tells what to do"
    return words


def _set_aside(advice: Advice, style: Style) -> Iterator[str]:
    shown = [each for each in advice.set_aside if each.why not in _IN_BULK]
    rows = [("SET ASIDE", "WHY", "")]
    rows += [(printable(each.path), each.why.value, _words(each.reasons)) for each in shown]
    first, *rest = columns(rows)
    yield style.dim(first)
    yield from rest
    bulk = Counter(each.why for each in advice.set_aside if each.why in _IN_BULK)
    for why in _IN_BULK:
        if bulk[why]:
            yield f"and {counted(bulk[why], 'path')}: {_BULK_WORDS[why]}"


_BULK_WORDS = {
    Why.READ_ONLY: "read or looked for, never changed",
    Why.PACKAGE: "parts of packages",
    Why.VIRTUAL: "made up by the kernel",
    Why.STORE: "in the Nix store",
}


def _keeping(advice: Advice, path: bytes) -> Recommendation | None:
    """Find the deepest recommendation that keeps a path."""
    by_path = {each.path: each for each in advice.recommendations}
    found = (by_path[each] for each in (path, *parents_of(path)) if each in by_path)
    return next(found, None)


def _judged(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.scope}, {verdict.level}, {sureness(verdict.confidence)} sure:"
    yield from (f"  - {in_words(reason)}" for reason in verdict.reasons)


def _kept(kept: Recommendation, path: bytes) -> Iterator[str]:
    what = "recommended" if kept.path == path else f"kept with {printable(kept.path)}"
    yield f"{what}: {kept.kind}, {kept.level}, owner {_owner(kept)}, method {kept.method}"
    yield from (f"  - {in_words(reason)}" for reason in kept.reasons)


def _calls(runs: Sequence[RunDetails], path: bytes) -> Iterator[str]:
    rows: list[tuple[str, ...]] = []
    for run in runs:
        names = {process.id: program_name(process.exe) for process in run.processes}
        record = next((each for each in run.paths if each.path == path), None)
        rows += (
            _call(run.run.id, names.get(access.process, b"?"), access)
            for access in (record.accesses if record is not None else ())
        )
    if rows:
        yield "calls:"
        yield from (f"  {line}" for line in columns(rows))


def _call(run: int, program: bytes, access: AccessRecord) -> tuple[str, ...]:
    other = ""
    if access.origin is not None:
        other = f"from {printable(access.origin)}"
    elif access.to is not None:
        other = f"to {printable(access.to)}"
    flags = " ".join(str(flag.name).lower() for flag in access.flags)
    return (
        f"run {run}",
        printable(program),
        access.op.value,
        f"x{access.count}",
        access.outcome.value,
        f"{other} {flags}".strip(),
    )


def _words(reasons: Iterable[Reason]) -> str:
    return "; ".join(in_words(reason) for reason in reasons)
