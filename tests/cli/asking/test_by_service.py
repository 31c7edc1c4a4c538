"""Names of services and units, wherever a run is asked for; and what their instances keep."""

from dataclasses import replace
from pathlib import Path

import pytest
from command_line import Ask
from recordings import DIRECTORY, START, access, process, record

from imptrace.tracer.events import ABSENT, Op

STATE = b"/var/lib/dyn"


@pytest.fixture(name="services", autouse=True)
def _services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Record a unit of one's own, and one of the catalogue that wrote a log alone."""
    place = tmp_path / "services.db"
    for service, path in (("dyn.service", STATE), ("redis-server.service", b"/var/log/redis")):
        record(
            place,
            [process(exe=b"/bin/sh"), access(Op.MKDIR, path, before=ABSENT)],
            {path: DIRECTORY},
            start=replace(START, program=b"sh", service=service, label=None),
        )
    monkeypatch.setenv("IMPTRACE_DB", str(place))


@pytest.mark.parametrize("name", ["dyn", "dyn.service"])
def test_a_unit_is_asked_for_by_its_name(ask: Ask, name: str) -> None:
    assert "run 1" in ask("show", name).out.lower()
    assert ask("recommend", name).out.startswith("dyn.service, from 1 run")
    assert ask("export", name, "--dry-run").code == 0
    assert ask("runs", "--parts", name).code == 0


def test_the_catalogue_name_of_a_recorded_unit_will_do(ask: Ask) -> None:
    assert ask("export", "redis", "--dry-run").code == 0


def test_what_an_instance_keeps_is_named_though_it_was_not_seen(ask: Ask) -> None:
    said = ask("recommend", "redis").err
    assert "each of services.redis.servers keeps /var/lib/redis-<name> as well" in said


def test_nothing_seen_is_not_nothing_to_keep(ask: Ask) -> None:
    answered = ask("recommend", "--service", "redis", "--db", "/nosuch/imptrace.db")
    assert "Nothing that is to be kept was seen." in answered.out
