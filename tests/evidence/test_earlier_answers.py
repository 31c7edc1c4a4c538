"""What is advised about runs that the first version answered otherwise, and why that is right."""

from dataclasses import replace
from pathlib import Path

import pytest
from recordings import FILE, START, access, create, process, record

from imptrace.catalogue import shipped
from imptrace.db.engine import reading
from imptrace.db.records import RunStart
from imptrace.evidence.asked_runs import Question
from imptrace.evidence.gather import gather
from imptrace.judge.advise import advise
from imptrace.judge.codes import Code
from imptrace.judge.model import Advice, Scope
from imptrace.tracer.events import Event, FileType, Op

STRANGER = 4_000_000_001
"""Of no user of any machine."""
DIRECTORY = FILE._replace(type=FileType.DIRECTORY)


def advised(tmp_path: Path, *events: Event, after: list[bytes], start: RunStart = START) -> Advice:
    """Record a run, and ask for it as `recommend latest` does."""
    place = tmp_path / "runs.db"
    record(place, events, dict.fromkeys(after, FILE), start=start)
    with reading(str(place)) as engine:
        return advise(gather(engine, Question(names=("1",)), shipped()), with_declared=True)


@pytest.mark.parametrize("host", [START.host, "another"])
def test_a_home_of_a_user_that_is_gone_is_not_kept_whole(tmp_path: Path, host: str) -> None:
    """`/home/NAME` is NAME's, also where nobody knows the user and no HOME was recorded."""
    path = b"/home/nobody-knows/.demo"
    advice = advised(
        tmp_path, create(path), after=[path], start=replace(START, uid=STRANGER, host=host)
    )
    (found,) = advice.recommendations
    assert found.path == path
    assert found.home is not None
    assert found.home.path == b"/home/nobody-knows"


def test_what_a_user_leaves_in_another_place_of_homes_does_not_take_all_of_it(
    tmp_path: Path,
) -> None:
    """Whosever `/home/NAME` is, others have files there."""
    path = b"/home/nobody-knows/.demo"
    advice = advised(tmp_path, create(path), after=[path], start=replace(START, uid=0))
    assert [found.path for found in advice.recommendations] == [path]


def test_a_run_of_a_unit_is_answered_with_what_the_unit_declares(tmp_path: Path) -> None:
    """The start of a service writes little; what systemd makes for it is its state."""
    unit = replace(START, service="demo", properties={"StateDirectory": "demo"})
    (found,) = advised(
        tmp_path, access(Op.READ, b"/etc/demo"), after=[], start=unit
    ).recommendations
    assert (found.path, found.scope) == (b"/var/lib/demo", Scope.OWNED)
    assert [reason.code for reason in found.reasons] == [Code.UNIT_DECLARES]


def test_what_the_catalogue_knows_of_a_program_needs_not_be_seen(tmp_path: Path) -> None:
    """NetworkManager hands out addresses only while a connection is shared."""
    path = b"/etc/NetworkManager/system-connections/Home.nmconnection"
    manager = process(1, exe=b"/usr/sbin/NetworkManager")
    start = replace(START, program=b"NetworkManager", uid=0, user="root")
    advice = advised(tmp_path, manager, create(path), after=[path], start=start)
    leases = next(each for each in advice.recommendations if each.path == b"/var/lib/misc")
    assert leases.scope is Scope.SHARED
    assert leases.reasons[0].code is Code.CATALOGUED
