"""What is set aside, and why: each rule with a path that it is about and one that it is not."""

import pytest

from imptrace.db.records import Effect, PathRecord
from imptrace.judge.model import SetAside, Why
from imptrace.tracer.events import ABSENT, FileType, Mount, Op, Outcome
from tests.judge.factory import access, advice, created, file, modified, read, record, run


def why(path: PathRecord, **of_run: object) -> Why | None:
    """Why the only path of a run was set aside; None if it was not."""
    found: tuple[SetAside, ...] = advice(run(path, **of_run)).set_aside
    return found[0].why if found else None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/proc/self/oom_score_adj", Why.VIRTUAL),
        (b"/dev/shm/x", Why.TEMPORARY),
        (b"/nix/store/abc/x", Why.STORE),
        (b"/etc/static/x", Why.DECLARATIVE),
        (b"/etc/localtime", Why.DECLARATIVE),
        (b"/run/keeper/x", Why.RUNTIME),
        (b"/var/run/keeper.pid", Why.RUNTIME),
        (b"/tmp/x", Why.TEMPORARY),
        (b"/var/tmp/x", Why.TEMPORARY),
        (b"/usr/share/keeper/x", Why.PACKAGE),
        (b"/usrlocal/x", None),
        (b"/var/lib/keeper/x", None),
    ],
)
def test_places(path: bytes, expected: Why | None) -> None:
    """A path is set aside for the directory that it lies in, never for a mere prefix."""
    assert why(created(path)) is expected


def test_a_home_in_a_temporary_directory_is_still_a_home() -> None:
    """Somebody tries a program with a throw-away $HOME: that is where its state is."""
    path = created(b"/tmp/h/.keeper")
    assert why(path, environ={"HOME": b"/tmp/h"}) is None
    assert why(path) is Why.TEMPORARY


def test_the_runtime_directory_of_the_traced_process_counts() -> None:
    """XDG_RUNTIME_DIR may be anywhere."""
    path = created(b"/home/alice/rt/keeper")
    assert why(path, environ={"XDG_RUNTIME_DIR": b"/home/alice/rt"}) is Why.RUNTIME


@pytest.mark.parametrize(
    ("fstype", "expected"),
    [
        ("ext4", Why.PERSISTENT),
        ("tmpfs", None),
        ("proc", Why.VIRTUAL),
        ("fuse.sshfs", Why.PERSISTENT),
    ],
)
def test_a_mount_of_its_own_survives_unless_it_is_in_memory(
    fstype: str, expected: Why | None
) -> None:
    """What lies on another file system is no candidate; a tmpfs is wiped like the root."""
    mounts = [
        Mount(1, 0, "0:1", b"/", b"/", "tmpfs", b"tmpfs", "rw"),
        Mount(2, 1, "0:2", b"/", b"/var/lib/keeper", fstype, b"x", "rw"),
    ]
    assert why(created(b"/var/lib/keeper/x"), mounts=mounts) is expected
    assert why(created(b"/var/lib/keeperx"), mounts=mounts) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (created(b"/var/lib/k/s", access(Op.BIND), after=file(kind=FileType.SOCKET)), Why.SOCKET),
        (created(b"/var/lib/k/f", after=file(kind=FileType.FIFO)), Why.SOCKET),
        (created(b"/var/lib/k/d", after=file(kind=FileType.CHAR_DEVICE)), Why.DEVICE),
        (created(b"/var/lib/k/k.pid", after=file(size=4)), Why.LOCK),
        (created(b"/var/lib/k/.lock", after=file(size=0)), Why.LOCK),
        (
            created(b"/var/lib/k/lock", access(Op.SYMLINK), after=file(kind=FileType.SYMLINK)),
            Why.LOCK,
        ),
        (created(b"/var/lib/k/Cargo.lock", after=file(size=5000)), None),
        (created(b"/var/lib/k/blocked"), None),
        (created(b"/var/lib/k/x.tmp"), Why.TEMPORARY),
        (created(b"/var/lib/k/template"), None),
        (read(b"/var/lib/k/x"), Why.READ_ONLY),
        (
            record(
                b"/var/lib/k/x",
                access(Op.WRITE),
                effect=Effect.UNCHANGED,
                before=file(),
                after=file(),
            ),
            Why.UNCHANGED,
        ),
        (modified(b"/var/lib/k/x", access(Op.CHMOD)), Why.UNCHANGED),
        (
            record(
                b"/var/lib/k/x",
                access(Op.DELETE),
                effect=Effect.DELETED,
                before=file(),
                after=ABSENT,
            ),
            Why.VANISHED,
        ),
        (
            record(
                b"/var/lib/k/x.1",
                access(Op.RENAME, to=b"/var/lib/k/x"),
                effect=Effect.UNCHANGED,
                before=ABSENT,
                after=ABSENT,
            ),
            Why.TEMPORARY,
        ),
        (
            created(b"/var/lib/k/x", after=file(kind=FileType.SYMLINK), link=b"/nix/store/abc-x"),
            Why.STORE,
        ),
    ],
)
def test_what_it_is_and_what_happened_to_it(path: PathRecord, expected: Why | None) -> None:
    """Objects that are made anew, locks, left-overs, and changes that left nothing."""
    assert why(path) is expected


def test_opened_for_writing_and_refused_is_no_state() -> None:
    """A file of root's that the program read, and was not allowed to change."""
    refused = record(
        b"/var/cache/k/x",
        access(Op.READ),
        access(Op.WRITE, outcome=Outcome.DENIED),
        effect=Effect.UNCHANGED,
        before=file(uid=0),
        after=file(uid=0),
        read_first=True,
    )
    assert why(refused) is Why.UNCHANGED


def test_read_and_opened_for_writing_is_state_although_unchanged() -> None:
    """A database that was only asked: the program expected to find it."""
    asked = record(
        b"/var/lib/k/x",
        access(Op.READ),
        access(Op.WRITE),
        effect=Effect.UNCHANGED,
        before=file(),
        after=file(),
        read_first=True,
    )
    assert why(asked) is None
