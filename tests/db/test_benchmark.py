"""The benchmark of the database works, tried with small numbers."""

import pytest

from benchmarks import database


def test_it_measures_and_prints_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(database, "DISTINCT_PATHS", 500)
    monkeypatch.setattr(database, "FOLDED_CALLS", 3000)
    monkeypatch.setattr(database, "RUNS", 4)
    monkeypatch.setattr(database, "PROGRAMS", 2)
    database.main()
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("| ") and line.endswith(" |") for line in lines)
    asked = {line.split("|")[1].strip() for line in lines}
    assert {"runs", "show latest", "who FILE", "rm RUN"} <= asked
