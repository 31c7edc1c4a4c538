"""A run of the whole machine keeps few of many processes, and no argument of any."""

from collections.abc import Iterable

from recordings import FILE, access, create, process, read

from imptrace.db.crowd import Crowd
from imptrace.db.fold import Fold
from imptrace.db.passing import KEPT
from imptrace.tracer.events import (
    ABSENT,
    Access,
    AccessFlag,
    Event,
    Op,
    Outcome,
    ProcessExited,
    ProcessStarted,
)


def started(events: Iterable[Event], crowd: Crowd | None = None) -> list[ProcessStarted]:
    told = (crowd or Crowd()).of(events)
    return [event for event in told if isinstance(event, ProcessStarted)]


def test_a_program_that_starts_often_is_one_process() -> None:
    """Whoever started it that is alike, in sessions that differ in their number only."""
    events: list[Event] = []
    for number in range(100, 200, 2):
        scope = b"/user.slice/session-%d.scope" % number
        events.append(process(number, exe=b"/bin/bash", cgroup=scope, argv=(b"-bash",)))
        events.append(process(number + 1, exe=b"/bin/vim", parent=number, cgroup=scope))
        events += [ProcessExited(number + 1, 0, 5), ProcessExited(number, 0, 6)]
    told = started(events)
    assert [(each.process, each.parent) for each in told] == [(100, None), (101, 100)]


def test_another_user_and_another_unit_are_another_process() -> None:
    told = started(
        [
            process(1),
            process(2, uid=1001),
            process(3, cgroup=b"/system.slice/demo.service"),
            process(4, cgroup=b"/system.slice/demo@a.service"),
        ]
    )
    assert len(told) == 4


def test_what_starts_itself_is_one_process() -> None:
    events = [process(1, exe=b"/bin/make")]
    for number in range(2, 60, 2):
        events.append(process(number, exe=b"/bin/sh", parent=number - 1))
        events.append(process(number + 1, exe=b"/bin/make", parent=number))
    assert len(started(events)) == 2


def test_an_access_is_told_of_the_first_of_its_kind() -> None:
    crowd = Crowd()
    events = [
        process(1),
        process(2),
        ProcessExited(2, 0, 9),
        read(b"/a", process=2),
    ]
    told = [event for event in crowd.of(events) if isinstance(event, Access)]
    assert [event.process for event in told] == [1]


def test_no_argument_is_kept() -> None:
    """Passwords stand in command lines; names of programs and scripts say what something is."""
    told = started(
        [
            process(1, exe=b"/usr/bin/mysql", argv=(b"mysql", b"-psecret")),
            process(2, exe=b"/bin/sh", argv=(b"sh", b"-c", b"curl -u me:secret host")),
            process(3, exe=b"/usr/bin/env", argv=(b"env", b"PASSWORD=secret", b"x")),
            process(4, exe=b"/usr/bin/python3.11", argv=(b"python3", b"/usr/bin/tool", b"secret")),
            process(5, exe=b"/usr/bin/python3.11", argv=(b"python3", b"-m", b"tool", b"secret")),
        ]
    )
    assert [each.argv for each in told] == [
        (b"mysql",),
        (b"sh", b"-c"),
        (b"env",),
        (b"python3", b"/usr/bin/tool"),
        (b"python3", b"-m", b"tool"),
    ]


def test_more_kinds_than_fit_stand_together_by_user() -> None:
    crowd = Crowd(most=10)
    events = [process(number, exe=b"/t/%d" % number, uid=number % 2) for number in range(1, 100)]
    assert len(started(events, crowd)) == 12


def test_what_an_earlier_process_wrote_was_there_before() -> None:
    """A second start reads what the first has left: that is state."""
    written = create(b"/s", at=5)
    events = [process(1, at=1), written, read(b"/s", at=6), process(2, at=10)]
    events.append(read(b"/s", process=2, at=11))
    reads = [each for each in Crowd().of(events) if isinstance(each, Access) and each.op is Op.READ]
    assert [AccessFlag.READ_FIRST in each.flags for each in reads] == [False, True]


def passing(count: int) -> list[Event]:
    """Make and remove files of one directory."""
    events: list[Event] = [process()]
    for number in range(count):
        path = b"/tmp/x.%d" % number
        events.append(create(path, before=ABSENT, outcome=Outcome.OK))
        events.append(access(Op.DELETE, path, before=FILE, outcome=Outcome.OK))
    return events


def test_of_names_that_come_and_go_a_few_are_kept() -> None:
    fold = Fold(of_whole_machine=True)
    fold.feed(passing(500))
    assert len(fold.passed()) == 500 - KEPT
    assert len({path for _, path, _ in fold.accesses}) == KEPT
    assert len(fold.changed_paths()) == KEPT
    ordinary = Fold()
    ordinary.feed(passing(500))
    assert ordinary.passed() == []
    assert len(ordinary.changed_paths()) == 500


def test_a_directory_that_went_takes_along_what_was_kept_of_it() -> None:
    fold = Fold(of_whole_machine=True)
    events: list[Event] = [process()]
    for number in range(50):
        top = b"/tmp/d.%d" % number
        events.append(access(Op.MKDIR, top, before=ABSENT, outcome=Outcome.OK))
        for name in (b"/a", b"/b"):
            events.append(create(top + name, before=ABSENT, outcome=Outcome.OK))
            events.append(access(Op.DELETE, top + name, before=FILE, outcome=Outcome.OK))
        events.append(access(Op.DELETE, top, before=FILE, outcome=Outcome.OK))
    fold.feed(events)
    fold.passed()
    assert len(fold.changed_paths()) == KEPT * 3


def test_one_that_came_again_is_there() -> None:
    fold = Fold(of_whole_machine=True)
    fold.feed([*passing(20), create(b"/tmp/x.15", before=ABSENT, outcome=Outcome.OK)])
    assert b"/tmp/x.15" not in fold.passed()
    assert b"/tmp/x.15" in fold.changed_paths()
