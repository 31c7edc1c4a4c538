"""Names for a TAB: those that the commands take, and nothing where there is no database."""

from dataclasses import replace
from pathlib import Path

import pytest
from recordings import START, process, record

from imptrace.db.names import run_names, runs_in_file


def test_runs_are_named_as_they_can_be_asked_for(tmp_path: Path) -> None:
    place = tmp_path / "a%20b?.db"
    record(place, [process()], {}, start=replace(START, label="first", program=b"\xff"))
    record(place, [process()], {}, start=replace(START, label=None, service="redis.service"))
    found = runs_in_file(str(place))
    assert found is not None
    assert [number for number, *_ in found] == [2, 1]
    assert run_names(found) == ["latest", "demo", "redis.service", "\\xff", "first"]


def test_what_is_no_database_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_bytes(b"x" * 5000)
    assert runs_in_file(str(tmp_path / "no.db")) == []
    assert runs_in_file(str(tmp_path / "nothing")) == []


@pytest.mark.parametrize("place", ["postgresql://nowhere/x", "service"])
def test_a_server_is_asked_otherwise(place: str) -> None:
    assert runs_in_file(place) is None
