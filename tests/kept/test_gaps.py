"""When nothing was recorded is known of the machine's record, and said."""

from dataclasses import replace
from pathlib import Path

from recordings import ENDED_NS, START, read, record

from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.kept.gaps import Gap, gaps
from imptrace.render.gaps_text import gaps_text
from imptrace.tracer.events import Lost, RunScope

HOUR = 3_600_000_000_000
MACHINE = replace(START, scope=RunScope.MACHINE, argv=(b"imptrace", b"watch"))


def test_a_pause_between_runs_of_the_machine(tmp_path: Path) -> None:
    """Not between those of other runs, nor where one follows the other, nor of another watch."""
    place = tmp_path / "runs.db"
    later = replace(MACHINE, started_ns=ENDED_NS + HOUR)
    record(place, [read(b"/a")], start=MACHINE)
    record(place, [read(b"/a")], start=replace(START, started_ns=ENDED_NS + 5))
    record(place, [read(b"/a")], start=replace(MACHINE, argv=(b"imptrace", b"watch", b"--user")))
    record(place, [read(b"/a")], start=later)
    with reading(str(place)) as engine:
        assert gaps(engine) == (Gap(since_ns=ENDED_NS, until_ns=later.started_ns, lost=0),)
        assert gaps(engine, later.started_ns) == ()
        (pause,) = queries.pauses(engine)
        assert pause.run == 4
        (line,) = gaps_text(gaps(engine))
    assert line.startswith("nothing was recorded from ")


def test_what_was_lost_is_said_too(tmp_path: Path) -> None:
    place = tmp_path / "runs.db"
    record(place, [read(b"/a"), Lost(7, 1, 2)], start=MACHINE)
    with reading(str(place)) as engine:
        (line,) = gaps_text(gaps(engine))
    assert line.startswith("the record misses 7 events from ")
    assert gaps(None) == ()
