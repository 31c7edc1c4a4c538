"""What `imptrace export` does."""

import os
import sys
from pathlib import Path

from imptrace.catalogue import dump_commands, shipped
from imptrace.cli.asked import asked
from imptrace.cli.messages import say
from imptrace.cli.output import answer_json, write_new_file
from imptrace.db.engine import reading
from imptrace.errors import UsageError
from imptrace.evidence.asked_runs import Question
from imptrace.evidence.export import Evidence, make_evidence
from imptrace.evidence.gather import gather
from imptrace.facts.levels import Kind
from imptrace.kept.backup import BackupProgram, backup, restic_excludes, unwritable
from imptrace.render.exported import backup_json, evidence_json
from imptrace.render.text import printable
from imptrace.render.words import counted


def export(runs: list[str], output: Path | None, database: str | None, *, json: bool) -> None:
    """Write runs as evidence: to a file, or to stdout."""
    with reading(database) as engine:
        evidence = make_evidence(gather(engine, Question(names=tuple(runs)), shipped()))
    if output is not None:
        write_new_file(output, evidence.text.encode())
    if json:
        answer_json(evidence_json(evidence, output))
    elif output is None:
        sys.stdout.write(evidence.text)
    _summarise(evidence)


def backup_list(
    what: list[str],
    program: BackupProgram,
    output: Path | None,
    database: str | None,
    *,
    json: bool,
) -> None:
    """Write what is to be kept as a backup program reads it."""
    wanted = [each for one in asked(what, database) for each in one.recommendations]
    for path in unwritable(wanted):
        say(f"left out, since its name spans lines: {printable(path)}")
    dumps = {
        each.path: dump_commands(each.path, shipped(), os.path.lexists)
        for each in wanted
        if each.kind is Kind.DIRECTORY
    }
    lines = backup(wanted, program, what[0], dumps)
    excludes = restic_excludes(wanted) if program is BackupProgram.RESTIC else []
    if output is not None:
        write_new_file(output, _text(lines))
        if program is BackupProgram.RESTIC:
            _write_beside(output, _text(excludes))
    if json:
        answer_json(backup_json(program, output, lines, excludes))
    elif output is None:
        sys.stdout.buffer.write(_text(lines))
        if program is BackupProgram.RESTIC:
            say("caches inside are left out by FILE.exclude, which --output FILE writes too")


def _write_beside(output: Path, excludes: bytes) -> None:
    """Write the second list, or leave none: the first one alone would save the caches."""
    try:
        write_new_file(output.with_name(f"{output.name}.exclude"), excludes)
    except UsageError:
        output.unlink(missing_ok=True)
        raise


def _text(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n"


def _summarise(evidence: Evidence) -> None:
    say(
        f"{counted(evidence.runs, 'run')}, {counted(evidence.paths, 'path')}; "
        f"{evidence.left_out:,} that no verdict rests on are left out"
    )
    if not evidence.is_faithful:
        say(
            "warning: judged without the private names, it gives another answer than here; "
            "compare both with imptrace recommend"
        )
