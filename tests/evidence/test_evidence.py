"""Evidence goes out and comes back the same, and tells nobody who recorded it."""

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imptrace.db import queries
from imptrace.db.engine import driver_of, open_database
from imptrace.db.records import Effect, RunDetails, RunStart, RunStatus
from imptrace.db.restore import insert_runs
from imptrace.db.writer import RunWriter
from imptrace.evidence import file as evidence_file
from imptrace.evidence.anonymise import anonymised, renaming
from imptrace.evidence.file import EvidenceError
from imptrace.facts.people import private_names
from imptrace.tracer.events import (
    ABSENT,
    Access,
    Event,
    FileState,
    FileType,
    Mount,
    Op,
    Outcome,
    ProcessExited,
    ProcessStarted,
)

USER, HOME, HOST = "zaphodb", b"/home/zaphod-home", "heartofgold"
UID = 1042
FILE = FileState(FileType.FILE, 12, 0o600, UID, UID, 1_700_000_000_123_456_789, 4711, 99, 5)
NEWER = FILE._replace(mtime_ns=FILE.mtime_ns + 1, size=13)


def events() -> Iterator[Event]:
    """Tell of a program that makes, changes, renames and reads files of its user."""
    yield ProcessStarted(
        process=1,
        parent=None,
        previous=None,
        pid=31337,
        exe=b"/home/zaphod-home/bin/demo",
        argv=(b"demo", b"--password=hunter2"),
        cwd=HOME,
        uid=UID,
        gid=UID,
        cgroup=b"/user.slice/user-1042.slice/user@1042.service/app.slice/demo.service",
        environ={"HOME": HOME, "XDG_RUNTIME_DIR": b"/run/user/1042"},
        at=5,
    )
    yield access(Op.READ, HOME + b"/.config/demo/settings", 6, before=None)
    yield access(Op.WRITE, HOME + b"/.config/demo/settings", 7, before=FILE)
    yield access(Op.CREATE, HOME + b"/.config/demo/zaphodb.tmp", 8, before=ABSENT)
    yield Access(
        1, Op.RENAME, HOME + b"/.config/demo/zaphodb.tmp", HOME + b"/.config/demo/\xffstate",
        Outcome.OK, 9, before=FILE, before2=ABSENT,
    )  # fmt: skip
    yield access(Op.CONNECT, b"/run/user/1042/bus", 10)
    yield access(Op.READ, b"/etc/heartofgold.conf", 11, outcome=Outcome.MISSING)
    yield ProcessExited(1, 0, 12)


def access(
    op: Op, path: bytes, at: int, *, before: FileState | None = None, outcome: Outcome = Outcome.OK
) -> Access:
    """Access a path once."""
    return Access(1, op, path, None, outcome, at, before=before)


MOUNTS = (
    Mount(20, 1, "0:20", b"/", b"/", "ext4", b"/dev/mapper/heartofgold-root", "rw,relatime"),
    Mount(21, 20, "0:21", b"/", b"/home", "nfs4", b"heartofgold:/home", "rw,addr=10.0.0.1"),
    Mount(22, 20, "0:22", b"/", b"/mnt/secret-project", "ext4", b"/dev/sdz", "ro"),
)


@pytest.fixture
def recorded(tmp_path: Path) -> RunDetails:
    """Record a run into a database, and read it back."""
    engine = open_database(tmp_path / "here.db", create=True, read_only=False)
    start = RunStart(
        program=b"demo",
        argv=(b"demo", b"--password=hunter2"),
        cwd=HOME,
        user=USER,
        uid=UID,
        host=HOST,
        started_ns=1_700_000_000_000_000_000,
        recorder="notify",
        label="zaphodb's run",
        properties={"StateDirectory": "demo", "ExecStart": "demo --password=hunter2"},
    )
    writer = RunWriter(driver_of(engine), start, MOUNTS)
    writer.feed(events())
    after = [(HOME + b"/.config/demo/settings", NEWER._replace(hint="sqlite"))]
    after.append((HOME + b"/.config/demo/\xffstate", FILE._replace(link=b"/home/zaphod-home/x")))
    after.append((HOME + b"/.config/demo/zaphodb.tmp", ABSENT))
    writer.finish(1_700_000_001_000_000_000, 0, None, snapshots=after)
    assert writer.failure is None
    writer.close()
    details = queries.run_details(engine, writer.run_id)
    engine.dispose()
    return details


