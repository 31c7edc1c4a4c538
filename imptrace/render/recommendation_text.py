"""An advice for people: a table to act on, what was set aside, and the reasons for one path."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from imptrace.db.records import AccessRecord, RunDetails
from imptrace.errors import UsageError
from imptrace.facts.paths import name_of, parents_of
from imptrace.facts.people import Home
from imptrace.facts.programs import program_name
from imptrace.judge.codes import Code
from imptrace.judge.model import (
    Advice,
    Kind,
    Level,
    Method,
    Reason,
    Recommendation,
    Scope,
    Verdict,
    Why,
)
from imptrace.render.reasons import in_words
from imptrace.render.rehearsed import rehearsed_words
from imptrace.render.screen import Screen, aligned
from imptrace.render.text import printable
from imptrace.render.wholes import Whole, wholes
from imptrace.render.words import counted, tilde

_IN_BULK = (Why.READ_ONLY, Why.PACKAGE, Why.VIRTUAL, Why.STORE)
"""Set aside by the thousand, so only counted."""
_TELLING = frozenset(
    {
        Code.COUNTED,
        Code.SECRET_WORD,
        Code.CONTENT,
        Code.DATABASE_WORD,
        Code.USER_DATA_WORD,
        Code.HOLDS_SECRET,
        Code.DYNAMIC_USER,
    }
)
"""Reasons that the table shows beside the main one."""
_CERTAIN, _GOOD, _FAIR = 0.85, 0.7, 0.6
_STYLES = {Level.SECRET: "red", Level.TRANSIENT: "dim"}
_NAMED = 3
"""Parts of a directory that are named; more are counted."""


def table(advice: Advice, screen: Screen, *, set_aside: bool = False, parts: bool = False) -> str:
    """Write what to keep, a row for each that is pasted; with `set_aside`, also what not to.

    What deserves another level within a directory is told below it, in short or with `parts` in
    rows of its own.
    """
    owned = wholes(each for each in advice.recommendations if each.scope is Scope.OWNED)
    shared = wholes(each for each in advice.recommendations if each.scope is Scope.SHARED)
    lines = [screen.bold(_heading(advice))]
    if advice.rehearsed is not None:
        lines.append(rehearsed_words(advice.rehearsed))
    lines.append("")
    if owned:
        lines += _rows("KEEP", owned, advice, screen, parts=parts)
    else:
        lines.append(_nothing(advice))
    if shared:
        lines += ["", *_rows("SHARED, ONLY SUGGESTED", shared, advice, screen, parts=parts)]
    if set_aside:
        lines += ["", *_set_aside(advice, screen)]
    return "\n".join(lines)


def sureness(confidence: float) -> str:
    """Put a confidence in a word."""
    if confidence >= _CERTAIN:
        return "very"
    if confidence >= _GOOD:
        return "quite"
    return "fairly" if confidence >= _FAIR else "hardly"


def explanation(advice: Advice, runs: Sequence[RunDetails], path: bytes, screen: Screen) -> str:
    """Write all that is known about one path: verdict, reasons, calls, and what keeps it.

    Raises UsageError if no run saw the path and nothing is recommended for it.
    """
    kept = _keeping(advice, path)
    judged = next((each for each in advice.verdicts if each.path == path), None)
    aside = next((each for each in advice.set_aside if each.path == path), None)
    if kept is None and judged is None and aside is None:
        raise UsageError(f"{os.fsdecode(path)} was not seen; imptrace files lists what was")
    lines = [screen.bold(printable(path))]
    if judged is not None:
        lines += _judged(judged)
    if aside is not None:
        lines.append(f"set aside ({aside.why}): {_words(aside.reasons)}")
    if kept is not None:
        lines += _kept(kept, path)
    return "\n".join([*lines, *_calls(runs, path)])


def _heading(advice: Advice) -> str:
    subject, name = advice.subject, printable(advice.subject.name)
    option = f" ({subject.option})" if subject.option and subject.option != name else ""
    runs = counted(len(advice.runs), "run") if advice.runs else "no run: only declared"
    return f"{name}{option}, from {runs}"


def _nothing(advice: Advice) -> str:
    is_all = not any(
        each.code == Code.INSTANCE_UNSEEN or each.figures.get("warning") == "bus"
        for each in advice.warnings
    )
    return "Nothing to keep." if is_all else "Nothing that is to be kept was seen."


def _rows(
    title: str, found: Sequence[Whole], advice: Advice, screen: Screen, *, parts: bool
) -> list[str]:
    is_shared = found[0][0].scope is Scope.SHARED
    heading: tuple[str, ...] = (title, "LEVEL", "OWNER", "SURE", "USED BY", "WHY")
    rows: list[tuple[str, ...]] = []
    styles: list[str] = []
    for kept, *within in found:
        rows.append(_row(kept, advice))
        styles.append(_STYLES.get(kept.level, ""))
        for level, cells in _parts(within, advice, in_full=parts):
            rows.append(cells)
            styles.append(_STYLES.get(level, ""))
    if not is_shared:
        heading = (*heading[:4], heading[5])
        rows = [(*row[:4], row[5]) for row in rows]
    return screen.table(heading, rows, styles)


def _row(each: Recommendation, advice: Advice) -> tuple[str, ...]:
    return (
        _name(each, advice),
        each.level.value,
        _owner(each),
        sureness(each.confidence) if each.observed else "not seen",
        ", ".join(map(printable, each.used_by)) or "-",
        _main_reason(each, advice.subject.home or each.home),
    )


def _name(each: Recommendation, advice: Advice) -> str:
    """Write a path as people do: a directory ends in a slash."""
    home = advice.subject.home or each.home
    return tilde(each.path, home.path if home else None) + (
        "/" if each.kind is Kind.DIRECTORY else ""
    )


def _parts(
    within: Sequence[Recommendation], advice: Advice, *, in_full: bool
) -> Iterator[tuple[Level, tuple[str, ...]]]:
    """Rows about what lies in a directory that is kept: all, or one for each other level."""
    if in_full:
        for each in within:
            yield each.level, ("  " + _name(each, advice), *_row(each, advice)[1:])
        return
    for level in sorted({each.level for each in within}, reverse=True):
        of_level = [each for each in within if each.level is level]
        names = [
            printable(name_of(each.path)) + ("/" if each.kind is Kind.DIRECTORY else "")
            for each in of_level[:_NAMED]
        ]
        more = len(of_level) - len(names)
        text = "  in it: " + ", ".join(names) + (f" and {more:,} more" if more else "")
        yield level, (text, level.value, "", "", "", "")


def _owner(each: Recommendation) -> str:
    mode = "" if each.mode is None else f" {each.mode:04o}"
    if each.user is None and each.group is None:
        return f"{_likely_owner(each)}{mode}"
    return f"{printable(each.user or '?')}:{printable(each.group or '?')}{mode}"


def _likely_owner(each: Recommendation) -> str:
    """Say whose it will be, where nobody has seen it: of a home, its user's."""
    if any(reason.code == Code.DYNAMIC_USER for reason in each.reasons):
        return "dynamic"
    return "-" if each.home is None else printable(each.home.user)


def _main_reason(each: Recommendation, home: Home | None) -> str:
    main, *others = each.reasons
    shown = [main, *(other for other in others if other.code in _TELLING)]
    words = "; ".join(in_words(reason) for reason in shown)
    if home is not None:
        words = words.replace(printable(home.path) + "/", "~/")
    if each.method is Method.NONE:
        return f"{words}; it is replaced when written: --explain tells what to do"
    return words


def _set_aside(advice: Advice, screen: Screen) -> Iterator[str]:
    home = advice.subject.home.path if advice.subject.home else None
    shown = [each for each in advice.set_aside if each.why not in _IN_BULK]
    rows = [(tilde(each.path, home), each.why.value, _words(each.reasons)) for each in shown]
    yield from screen.table(("SET ASIDE", "WHY", ""), rows)
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
    """Find the deepest recommendation that keeps a path, and can have an entry."""
    by_path = {each.path: each for each in advice.recommendations}
    found = [by_path[each] for each in (path, *parents_of(path)) if each in by_path]
    # What is replaced when it is written is kept by the directory above it, if that is kept.
    able = (each for each in found if each.method is not Method.NONE)
    return next(able, found[0] if found else None)


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
        yield from (f"  {line}" for line in aligned(rows))


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
