"""Runs are found by what people call them, and paths by who touched them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from recordings import (
    ENDED_NS,
    FILE,
    LATER,
    START,
    access,
    create,
    paths,
    process,
    read,
    record,
    rename,
)
from sqlalchemy import Engine, select, text

from imptrace.db import queries, uses
from imptrace.db.engine import driver_of, open_database, reading
from imptrace.db.models import AccessTable, FileStateTable, ProcessTable
from imptrace.db.records import Detail, Effect, Part, PathRecord
from imptrace.db.writer import RunWriter
from imptrace.errors import UsageError
from imptrace.facts.programs import program_name
from imptrace.facts.units import unit_of
from imptrace.tracer.events import AccessFlag, Op, Outcome

FIREFOX = b"/nix/store/abc-firefox-145/bin/.firefox-wrapped"


@pytest.fixture
def engine(place: Path) -> Iterator[Engine]:
    """Open a database of three runs: demo, firefox with a helper, demo again labelled `second`."""
    record(place, [read(b"/etc/passwd"), create(b"/home/x/.demo")], {b"/home/x/.demo": FILE})
    record(
        place,
        [
            process(exe=FIREFOX),
            process(2, exe=b"/usr/bin/helper"),
            read(b"/etc/passwd", process=2),
            access(Op.WRITE, b"/home/x/.mozilla/prefs.js", before=FILE),
            access(Op.WRITE, b"/home/x/.mozillA", before=FILE),
            read(b"/home/x/.mozilla", flags=AccessFlag.DIRECTORY),
        ],
        {b"/home/x/.mozilla/prefs.js": LATER, b"/home/x/.mozillA": FILE},
        start=replace(START, program=b"firefox"),
    )
    record(place, [read(b"/home/x/.demo")], start=replace(START, label="second"))
    opened = open_database(place, create=False, read_only=True)
    yield opened
    opened.dispose()


@pytest.mark.parametrize(
    ("name", "run"),
    [("1", 1), ("3", 3), ("second", 3), ("demo", 3), ("firefox", 2), ("latest", 3)],
)
def test_a_run_is_found_by_any_of_its_names(engine: Engine, name: str, run: int) -> None:
    assert queries.resolve_run(engine, name) == run


def test_an_id_comes_before_a_label_that_looks_like_one(place: Path) -> None:
    record(place, [])
    record(place, [], start=replace(START, label="1"))
    record(place, [], start=replace(START, label="77"))
    engine = open_database(place, create=False, read_only=True)
    assert [queries.resolve_run(engine, name) for name in ("1", "77")] == [1, 3]
    engine.dispose()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("firefx", "did you mean 'firefox'? "),
        ("secnd", "did you mean 'second'? "),
        ("lastest", "did you mean 'latest'? "),
        ("17", ""),
        ("9" * 30, ""),
        ("\x1b[31m", ""),
        ("²", ""),
    ],
)
def test_a_run_that_is_not_there_is_an_error_with_the_nearest_name(
    engine: Engine, name: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        queries.resolve_run(engine, name)
    assert str(caught.value) == f"no run is called {name!r}; {hint}imptrace runs lists them"


def test_runs_are_listed_oldest_first(engine: Engine) -> None:
    found = queries.runs(engine)
    assert [(run.id, run.program, run.label) for run in found] == [
        (1, b"demo", None),
        (2, b"firefox", None),
        (3, b"demo", "second"),
    ]
    assert {(run.started_ns, run.ended_ns) for run in found} == {(START.started_ns, ENDED_NS)}


def test_without_times_all_else_of_a_run_is_the_same(place: Path) -> None:
    """Paths to which the same was done share their accesses; their order and effects stay."""
    new = [b"/home/x/%d" % number for number in range(3)]
    record(
        place,
        [
            *(create(path, at=20 + number) for number, path in enumerate(new)),
            *(access(Op.WRITE, path, at=10 - number) for number, path in enumerate(new)),
            access(Op.WRITE, b"/home/x/old", before=FILE),
            access(Op.DELETE, b"/home/x/gone", before=FILE),
            rename(b"/home/x/0", b"/home/x/renamed", at=30),
            read(b"/etc/passwd"),
        ],
        {**dict.fromkeys(new[1:], FILE), b"/home/x/renamed": FILE, b"/home/x/old": LATER},
    )
    engine = open_database(place, create=False, read_only=True)
    exact, timeless = (
        queries.run_details(engine, 1, each) for each in (Detail.EXACT, Detail.TIMELESS)
    )
    engine.dispose()
    assert [_without_times(path) for path in timeless.paths] == [
        _without_times(path) for path in exact.paths
    ]
    shared = {path.path: path.accesses for path in timeless.paths}
    assert shared[b"/home/x/1"] is shared[b"/home/x/2"]
    assert [each.op for each in shared[b"/home/x/1"]] == [Op.WRITE, Op.CREATE]


def _without_times(path: PathRecord) -> PathRecord:
    accesses = tuple(each._replace(first=0, last=0) for each in path.accesses)
    return path._replace(accesses=accesses)


@pytest.mark.parametrize(
    ("first", "last", "effect"),
    [(Op.DELETE, Op.WRITE, Effect.MODIFIED), (Op.WRITE, Op.DELETE, Effect.DELETED)],
)
def test_where_nobody_looked_the_times_tell_what_is_left(
    place: Path, first: Op, last: Op, effect: Effect
) -> None:
    """Also where the answer is without times: an imported log has no states."""
    engine = open_database(place, create=True, read_only=False)
    writer = RunWriter(driver_of(engine), START)
    unseen = {"before": None, "at": 1, "count": 2}
    writer.feed(
        [
            process(),
            access(first, b"/home/x/f", **unseen, last=5),
            access(last, b"/home/x/f", **unseen | {"at": 2}, last=9),
        ]
    )
    writer.finish(ENDED_NS, None, None, 0, ())
    writer.close()
    (path,) = queries.run_details(engine, 1, Detail.TIMELESS).paths
    engine.dispose()
    assert path.effect is effect


def test_who_touched_a_path(engine: Engine) -> None:
    found = uses.path_uses(engine, b"/etc/passwd")
    assert [(use.run, use.program, use.ops, use.effect) for use in found] == [
        (1, b"demo", {Op.READ: 1}, None),
        (2, b"helper", {Op.READ: 1}, None),
    ]


def test_who_touched_anything_below_a_path(engine: Engine) -> None:
    """Names that only begin alike are not below: the byte after a slash sorts beside it."""
    found = uses.path_uses(engine, b"/home/x/.mozilla")
    assert [(use.path, use.effect) for use in found] == [
        (b"/home/x/.mozilla", None),
        (b"/home/x/.mozilla/prefs.js", Effect.MODIFIED),
    ]
    assert uses.path_uses(engine, b"/home/x/.mozilla/") == found
    assert len(uses.path_uses(engine, b"/")) == 7
    assert uses.path_uses(engine, b"/home/x/.moz") == []


@pytest.mark.parametrize("name", ["firefox", ".firefox-wrapped", FIREFOX.decode()])
def test_what_a_program_touches(engine: Engine, name: str) -> None:
    found = uses.program_uses(engine, name)
    assert (b"/home/x/.mozilla/prefs.js", Effect.MODIFIED) in {
        (use.path, use.effect) for use in found
    }
    assert {use.run for use in found} == {2}


def test_helpers_belong_to_the_program_that_was_asked_for(engine: Engine) -> None:
    by_helper = uses.program_uses(engine, "helper")
    assert [use.path for use in by_helper] == [b"/etc/passwd"]
    assert by_helper[0] in uses.program_uses(engine, "firefox")


def test_a_program_that_was_never_recorded_is_an_error(engine: Engine) -> None:
    with pytest.raises(UsageError, match=r"no program called 'firefix' .* mean 'firefox'"):
        uses.program_uses(engine, "firefix")


def test_an_effect_is_that_of_the_program_that_asked_for_it(place: Path) -> None:
    record(
        place,
        [
            process(2, exe=b"/bin/reader"),
            access(Op.WRITE, b"/f", before=FILE),
            read(b"/f", process=2),
            access(Op.WRITE, b"/f", process=2, outcome=Outcome.DENIED),
        ],
        {b"/f": LATER},
    )
    engine = open_database(place, create=False, read_only=True)
    found = {use.program: use.effect for use in uses.path_uses(engine, b"/f")}
    engine.dispose()
    assert found == {b"demo": Effect.MODIFIED, b"reader": Effect.UNCHANGED}


def test_a_removed_run_takes_its_own_paths_along(engine: Engine, place: Path) -> None:
    writable = open_database(place, create=False, read_only=False)
    queries.delete_runs(writable, [2])
    writable.dispose()
    assert [run.id for run in queries.runs(engine)] == [1, 3]
    with engine.connect() as connection:
        assert set(connection.scalars(text("SELECT name FROM path"))) == {
            b"/etc/passwd",
            b"/home/x/.demo",
        }
        for column in (ProcessTable.run_id, AccessTable.run_id, FileStateTable.run_id):
            assert 2 not in set(connection.scalars(select(column)))
    assert paths(place, 1)[b"/home/x/.demo"].after == FILE


def test_a_run_that_is_being_recorded_is_not_removed(place: Path) -> None:
    engine = open_database(place, create=True, read_only=False)
    writer = RunWriter(driver_of(engine), START)
    with pytest.raises(UsageError, match="run 1 is still being recorded"):
        queries.delete_runs(engine, [writer.run_id])
    writer.close()
    assert len(queries.runs(engine)) == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("exe", "name"),
    [
        (b"/usr/bin/vim", b"vim"),
        (FIREFOX, b"firefox"),
        (b"/x/..a-wrapped-wrapped", b"a"),
        (b"/x/.evince-wrapped_", b"evince"),
        (b"/x/...a-wrapped_-wrapped-wrapped_", b"a"),
        (b"/x/.-wrapped", b".-wrapped"),
        (b"/x/gcc-wrapped", b"gcc-wrapped"),
        (b"", b""),
    ],
)
def test_wrappers_of_nix_are_looked_through(exe: bytes, name: bytes) -> None:
    assert program_name(exe) == name


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        (b"/system.slice/nginx.service", "nginx.service"),
        (b"/user.slice/user-1.slice/user@1.service/app.slice/app-x.scope", "app-x.scope"),
        (b"/system.slice/docker-1.scope/inner", "docker-1.scope"),
        (b"/system.slice/getty@tty1.service/\xff", "getty@tty1.service"),
        (b"/user.slice", None),
        (b"/", None),
        (b"", None),
    ],
)
def test_the_unit_is_the_innermost_service_or_scope(cgroup: bytes, unit: str | None) -> None:
    assert unit_of(cgroup) == unit


def test_a_run_in_part(place: Path) -> None:
    """By unit, by program and by user: its processes, and of paths what they did."""
    mail, web = b"/system.slice/mail.service", b"/system.slice/web.service"
    record(
        place,
        [
            process(1, exe=b"/usr/bin/mail", cgroup=mail, uid=8),
            process(2, exe=b"/usr/bin/.web-wrapped", cgroup=web, uid=33),
            process(3, exe=b"/usr/bin/sh", cgroup=web, uid=0),
            access(Op.WRITE, b"/both", process=1),
            access(Op.READ, b"/both", process=2),
            access(Op.WRITE, b"/web", process=2),
            access(Op.WRITE, b"/root", process=3),
        ],
    )

    def paths(part: Part) -> dict[bytes, set[Op]]:
        with reading(place) as engine:
            found = queries.run_details(engine, 1, part=part)
        return {path.path: set(path.ops) for path in found.paths}

    assert paths(Part(units=("mail.service",))) == {b"/both": {Op.WRITE}}
    assert paths(Part(program=b"web")) == {b"/both": {Op.READ}, b"/web": {Op.WRITE}}
    assert paths(Part(units=("web",), uid=0)) == {b"/root": {Op.WRITE}}
    assert paths(Part(units=("none.service",))) == {}
    assert len(paths(Part())) == 3