def hidden(details: RunDetails) -> RunDetails:
    """Anonymise a run of the user and host above."""
    names = private_names([(USER, HOME)], [HOST])
    return anonymised(details, renaming(names, [details]))


def written(runs: Iterable[RunDetails]) -> bytes:
    """Write an evidence file."""
    return "".join(evidence_file.lines(runs, {"imptrace": "0.1.0"})).encode()


def test_evidence_comes_back_as_it_went_out(recorded: RunDetails, tmp_path: Path) -> None:
    """Into another database, by way of the file, nothing that is in it changes."""
    leaving = hidden(recorded)
    read = evidence_file.read(io.BytesIO(written([leaving])))
    engine = open_database(tmp_path / "there.db", create=True, read_only=False)
    run_ids = insert_runs(engine, read)
    arrived = queries.run_details(engine, run_ids[0])
    engine.dispose()
    assert arrived.paths == leaving.paths
    assert arrived.processes == leaving.processes
    assert arrived.mounts == leaving.mounts
    assert arrived.run == leaving.run


def test_nothing_private_is_in_the_bytes(recorded: RunDetails) -> None:
    """Neither names of user, home and host, nor arguments, label, times, ids or mount sources."""
    content = written([hidden(recorded)])
    for word in (
        b"zaphod", b"heartofgold", b"hunter2", b"1042", b"31337", b"4711", b"123456789",
        b"secret-project", b"10.0.0.1", b"ExecStart", b"/dev/",
    ):  # fmt: skip
        assert word not in content.lower(), word


def test_nothing_private_is_in_the_name_of_a_service(recorded: RunDetails) -> None:
    """A unit of one's own is often called after somebody."""
    run = replace(recorded.run, service=f"backup-{USER}.service")
    leaving = hidden(replace(recorded, run=run))
    assert leaving.run.service == "backup-user1.service"


def test_what_the_verdicts_rest_on_is_kept(recorded: RunDetails) -> None:
    """Effects, first reads, renames, kinds, modes and owners are those of the recording."""
    leaving = {path.path: path for path in hidden(recorded).paths}
    settings = leaving[b"/home/home1/.config/demo/settings"]
    assert settings.effect is Effect.MODIFIED
    assert settings.read_first
    assert settings.hint == "sqlite"
    assert settings.after is not None
    assert (settings.after.mode, settings.after.uid) == (0o600, 1000)
    state = leaving[b"/home/home1/.config/demo/\xffstate"]
    assert state.effect is Effect.CREATED
    assert state.accesses[0].origin == b"/home/home1/.config/demo/user1.tmp"
    assert b"/run/user/1000/bus" in leaving


def test_an_unchanged_file_stays_unchanged(recorded: RunDetails) -> None:
    """Blanked times must not make two different states equal, nor equal ones different."""
    path = next(path for path in recorded.paths if path.path.endswith(b"settings"))
    for after, effect in ((FILE, Effect.UNCHANGED), (FILE._replace(inode=1), Effect.MODIFIED)):
        changed = [each for each in recorded.paths if each is not path]
        run = replace(recorded, paths=(*changed, path._replace(after=after)))
        read = evidence_file.read(io.BytesIO(written([hidden(run)])))
        found = next(each for each in read[0].paths if each.path.endswith(b"settings"))
        assert found.effect is effect


