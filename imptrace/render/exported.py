"""What `imptrace export` writes, as JSON."""

import json
from collections.abc import Sequence
from pathlib import Path

from imptrace.evidence.export import Evidence
from imptrace.kept.backup import BackupProgram
from imptrace.render.run_json import plain_text


def evidence_json(evidence: Evidence, output: Path | None) -> dict[str, object]:
    """Write `imptrace.export/1`; the evidence itself where it went into no file."""
    lines = evidence.text.splitlines() if output is None else []
    return {
        "schema": "imptrace.export/1",
        "output": _name(output),
        "runs": evidence.runs,
        "paths": evidence.paths,
        "left_out": evidence.left_out,
        "faithful": evidence.is_faithful,
        "evidence": [json.loads(line) for line in lines],
    }


def backup_json(
    program: BackupProgram,
    output: Path | None,
    lines: Sequence[bytes],
    excludes: Sequence[bytes],
) -> dict[str, object]:
    """Write `imptrace.backup/1`: the lines of the list, and those of restic's second one."""
    return {
        "schema": "imptrace.backup/1",
        "for": program.value,
        "output": _name(output),
        "lines": [plain_text(line) for line in lines],
        "excludes": [plain_text(line) for line in excludes],
    }


def _name(output: Path | None) -> str | None:
    return None if output is None else plain_text(bytes(output))
