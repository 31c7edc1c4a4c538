"""What a writer remembers is bounded, and what it has forgotten is found again."""

from pathlib import Path

import pytest
from recordings import ENDED_NS, LATER, START, create, details, process
from recordings import rename as renaming

from imptrace.db import path_ids
from imptrace.db.recording_place import open_to_record
from imptrace.db.records import Effect
from imptrace.db.writer import RunWriter


def test_ids_that_were_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both names of a rename whose files were made long before, and what stands there after."""
    monkeypatch.setattr(path_ids, "IDS_KEPT", 0)
    old = [b"/d/%d" % number for number in range(5)]
    new = [b"/e/%d" % number for number in range(5)]
    writer = RunWriter(open_to_record(tmp_path / "runs.db"), START)
    for event in (process(), *map(create, old), renaming(b"/d", b"/e")):
        writer.feed([event])
        writer.commit()
    writer.finish(ENDED_NS, 0, None, snapshots=[(path, LATER) for path in new])
    writer.close()
    seen = {path.path: path for path in details(tmp_path / "runs.db").paths}
    assert {seen[path].effect for path in new} == {Effect.CREATED}
    assert {seen[path].accesses[0].origin for path in new} == set(old)
