"""The evidence file: JSON lines, one record each, versioned; docs/evidence.md explains every key.

The first line names the schema, the last one counts the lines, so that a cut file is noticed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from imptrace.db.records import PathRecord, ProcessRecord, RunDetails, RunRecord
from imptrace.errors import UsageError
from imptrace.evidence import evidence_records as records
from imptrace.evidence.json_values import Json

if TYPE_CHECKING:
    from imptrace.tracer.events import Mount

SCHEMA = "imptrace.evidence/1"
FIRST_BYTES = b'{"schema": "imptrace.evidence/'
_MOST_QUOTED = 100


class EvidenceError(UsageError):
    """An evidence file cannot be used; the message names the line."""


def lines(runs: Iterable[RunDetails], header: Mapping[str, object]) -> Iterator[str]:
    """Write runs as lines of an evidence file, each with its newline."""
    count = 1
    yield _line({"schema": SCHEMA, **header})
    for number, details in enumerate(runs, start=1):
        for record in _records(details, number):
            count += 1
            yield _line(record)
    yield _line({"end": count + 1})


def read(content: Iterable[bytes]) -> list[RunDetails]:
    """Read an evidence file. Raises EvidenceError for anything that is not as documented."""
    reader = _Reader()
    for number, line in enumerate(content, start=1):
        try:
            reader.take(json.loads(line), number)
        except EvidenceError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise EvidenceError(
                f"line {number} is not as docs/evidence.md says: {_short(error)}"
            ) from error
    return reader.finished()


class _Reader:
    """Collects records into runs, line by line."""

    def __init__(self) -> None:
        self._runs: list[_RunReader] = []
        self._ended = False
        self._lines = 0

    def take(self, record: Json, number: int) -> None:
        self._lines = number
        if number == 1:
            _check_schema(record)
        elif self._ended:
            raise EvidenceError(f"line {number} comes after the end of the evidence")
        elif "end" in record:
            self._ended = True
            if record["end"] != number:
                raise EvidenceError(f"the evidence is not whole: {number} lines of {record['end']}")
        elif record["type"] == "run":
            self._runs.append(_RunReader(records.run_from(record)))
        elif not self._runs:
            raise EvidenceError(f"line {number}: a {_short(record['type'])} before the first run")
        else:
            self._runs[-1].take(record)

    def finished(self) -> list[RunDetails]:
        if not self._ended:
            raise EvidenceError(f"the evidence is cut off after line {self._lines}")
        return [run.details() for run in self._runs]


class _RunReader:
    """One run in the making."""

    def __init__(self, run: RunRecord) -> None:
        self._run = run
        self._processes: list[ProcessRecord] = []
        self._paths: dict[bytes, PathRecord] = {}
        self._mounts: list[Mount] = []

    def take(self, record: Json) -> None:
        kind = record["type"]
        if kind == "process":
            self._processes.append(records.process_from(record, self._run.id))
        elif kind == "mount":
            self._mounts.append(records.mount_from(record))
        elif kind == "path":
            path = records.path_from(record, self._run.id)
            self._paths[path.path] = path
        else:
            raise EvidenceError(
                f"{_short(kind)} is no kind of record; a newer imptrace may know it"
            )

    def details(self) -> RunDetails:
        known = {process.id for process in self._processes}
        for path in self._paths.values():
            for access in path.accesses:
                if access.process not in known:
                    raise EvidenceError(
                        f"an access of process {access.process}, which is not there"
                    )
        return RunDetails(
            run=self._run,
            processes=tuple(self._processes),
            paths=tuple(self._paths[path] for path in sorted(self._paths)),
            mounts=tuple(self._mounts),
        )


def _check_schema(record: Json) -> None:
    schema = record.get("schema")
    if schema == SCHEMA:
        return
    if isinstance(schema, str) and schema.startswith("imptrace.evidence/"):
        raise EvidenceError(
            f"this evidence is {_short(schema)}, and this imptrace reads {SCHEMA} only"
        )
    raise EvidenceError("this is no evidence of imptrace")


def _short(value: object) -> str:
    """Quote what a file says, however long it is."""
    return str(value)[:_MOST_QUOTED]


def _line(record: Json) -> str:
    return json.dumps(record, ensure_ascii=True) + "\n"


def _records(details: RunDetails, number: int) -> Iterator[Json]:
    yield records.run_record(details.run, number)
    for mount in details.mounts:
        yield records.mount_record(mount)
    for process in details.processes:
        yield records.process_record(process)
    for path in details.paths:
        yield records.path_record(path)
