"""What `run` says before and after the program; names that are refused; where else to look."""

import json
import os
from pathlib import Path

import forked
import pytest

from imptrace.db.location import unwritable


def imptrace(*words: str, database: Path, **more: str) -> forked.Done:
    return forked.run_text(*words, env={**os.environ, "IMPTRACE_DB": str(database), **more})


def test_a_database_that_cannot_be_written_is_said_before_the_program_starts(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("x")
    place = tmp_path / "file" / "x.db"
    done = imptrace("run", "sh", "-c", "echo started >&2; exit 3", database=place)
    lines = done.stderr.splitlines()
    assert "cannot be made there" in lines[0]
    assert lines[1] == "started"
    assert done.returncode == 3
    assert unwritable(str(tmp_path / "new" / "x.db")) is None
    assert imptrace("doctor", database=place).returncode == 1


def test_a_name_in_another_encoding_is_no_damage_of_the_database(tmp_path: Path) -> None:
    database = tmp_path / "x.db"
    assert imptrace("run", "-q", "true", database=database).returncode == 0
    for words in (("show", "caf\udce9"), ("recommend", "--service", "caf\udce9")):
        done = imptrace(*words, database=database)
        assert (done.returncode, "damaged" in done.stderr) == (2, False)
    done = imptrace("run", "--label", "caf\udce9", "true", database=database)
    assert "--label is not UTF-8" in done.stderr


def test_advice_is_asked_for_by_the_service_that_was_recorded(tmp_path: Path) -> None:
    done = imptrace("run", "--service", "own.service", "true", database=tmp_path / "x.db")
    assert "next: imptrace show 1, imptrace recommend --service own.service\n" in done.stderr


def test_a_program_that_fails_is_said_to_have_failed(tmp_path: Path) -> None:
    done = imptrace("run", "sh", "-c", "exit 3", database=tmp_path / "x.db")
    assert done.returncode == 3
    assert "imptrace: the program failed: it ended with exit code 3\n" in done.stderr
    assert "failed" not in imptrace("run", "true", database=tmp_path / "x.db").stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--label", ""], "--label is empty"),
        (["--label", "5"], "would hide a run"),
        (["--label", "latest"], "would hide a run"),
        (["--service", "networkmanger"], "did you mean 'networkmanager'?"),
        (["--service", " "], "--service is empty"),
    ],
)
def test_names_that_hide_or_misspell_another_are_refused(
    tmp_path: Path, words: list[str], message: str
) -> None:
    done = imptrace("run", *words, "touch", str(tmp_path / "ran"), database=tmp_path / "x.db")
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_unit_of_ones_own_and_a_script_keep_their_names(tmp_path: Path) -> None:
    database, home = tmp_path / "x.db", tmp_path / "home"
    (home / "state").mkdir(parents=True)
    script = tmp_path / "myapp"
    script.write_text("#!/usr/bin/env bash\nmkdir -p ~/.config/myapp; echo x > ~/.config/myapp/s\n")
    script.chmod(0o755)
    for words in ([str(script)], ["--service", "dyn.service", str(script)]):
        assert imptrace("run", "-q", *words, database=database, HOME=str(home)).returncode == 0
    by_script = json.loads(imptrace("recommend", "1", "--json", database=database).stdout)
    assert (by_script["subject"]["program"], by_script["subject"]["option"]) == ("myapp", None)
    by_unit = json.loads(
        imptrace("recommend", "--service", "dyn", "--json", database=database).stdout
    )
    assert (by_unit["subject"]["service"], by_unit["subject"]["option"]) == ("dyn.service", None)


@pytest.mark.parametrize("words", [["sh", "bin/tool"], ["sh", "./bin/tool"], ["sh", "tool"]])
def test_a_script_is_what_its_interpreter_was_asked_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    for place in (tmp_path / "bin", tmp_path):
        place.mkdir(exist_ok=True)
        (place / "tool").write_text("true\n")
    monkeypatch.chdir(tmp_path)
    done = imptrace("run", *words, database=tmp_path / "x.db")
    assert "imptrace: run 1 (tool): " in done.stderr
    assert done.stderr.endswith("imptrace recommend tool\n")


def test_the_next_command_can_be_pasted(tmp_path: Path) -> None:
    odd = tmp_path / "my program"
    odd.write_text("#!/bin/sh\n")
    odd.chmod(0o755)
    assert imptrace("run", str(odd), database=tmp_path / "x.db").stderr.endswith(
        "imptrace recommend 1\n"
    )


def test_several_programs_are_answered_each_under_its_own_name(tmp_path: Path) -> None:
    database, home = tmp_path / "x.db", tmp_path / "home"
    home.mkdir()
    for name in ("one", "two"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\nmkdir -p ~/.config/{name}; echo x > ~/.config/{name}/s\n")
        program.chmod(0o755)
        assert (
            imptrace("run", "-q", str(program), database=database, HOME=str(home)).returncode == 0
        )
    for words in (["one", "two"], ["--all"]):
        done = imptrace("recommend", *words, "--json", database=database)
        answer = json.loads(done.stdout)
        assert answer["schema"] == "imptrace.recommendations/1"
        assert [each["subject"]["program"] for each in answer["recommendations"]] == ["one", "two"]
    nix = imptrace("recommend", "one", "two", "--format", "nix", database=database).stdout
    assert nix.count("{") >= 1
    assert ".config/one" in nix
    assert ".config/two" in nix
    assert nix.count(".persistence.") == 1


def test_a_name_that_was_never_recorded_is_answered_by_the_catalogue(tmp_path: Path) -> None:
    database = tmp_path / "x.db"
    assert imptrace("run", "-q", "true", database=database).returncode == 0
    by_name = imptrace("recommend", "tailscale", "--json", database=database)
    by_service = imptrace("recommend", "--service", "tailscale", "--json", database=database)
    assert by_name.stdout == by_service.stdout
    assert json.loads(by_name.stdout)["recommendations"]
