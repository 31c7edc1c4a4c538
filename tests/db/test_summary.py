"""The summary of a run is counted in the database: it agrees with what is told of each path."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import ENDED_NS, FILE, LATER, START, access, details, process

from imptrace.db.recording_place import open_to_record
from imptrace.db.records import Effect
from imptrace.db.writer import RunWriter
from imptrace.tracer.events import ABSENT, FileState, Op, Outcome

DIRECTORY = FILE._replace(type=FILE.type.DIRECTORY)
STATES: list[FileState | None] = [
    None,
    ABSENT,
    FILE,
    LATER,
    DIRECTORY,
    FILE._replace(ctime_ns=FILE.ctime_ns + 1),
    FILE._replace(mode=0o600),
]
PATHS = [b"/a", b"/b", b"/proc/1/comm", b"/sys/x", b"/proceed"]
OPS = [Op.READ, Op.WRITE, Op.CREATE, Op.DELETE, Op.CHMOD, Op.MKDIR, Op.EXEC]


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_it_counts_what_is_told_of_each_path(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = tmp_path_factory.mktemp("summary") / "runs.db"
    calls = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(OPS),
                st.sampled_from(PATHS),
                st.sampled_from(list(Outcome)),
                st.sampled_from(STATES),
            ),
            max_size=12,
        )
    )
    after = data.draw(st.dictionaries(st.sampled_from(PATHS), st.sampled_from(STATES[1:])))
    writer = RunWriter(open_to_record(place), START)
    writer.feed([process()])
    for at, (op, path, outcome, before) in enumerate(calls, 1):
        writer.feed([access(op, path, outcome=outcome, before=before, at=at, last=at)])
    snapshots = [(path, state) for path, state in after.items() if state is not None]
    writer.finish(ENDED_NS, 0, None, snapshots=snapshots)
    summary = writer.summary()
    writer.close()
    told = Counter(path.effect for path in details(place).paths)
    assert (summary.read, summary.created, summary.modified, summary.deleted) == (
        told[None],
        told[Effect.CREATED],
        told[Effect.MODIFIED],
        told[Effect.DELETED],
    )
