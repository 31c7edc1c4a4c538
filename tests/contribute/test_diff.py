"""`imptrace diff`: exits with 1 if something of the service's own is missing."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Answer

from imptrace.cli.app import main

Diff = Callable[..., Answer]


@pytest.fixture
def diff(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Diff:
    """Run `imptrace diff --service networkmanager` on the recorded runs."""
    assert database.exists()

    def run(*arguments: str | Path) -> Answer:
        command = ["imptrace", "diff", "--service", "networkmanager", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return Answer(caught.value.code, said.out, said.err)

    return run


def test_the_catalogue_keeps_it_all(diff: Diff) -> None:
    """A line per path, and nothing to complain of."""
    answer = diff()
    assert (answer.code, answer.err) == (0, "")
    assert [line.split() for line in answer.out.splitlines()] == [
        ["OBSERVED", "DECLARED", "PATH"],
        ["kept", "secret", "secret", "/etc/NetworkManager/system-connections"],
        ["kept", "normal", "normal", "/var/lib/NetworkManager"],
    ]


def test_a_configuration_that_lacks_something(diff: Diff, tmp_path: Path) -> None:
    """What is missing comes first, and makes the exit code 1."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"/persistent": {"directories": ["/var/lib", "/srv"]}}))
    answer = diff("--config", config)
    assert answer.code == 1
    assert [line.split() for line in answer.out.splitlines()[1:]] == [
        ["missing", "secret", "-", "/etc/NetworkManager/system-connections"],
        ["not", "observed", "-", "directory", "/srv"],
        ["kept", "normal", "directory", "in", "/var/lib", "/var/lib/NetworkManager"],
    ]


def test_the_same_as_json(diff: Diff, tmp_path: Path) -> None:
    """As docs/json.md says."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"/persistent": {"directories": ["/var/lib"]}}))
    answer = diff("--config", config, "--json")
    assert answer.code == 1
    assert json.loads(answer.out) == {
        "schema": "imptrace.diff/1",
        "service": "networkmanager",
        "missing": 1,
        "paths": [
            {
                "path": "/etc/NetworkManager/system-connections",
                "status": "missing",
                "observed": "secret",
                "declared": None,
            },
            {
                "path": "/var/lib/NetworkManager",
                "status": "kept",
                "observed": "normal",
                "declared": {"path": "/var/lib", "level": None},
            },
        ],
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--config", "/nowhere.json"), "/nowhere.json cannot be read"),
        (("--config", "/dev/null"), "/dev/null is not JSON"),
        (("77",), "no run is called '77'"),
        (("--service", "nothing-like-it"), "'nothing-like-it' in the catalogue"),
    ],
)
def test_wrong_usage(diff: Diff, arguments: tuple[str, ...], message: str) -> None:
    """One line, exit code 2."""
    answer = diff(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1
