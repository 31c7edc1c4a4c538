"""What came of an import, as JSON."""

from collections.abc import Iterable
from dataclasses import asdict

from imptrace.db.records import RunDetails
from imptrace.record.log import Imported
from imptrace.render.run_json import plain_text

_OF_SUMMARY = ("read", "created", "modified", "deleted")
_OF_LOG = ("lines", "not_understood", "relative_paths")


def answer(
    evidence: Iterable[tuple[int, RunDetails]], logs: Iterable[Imported]
) -> dict[str, object]:
    """Write `imptrace.imported/1`: the runs of evidence files first."""
    return {
        "schema": "imptrace.imported/1",
        "runs": [
            *(_of_evidence(run_id, details) for run_id, details in evidence),
            *map(_of_log, logs),
        ],
    }


def _of_evidence(run_id: int, details: RunDetails) -> dict[str, object]:
    return {
        "run": run_id,
        "program": plain_text(details.run.program),
        "from": "evidence",
        "paths": len(details.paths),
    }


def _of_log(log: Imported) -> dict[str, object]:
    found = asdict(log.summary)
    return {
        "run": log.run_id,
        "program": plain_text(log.program),
        "from": "strace",
        **{key: found[key] for key in _OF_SUMMARY},
        **{key: getattr(log, key) for key in _OF_LOG},
    }
