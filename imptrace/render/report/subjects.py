"""What a report is about: advice from recordings, or what the next boot takes."""

from collections import Counter
from collections.abc import Iterable, Sequence

from imptrace.db.records import PathRecord, RunDetails
from imptrace.facts.paths import parents_of
from imptrace.judge.model import Advice, Scope
from imptrace.kept.leaks.model import Answer
from imptrace.kept.writers import Attributed
from imptrace.render.leaks_text import summary, written_by
from imptrace.render.reasons import in_words
from imptrace.render.report.model import DatedChange, Report, ReportRow
from imptrace.render.text import printable
from imptrace.render.words import counted, size


def of_advice(runs: Sequence[RunDetails], advice: Advice) -> Report:
    """Tell of a subject: what to keep of it, and all that its runs touched."""
    subject = advice.subject.service or printable(advice.subject.program or b"?")
    rows = tuple(
        ReportRow(
            path=each.path,
            kind=each.kind.value,
            level=each.level.value,
            size=counted(each.covers, "path"),
            who=", ".join(map(printable, each.used_by)) or (each.user or ""),
            how="shared, only suggested"
            if each.scope is Scope.SHARED
            else advice.subject.option or "",
            why="; ".join(map(in_words, each.reasons)),
        )
        for each in sorted(advice.recommendations, key=lambda each: -each.level.rank)
    )
    levels = {each.path: each.level.value for each in advice.verdicts}
    tree = {each.path: each.why.value for each in advice.set_aside} | levels
    return Report(
        title=f"imptrace: {subject}",
        summary=f"What {subject} keeps, from {counted(len(runs), 'run')}: "
        f"{counted(len(rows), 'path')} to keep, {counted(len(tree), 'path')} touched.",
        rows=rows,
        tree=tree,
        programs=_programs(runs, [row.path for row in rows]),
        changes=tuple(_changes(runs, levels)),
        notes=tuple(map(in_words, advice.warnings)),
    )


def of_leaks(answer: Answer) -> Report:
    """Tell what the next boot takes."""
    rows = tuple(
        ReportRow(
            path=leak.path,
            kind=leak.kind.value,
            level=leak.level.value,
            size=size(leak.size),
            who=written_by(leak),
            how=leak.option or "",
            why="; ".join(map(in_words, leak.reasons)),
        )
        for leak in answer.leaks
    )
    programs: dict[bytes, Counter[bytes]] = {}
    for leak in answer.leaks:
        if leak.attributed is Attributed.RECORDED:
            for writer in leak.writers:
                if writer.program is not None:
                    programs.setdefault(writer.program, Counter())[leak.path] += 1
    return Report(
        title="imptrace: what the next boot takes",
        summary=summary(answer),
        rows=rows,
        tree={each.path: str(each.why) for each in answer.set_aside}
        | {leak.path: leak.level.value for leak in answer.leaks},
        programs=programs,
        changes=tuple(DatedChange(leak.mtime_ns, leak.level.value) for leak in answer.leaks),
    )


def _programs(runs: Iterable[RunDetails], places: Sequence[bytes]) -> dict[bytes, Counter[bytes]]:
    """Count what each program changed, by the nearest of some directories."""
    known, found = set(places), dict[bytes, Counter[bytes]]()
    for run in runs:
        names = {process.id: process.exe.rpartition(b"/")[2] for process in run.processes}
        for path in run.paths:
            holder = next((p for p in (path.path, *parents_of(path.path)) if p in known), None)
            if holder is None or path.effect is None:
                continue
            for process in _changers(path):
                found.setdefault(names.get(process, b"?"), Counter())[holder] += 1
    return found


def _changers(path: PathRecord) -> set[int]:
    return {access.process for access in path.accesses if access.op.changes}


def _changes(runs: Iterable[RunDetails], levels: dict[bytes, str]) -> Iterable[DatedChange]:
    for run in runs:
        for path in run.paths:
            for access in path.accesses:
                if access.op.changes:
                    at = run.run.started_ns + access.last
                    yield DatedChange(at, levels.get(path.path, "other"))
