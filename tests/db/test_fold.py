"""Calls fold into one row per process, path and op, and a rename tells of two names."""

import pytest
from recordings import FILE, LATER, access, create, process, read, rename

from imptrace.db.fold import Fold
from imptrace.db.records import AccessRecord
from imptrace.tracer.events import (
    ABSENT,
    AccessFlag,
    Event,
    Lost,
    Op,
    Outcome,
    ProcessExited,
    Unseen,
    Warned,
)


def folded(*events: Event) -> Fold:
    fold = Fold()
    fold.feed([process(), *events])
    return fold


def row(fold: Fold, op: Op, path: bytes, process_id: int = 1) -> AccessRecord:
    return fold.accesses[process_id, path, op]


def is_read_first(fold: Fold, path: bytes) -> bool:
    return bool(row(fold, Op.READ, path).flags & AccessFlag.READ_FIRST)


def test_equal_calls_become_one_row_with_a_count() -> None:
    fold = folded(read(b"/a", at=7), read(b"/a", at=5, count=3, last=20), read(b"/a", at=9))
    found = row(fold, Op.READ, b"/a")
    assert (found.count, found.first, found.last) == (5, 5, 20)
    assert len(fold.accesses) == 1


def test_rows_are_kept_apart_by_process_and_op() -> None:
    fold = folded(read(b"/a"), read(b"/a", process=2), access(Op.WRITE, b"/a"))
    assert len(fold.accesses) == 3


@pytest.mark.parametrize(
    ("outcomes", "best"),
    [
        ((Outcome.MISSING, Outcome.FAILED), Outcome.FAILED),
        ((Outcome.DENIED, Outcome.FAILED), Outcome.DENIED),
        ((Outcome.DENIED, Outcome.UNKNOWN), Outcome.UNKNOWN),
        ((Outcome.OK, Outcome.UNKNOWN), Outcome.OK),
    ],
)
def test_the_best_outcome_wins_in_any_order(
    outcomes: tuple[Outcome, Outcome], best: Outcome
) -> None:
    for first, second in (outcomes, outcomes[::-1]):
        fold = folded(read(b"/a", outcome=first, errno=1), read(b"/a", outcome=second, errno=2))
        found = row(fold, Op.READ, b"/a")
        assert found.outcome is best
        assert found.errno == (1 if first is best else 2)


def test_the_newest_failure_says_why() -> None:
    """As where a rename is tried without replacing first (EEXIST), and then a mount refuses it."""
    failed = [read(b"/a", outcome=Outcome.FAILED, errno=errno) for errno in (17, 16)]
    assert row(folded(*failed), Op.READ, b"/a").errno == 16


def test_flags_add_up() -> None:
    fold = folded(create(b"/a", flags=AccessFlag.EXCLUSIVE), create(b"/a", flags=AccessFlag.EMPTY))
    assert row(fold, Op.CREATE, b"/a").flags == AccessFlag.EXCLUSIVE | AccessFlag.EMPTY


def test_a_read_before_any_change_is_marked() -> None:
    fold = folded(read(b"/a"), access(Op.WRITE, b"/a"), create(b"/b"), read(b"/b"))
    assert is_read_first(fold, b"/a")
    assert not is_read_first(fold, b"/b")


def test_a_read_that_found_nothing_is_not_marked() -> None:
    fold = folded(read(b"/gone", outcome=Outcome.MISSING), read(b"/empty", flags=AccessFlag.EMPTY))
    assert not is_read_first(fold, b"/gone")
    assert not is_read_first(fold, b"/empty")


def test_a_change_that_was_refused_does_not_hide_a_first_read() -> None:
    fold = folded(access(Op.WRITE, b"/a", outcome=Outcome.DENIED), read(b"/a"))
    assert is_read_first(fold, b"/a")


def test_a_first_read_after_a_commit_is_still_judged_by_the_whole_run() -> None:
    fold = folded(access(Op.WRITE, b"/a"))
    fold.stored()
    fold.feed([read(b"/a"), read(b"/b")])
    assert not is_read_first(fold, b"/a")
    assert is_read_first(fold, b"/b")


def test_the_first_state_before_a_change_is_kept() -> None:
    fold = folded(access(Op.WRITE, b"/a", before=FILE), access(Op.CHMOD, b"/a", before=LATER))
    assert fold.before == {b"/a": FILE}
    fold.stored()
    fold.feed([access(Op.WRITE, b"/a", before=LATER)])
    assert not fold.before


def test_a_rename_is_told_on_both_names() -> None:
    fold = folded(create(b"/a.tmp"), rename(b"/a.tmp", b"/a", before2=FILE))
    assert row(fold, Op.RENAME, b"/a.tmp").to == b"/a"
    assert row(fold, Op.RENAME, b"/a").origin == b"/a.tmp"
    assert fold.before == {b"/a.tmp": ABSENT, b"/a": FILE}
    assert set(fold.changed_paths()) == {b"/a.tmp", b"/a"}


def test_a_refused_rename_names_nothing_that_was_renamed() -> None:
    refused = rename(b"/log.1", b"/log.2", outcome=Outcome.MISSING)
    renamed = rename(b"/log", b"/log.1")
    for calls in ([refused, renamed], [renamed, refused]):
        found = row(folded(*calls), Op.RENAME, b"/log.1")
        assert (found.origin, found.to) == (b"/log", None)
    assert row(folded(refused), Op.RENAME, b"/log.1").to == b"/log.2"


