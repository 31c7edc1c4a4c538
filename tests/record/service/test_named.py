"""Which units a name means, by what systemd says is there."""

from dataclasses import dataclass, field

import pytest

from imptrace.record.service import named
from imptrace.record.service.manager import Manager
from imptrace.record.service.named import Named, named_units
from imptrace.record.service.units import Unit


@dataclass(frozen=True, slots=True)
class Known(Manager):
    """A manager that has these units, each in a state."""

    units: dict[str, str] = field(default_factory=dict)

    def show(self, unit: str) -> dict[str, str]:
        """Answer as systemctl does for a unit that is not there, too."""
        state = self.units.get(unit)
        return {"Id": unit, "LoadState": "loaded" if state else "not-found", "SubState": str(state)}

    def loaded_units(self, pattern: str) -> list[str]:
        """List the instances of a template."""
        return [each for each in self.units if each.startswith(pattern.partition("*")[0])]


def meant(
    monkeypatch: pytest.MonkeyPatch, units: dict[str, str], word: str, patterns: list[str]
) -> list[Named]:
    def load(name: str, manager: Manager) -> Unit:
        return Unit(name, manager.show(name), {})

    monkeypatch.setattr(named, "load_unit", load)
    there = {each for each in patterns if "*" not in each and each in units}
    return named_units(
        word,
        Known(units=units),
        lambda *_: [each for each in patterns if "*" in each or each in there],
    )


def test_a_unit_that_only_stands_for_its_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's PostgreSQL: the unit is /bin/true, and the clusters do the work."""
    units = {"postgresql.service": "exited", "postgresql@15-main.service": "running"}
    patterns = ["postgresql.service", "postgresql@*.service"]
    assert meant(monkeypatch, units, "postgresql", patterns) == [
        Named("postgresql.service", may_restart=False),
        Named("postgresql@15-main.service"),
    ]


def test_instances_of_a_unit_that_runs_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a login of somebody's."""
    units = {"sshd.service": "running", "sshd@1-a.service": "running"}
    patterns = ["sshd.service", "sshd@*.service"]
    assert meant(monkeypatch, units, "sshd", patterns) == [Named("sshd.service")]
