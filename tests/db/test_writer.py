"""What is fed to the writer comes back from the database, however it was split into commits."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import (
    ENDED_NS,
    FILE,
    LATER,
    START,
    access,
    create,
    details,
    paths,
    process,
    read,
    record,
    rename,
)

from imptrace.db.recording_place import open_to_record
from imptrace.db.records import Effect, RunDetails, RunStatus
from imptrace.db.writer import RunWriter
from imptrace.tracer.events import (
    ABSENT,
    Access,
    AccessFlag,
    Event,
    FileType,
    Lost,
    Mount,
    MountNamed,
    Op,
    Outcome,
    ProcessExited,
    RunScope,
    Unseen,
    Warned,
)

ANY_BYTES = st.binary(min_size=1, max_size=60)
PATHS = ANY_BYTES.map(lambda name: b"/" + name.replace(b"\0", b"x"))
FEW_PATHS = st.sampled_from([b"/a", b"/a/b", b"/a/b/c", b"/d", b"/d/e"])
ACCESSES = st.builds(
    Access,
    process=st.integers(1, 2),
    op=st.sampled_from([op for op in Op if op is not Op.LINK]),
    path=FEW_PATHS,
    path2=st.one_of(st.none(), FEW_PATHS),
    outcome=st.sampled_from(Outcome),
    at=st.integers(0, 1000),
    errno=st.integers(0, 133),
    flags=st.sampled_from([AccessFlag(0), AccessFlag.EXCLUSIVE, AccessFlag.EMPTY]),
    before=st.sampled_from([None, ABSENT, FILE]),
    before2=st.sampled_from([None, ABSENT]),
    count=st.integers(1, 5),
    last=st.just(0),
)


def recorded(batches: list[list[Access]]) -> RunDetails:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory, "x.db")
        writer = RunWriter(open_to_record(place), START)
        writer.feed([process(1), process(2)])
        for batch in batches:
            writer.feed(batch)
            writer.commit()
        after = (ABSENT, FILE, LATER)
        snapshots = [(path, after[len(path) % 3]) for path in writer.changed_paths()]
        writer.finish(ENDED_NS, 0, None, 0, snapshots[:-1])
        assert writer.failure is None
        summary = writer.summary()
        writer.close()
        found = details(place)
        effects = [path.effect for path in found.paths]
        assert (summary.read, summary.created, summary.modified, summary.deleted) == (
            effects.count(None),
            *map(effects.count, (Effect.CREATED, Effect.MODIFIED, Effect.DELETED)),
        )
        return found


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(ACCESSES, max_size=8), max_size=5))
def test_commits_in_between_change_nothing(batches: list[list[Access]]) -> None:
    together = [access for batch in batches for access in batch]
    assert recorded(batches) == recorded([together])


@settings(max_examples=25, deadline=None)
@given(st.lists(PATHS, min_size=1, max_size=5, unique=True), ANY_BYTES)
def test_any_bytes_come_back(names: list[bytes], argument: bytes) -> None:
    words = (b"demo", argument.replace(b"\0", b""))
    start = replace(START, argv=words, cwd=names[0], program=names[0])
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory, "x.db")
        record(
            place,
            [
                process(argv=words, cwd=names[0], exe=names[0], environ={"HOME": names[0]}),
                *(access(Op.SYMLINK, name, b"text", before=ABSENT) for name in names),
            ],
            start=start,
        )
        found = details(place)
    assert [path.path for path in found.paths] == sorted(names)
    assert (found.run.argv, found.run.cwd, found.run.program) == (words, names[0], names[0])
    (only,) = found.processes
    assert (only.argv, only.cwd, only.exe) == (words, names[0], names[0])
    assert only.environ == {"HOME": names[0]}


def test_the_longest_path_comes_back(place: Path) -> None:
    name = b"/" + b"\xfe" * 4094
    record(place, [read(name)])
    assert list(paths(place)) == [name]


def test_a_run_comes_back_whole(place: Path) -> None:
    mount = Mount(25, 1, "0:23", b"/", b"/tmp\n", "tmpfs", b"none", "rw,nosuid")
    start = replace(
        START,
        label="first",
        service="demo.service",
        scope=RunScope.UNIT,
        properties={"User": "demo"},
    )
    writer = RunWriter(open_to_record(place), start, [mount])
    events: list[Event] = [
        process(1),
        process(2, parent=1, pid=99),
        process(3, previous=2, pid=99, exe=b"/bin/other"),
        access(Op.WRITE, b"/f", before=FILE, count=3, last=50, errno=0),
        Lost(2, 5, 6, cgroup=b"/a"),
        Unseen(1, 4),
        Warned("io-uring", "It was switched off"),
        MountNamed(b"/tmp", b"/private/\xff"),
        MountNamed(b"/tmp", None),
        MountNamed(b"/data", b"/srv/data"),
        MountNamed(b"/tmp", None),
        ProcessExited(1, 9, 77),
    ]
    writer.feed(events)
    link = LATER._replace(type=FileType.SYMLINK, hint="sqlite", link=b"\xff/target")
    writer.finish(ENDED_NS, None, 9, 1, [(b"/f", link), (b"/never-seen", FILE)])
    writer.close()

    found = details(place)
    run = found.run
    assert (run.id, run.label, run.service) == (1, "first", "demo.service")
    assert (run.started_ns, run.ended_ns) == (START.started_ns, ENDED_NS)
    assert (run.exit_code, run.exit_signal, run.status) == (None, 9, RunStatus.COMPLETE)
    assert (run.lost, run.unseen) == (3, 4)
    assert (run.properties, run.scope) == ({"User": "demo"}, RunScope.UNIT)
    assert found.mount_names == (
        MountNamed(b"/tmp", b"/private/\xff"),
        MountNamed(b"/tmp", None),
        MountNamed(b"/data", b"/srv/data"),
    )
    assert found.gaps == (Lost(2, 5, 6, cgroup=b"/a"),)
    assert run.warnings == (("io-uring", "It was switched off"),)
    assert found.mounts == (mount,)
    first, second, third = found.processes
    assert (first.status, first.ended, first.unit) == (9, 77, "app-demo.scope")
    assert (second.parent, second.pid, second.ended) == (1, 99, None)
    assert (third.previous, third.exe) == (2, b"/bin/other")
    (path,) = found.paths
    assert (path.before, path.after) == (FILE, link)
    assert (path.hint, path.link, path.effect) == ("sqlite", b"\xff/target", Effect.MODIFIED)
    assert path.ops == {Op.WRITE: 3}
    assert (path.accesses[0].first, path.accesses[0].last) == (10, 50)


def test_numbers_that_sql_cannot_hold_come_back(place: Path) -> None:
    state = FILE._replace(inode=2**64 - 1, device=2**63, size=2**63 - 1, uid=2**32 - 1)
    record(place, [access(Op.WRITE, b"/f", before=state._replace(mtime_ns=2**70))], {b"/f": state})
    found = paths(place)[b"/f"]
    assert found.after == state
    assert found.before == state._replace(mtime_ns=2**63 - 1)


def test_text_that_no_database_takes_is_made_safe(place: Path) -> None:
    record(place, [], start=replace(START, label="a\udcff\0b", user="\udc80"))
    assert details(place).run.label == "a\\xffb"


def test_a_rename_comes_back_with_both_names(place: Path) -> None:
    record(place, [create(b"/d/f"), rename(b"/d", b"/e")], {b"/e": FILE, b"/e/f": FILE})
    found = paths(place)
    assert found[b"/d"].accesses[0].to == b"/e"
    carried = found[b"/e/f"]
    assert carried.accesses[0].origin == b"/d/f"
    assert (carried.flags, carried.effect) == (AccessFlag.CARRIED, Effect.CREATED)


def test_a_refused_rename_names_nothing_that_another_batch_renamed(place: Path) -> None:
    refused = rename(b"/log.1", b"/log.2", outcome=Outcome.MISSING)
    renamed = rename(b"/log", b"/log.1")
    for run, batches in enumerate(([refused, renamed], [renamed, refused]), 1):
        writer = RunWriter(open_to_record(place), START)
        writer.feed([process()])
        for event in batches:
            writer.feed([event])
            writer.commit()
        writer.finish(ENDED_NS, 0, None, 0, [])
        writer.close()
        (found,) = paths(place, run)[b"/log.1"].accesses
        assert (found.origin, found.to, found.outcome) == (b"/log", None, Outcome.UNKNOWN)


def test_the_summary_counts_as_the_details_do(place: Path) -> None:
    writer = RunWriter(open_to_record(place), START)
    writer.feed(
        [
            process(),
            read(b"/read"),
            create(b"/created"),
            create(b"/created-unseen"),
            access(Op.WRITE, b"/modified", before=FILE),
            access(Op.WRITE, b"/as-before", before=FILE),
            access(Op.DELETE, b"/deleted", before=FILE),
            access(Op.WRITE, b"/refused", outcome=Outcome.DENIED),
            access(Op.WRITE, b"/proc/17/oom_score_adj", before=FILE),
            access(Op.MKDIR, b"/sys/fs/cgroup/x", before=ABSENT),
        ]
    )
    after = {b"/created": FILE, b"/modified": LATER, b"/as-before": FILE, b"/deleted": ABSENT}
    after[b"/proc/17/oom_score_adj"] = ABSENT
    writer.finish(ENDED_NS, 0, None, 0, list(after.items()))
    summary = writer.summary()
    writer.close()
    counted = (summary.read, summary.created, summary.modified, summary.deleted)
    assert counted == (1, 2, 1, 1)
    effects = [path.effect for path in details(place).paths]
    assert counted == (
        effects.count(None),
        *map(effects.count, (Effect.CREATED, Effect.MODIFIED, Effect.DELETED)),
    )


def test_runs_share_paths_and_nothing_else(place: Path) -> None:
    record(place, [access(Op.WRITE, b"/f", before=FILE)], {b"/f": LATER})
    record(place, [read(b"/f")])
    assert paths(place, 1)[b"/f"].effect is Effect.MODIFIED
    assert paths(place, 2)[b"/f"].effect is None
    assert paths(place, 2)[b"/f"].before is None