def test_a_link_is_told_on_both_names() -> None:
    fold = folded(access(Op.LINK, b"/new", b"/existing", before=ABSENT))
    assert row(fold, Op.LINK, b"/new").origin == b"/existing"
    assert row(fold, Op.LINK, b"/existing").to == b"/new"


def test_the_text_of_a_symlink_is_no_path() -> None:
    fold = folded(access(Op.SYMLINK, b"/link", b"../elsewhere", before=ABSENT))
    assert list(fold.accesses) == [(1, b"/link", Op.SYMLINK)]


def test_a_renamed_directory_takes_its_changed_contents_along() -> None:
    fold = folded(
        access(Op.MKDIR, b"/wal.tmp", before=ABSENT),
        create(b"/wal.tmp/1"),
        create(b"/wal.tmp/sub/2"),
        read(b"/wal.tmp/only-read"),
        rename(b"/wal.tmp", b"/wal"),
    )
    for name in (b"1", b"sub/2"):
        carried = row(fold, Op.RENAME, b"/wal/" + name)
        assert carried.origin == b"/wal.tmp/" + name
        assert carried.flags == AccessFlag.CARRIED
        assert fold.before[b"/wal/" + name] == ABSENT
    assert (1, b"/wal/only-read", Op.RENAME) not in fold.accesses
    assert {b"/wal", b"/wal/1", b"/wal/sub/2"} <= set(fold.changed_paths())


def test_a_rename_that_failed_carries_nothing() -> None:
    fold = folded(create(b"/d/f"), rename(b"/d", b"/e", outcome=Outcome.FAILED))
    assert (1, b"/e/f", Op.RENAME) not in fold.accesses


def test_a_rename_that_may_have_failed_is_followed_by_the_second_try() -> None:
    fold = folded(create(b"/d/f"), rename(b"/d", b"/busy"), rename(b"/d", b"/e"))
    assert row(fold, Op.RENAME, b"/e/f").origin == b"/d/f"


def test_an_exchange_carries_both_ways() -> None:
    flags = AccessFlag.EXCHANGE
    fold = folded(create(b"/a/1"), create(b"/b/2"), rename(b"/a", b"/b", flags=flags, before2=None))
    assert row(fold, Op.RENAME, b"/b/1").origin == b"/a/1"
    assert row(fold, Op.RENAME, b"/a/2").origin == b"/b/2"
    # Something that the run never touched may have stood there, and went the other way.
    assert b"/b/1" not in fold.before
    assert row(fold, Op.RENAME, b"/a/1").origin == b"/b/1"


def test_a_process_whose_start_was_lost_is_stood_in_for() -> None:
    fold = folded(read(b"/a", process=77))
    assert fold.processes[77].exe == b""


def test_a_connection_to_a_message_bus_is_remarked_once() -> None:
    """Who answers there writes for the program, and is not recorded."""
    session, system = b"/run/user/1000/bus", b"/run/dbus/system_bus_socket"
    others = (b"/run/user/1000/wayland-0", b"/home/run/user/1/bus", b"/run/user/1/bus\n")
    connections = (access(Op.CONNECT, path) for path in (session, session, system, *others))
    fold = folded(*connections, access(Op.BIND, session))
    assert [(code, text.split(":")[0]) for code, text in fold.warnings] == [
        ("bus", "connected to the session bus"),
        ("bus", "connected to the system bus"),
    ]


def test_a_bus_that_was_started_for_the_program_is_a_session_bus() -> None:
    """It is the program's own, and recorded with it, where the program starts it."""
    socket = b"/tmp/dbus-TW40bPYQic"
    assert folded(access(Op.CONNECT, socket)).warnings
    assert not folded(access(Op.BIND, socket), access(Op.CONNECT, socket)).warnings


def test_the_whole_machine_needs_no_remark_on_buses() -> None:
    fold = Fold(of_whole_machine=True)
    fold.feed([process(), access(Op.CONNECT, b"/run/user/1000/bus")])
    assert not fold.warnings


def test_a_refused_connection_to_a_bus_is_no_remark() -> None:
    refused = access(Op.CONNECT, b"/run/user/1000/bus", outcome=Outcome.MISSING)
    assert not folded(refused).warnings


def test_what_was_lost_and_unseen_is_counted() -> None:
    fold = folded(Lost(3), Lost(4), Unseen(1, 5), Warned("x", "text"), Warned("x", "text"))
    assert (fold.lost, fold.unseen, list(fold.warnings)) == (7, 5, [("x", "text")])


def test_memory_is_bounded_while_nothing_can_be_stored() -> None:
    fold = Fold(pending_limit=10)
    fold.feed([process(), *(read(b"/%d" % number, count=2) for number in range(15))])
    assert len(fold.accesses) == 10
    assert fold.lost == 10
    fold.feed([read(b"/3")])
    assert (row(fold, Op.READ, b"/3").count, fold.lost) == (3, 10)


def test_an_exit_is_kept_for_the_next_commit() -> None:
    fold = folded()
    fold.stored()
    assert not fold.is_pending
    fold.feed([ProcessExited(1, 256, 99)])
    assert fold.exits[1].status == 256
