"""Runs of NetworkManager on a machine with telling names, as a recorder would have stored them."""

from collections.abc import Iterator
from pathlib import Path

from imptrace.db.recording_place import open_to_record
from imptrace.db.records import RunStart
from imptrace.db.writer import RunWriter
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

USER, HOST, HOME = "zaphodb", "heartofgold", b"/home/zaphod-home"
EXE = b"/nix/store/0123456789abcdfghijklmnpqrsvwxyz-networkmanager-1.50.0/bin/NetworkManager"
ROOT = Mount(20, 1, "0:20", b"/", b"/", "ext4", b"/dev/heartofgold", "rw")
STATE_FILE = b"/var/lib/NetworkManager/NetworkManager.state"
PROFILE = b"/etc/NetworkManager/system-connections/HeartOfGoldWifi.nmconnection"
OTHERS_FILE = b"/etc/hosts"


def file_state(mode: int) -> FileState:
    """Describe a file of root's."""
    return FileState(FileType.FILE, 10, mode, 0, 0, 1, 1, 1, 1)


def events() -> Iterator[Event]:
    """Tell of a service that replaces its state and a profile by rename."""
    yield ProcessStarted(
        process=1, parent=None, previous=None, pid=7, exe=EXE, argv=(b"NetworkManager",),
        cwd=HOME, uid=0, gid=0, cgroup=b"/", environ={"HOME": HOME}, at=0,
    )  # fmt: skip
    for number, path in enumerate((STATE_FILE, PROFILE), start=1):
        temporary = path + b".X1Y2Z3"
        yield Access(1, Op.READ, path, None, Outcome.OK, number)
        yield Access(1, Op.CREATE, temporary, None, Outcome.OK, number, before=ABSENT)
        yield Access(
            1, Op.RENAME, temporary, path, Outcome.OK, number, before=file_state(0o600),
            before2=file_state(0o600)._replace(inode=2),
        )  # fmt: skip
    yield ProcessExited(1, 0, 9)


def record_two_runs(place: Path) -> None:
    """Store two runs in a new database."""
    for _ in range(2):
        start = RunStart(
            program=b"NetworkManager", argv=(b"NetworkManager", b"--config=/home/zaphod-home/nm"),
            cwd=HOME, user=USER, uid=1042, host=HOST, started_ns=1_700_000_000_000_000_000,
            recorder="notify", service="networkmanager",
        )  # fmt: skip
        writer = RunWriter(open_to_record(place), start, (ROOT,))
        writer.feed(events())
        after = [(path, file_state(0o600)) for path in (STATE_FILE, PROFILE)]
        after += [(path + b".X1Y2Z3", ABSENT) for path in (STATE_FILE, PROFILE)]
        writer.finish(1_700_000_001_000_000_000, 0, None, snapshots=after)
        writer.close()