def test_an_interrupted_run_stays_interrupted(recorded: RunDetails, tmp_path: Path) -> None:
    """Its recorder is gone here as well."""
    run = replace(recorded, run=replace(recorded.run, status=RunStatus.INTERRUPTED))
    engine = open_database(tmp_path / "there.db", create=True, read_only=False)
    run_ids = insert_runs(engine, evidence_file.read(io.BytesIO(written([hidden(run)]))))
    assert queries.run_details(engine, run_ids[0]).run.status is RunStatus.INTERRUPTED
    engine.dispose()


def spoiled_exe(line: bytes) -> bytes:
    """Make the program of a record bytes in base64 that is none."""
    return json.dumps(json.loads(line) | {"exe": {"base64": "L2Jpbi9zaA!!"}}).encode()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: lines[:0], "cut off"),
        (lambda lines: lines[:-1], "cut off"),
        (lambda lines: [*lines[:3], *lines[4:]], "not whole"),
        (lambda lines: [*lines, lines[-1]], "after the end"),
        (lambda lines: [b"{}", *lines[1:]], "no evidence of imptrace"),
        (lambda lines: [lines[0].replace(b"e/1", b"e/2")], "reads imptrace.evidence/1"),
        (lambda lines: [lines[0], lines[3]], "before the first run"),
        (lambda lines: [lines[0], b"no json"], "line 2 is not as docs/evidence.md says"),
        (lambda lines: [lines[0], b"[" * 100_000], "line 2 is not as docs/evidence.md says"),
        (lambda lines: [lines[0], b"\xff"], "line 2 is not as docs/evidence.md says"),
        (lambda lines: [lines[0], b"[]"], "line 2 is not as"),
        (lambda lines: map(spoiled_exe, lines), "is not as docs/evidence.md says: .*base64"),
        (lambda lines: [*lines[:2], b'{"type": "%s"}' % (b"z" * 9999)], "z{100} is no kind"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused(recorded: RunDetails, spoil: object, message: str) -> None:
    """In one line that says where."""
    lines = written([hidden(recorded)]).splitlines(keepends=True)
    assert callable(spoil)
    with pytest.raises(EvidenceError, match=message) as caught:
        evidence_file.read(spoil(lines))
    assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(st.data())
def test_any_change_of_a_value_is_read_or_refused(data: st.DataObject) -> None:
    """What comes from anywhere raises nothing but EvidenceError."""
    record = json.loads(SAMPLE_PATH)
    key = data.draw(st.sampled_from(sorted(record)))
    record[key] = data.draw(
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
        | st.dictionaries(st.text(), st.text())
    )  # fmt: skip
    # The end is missing, so even a record that could be read ends in an error.
    with pytest.raises(EvidenceError) as caught:
        evidence_file.read([HEADER, SAMPLE_RUN, SAMPLE_PROCESS, json.dumps(record).encode()])
    assert "\n" not in str(caught.value)


HEADER = b'{"schema": "imptrace.evidence/1"}'
SAMPLE_RUN = (
    b'{"type": "run", "run": 1, "program": "x", "user": "user1", "uid": 1000, "day": 0, "exit": '
    b'{"code": 0, "signal": null}, "recorder": "notify", "status": "complete", "lost": 0, '
    b'"unseen": 0, "service": null, "properties": {}, "machine": null, "warnings": []}'
)
SAMPLE_PROCESS = (
    b'{"type": "process", "process": 1, "parent": null, "previous": null, "exe": "/x", "uid": 0, '
    b'"gid": 0, "cgroup": "/", "environ": {}, "started": 0, "ended": 1, "status": 0}'
)
SAMPLE_PATH = (
    b'{"type": "path", "path": "/x", "before": null, "after": null, "hint": null, "link": null, '
    b'"accesses": [{"process": 1, "op": "read", "count": 1, "first": 0, "last": 0, "outcome": '
    b'"ok", "errno": 0, "flags": 0, "to": null, "origin": null}]}'
)
