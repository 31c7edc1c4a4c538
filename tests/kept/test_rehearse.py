"""`imptrace rehearse`: right advice passes, and every way to be wrong is found."""

import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import forked
import pytest

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root runs a program as another user"
)
KEEPER = """
import os, pathlib
home = pathlib.Path(os.environ["HOME"])
def remember(name):
    place = home / name
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
settings = remember(".config/keeper/settings")
old = settings.read_text() if settings.exists() else ""
new = settings.with_name("settings.new")
new.write_text(old + "x")
os.rename(new, settings)
data = remember(".local/share/keeper/data.db")
try:
    data.read_text()
except FileNotFoundError:
    pass
with data.open("a") as file:
    file.write("1")
index = remember(".cache/keeper/index")
if not index.exists():
    index.write_text("i")
"""

Rows = list[dict[str, Any]]


class Machine:
    """A home in which a program ran twice."""

    def __init__(self, directory: Path, keeper: str = KEEPER) -> None:
        self.home = directory / "home"
        self.home.mkdir()
        self.program = directory / "keeper"
        self.program.write_text(f"#!{sys.executable}\n{keeper}")
        self.program.chmod(0o755)
        self.directory = directory
        for _ in range(2):
            assert self.imptrace("run", "-q", self.program).returncode == 0
        self.advice = self.imptrace("recommend", "keeper", "--json").stdout

    def imptrace(self, *arguments: str | Path) -> forked.Done:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")}
        environment |= {"HOME": str(self.home), "IMPTRACE_DB": str(self.directory / "db")}
        return forked.run_text(*arguments, env=environment, timeout=100)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    made = Machine(tmp_path_factory.mktemp("machine"))
    done = made.imptrace("rehearse", "keeper", "--json")
    if "no private copy" in done.stderr:
        pytest.skip(done.stderr)
    return made


def test_right_advice_comes_back_and_nothing_real_is_written(machine: Machine) -> None:
    before = {path: path.stat().st_mtime_ns for path in machine.home.rglob("*")}
    done = machine.imptrace("rehearse", "keeper")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("keeper: came back (2 files read as they were left)")
    assert {path: path.stat().st_mtime_ns for path in machine.home.rglob("*")} == before


def test_recommend_says_so_until_the_advice_changes(machine: Machine) -> None:
    """In text, JSON and Nix; what another advice has shown is said to be another one's."""
    assert (
        machine.imptrace("recommend", "keeper")
        .stdout.splitlines()[1]
        .startswith("rehearsed: came back (")
    )
    told = json.loads(machine.imptrace("recommend", "keeper", "--json").stdout)
    assert (told["rehearsed"]["verdict"], told["rehearsed"]["current"]) == ("came-back", True)
    assert (
        "  # rehearsed: came back ("
        in machine.imptrace("recommend", "keeper", "--format", "nix").stdout
    )
    changed = machine.imptrace("recommend", "keeper", "--no-catalogue", "--json")
    assert json.loads(changed.stdout)["rehearsed"]["current"]
    with sqlite3.connect(machine.directory / "db") as database:
        database.execute("UPDATE rehearsal SET fingerprint = 'another'")
    database.close()
    said = machine.imptrace("recommend", "keeper").stdout
    assert "rehearsed: not this advice, but a former one (" in said
    assert "came back" not in said


def without_data(rows: Rows) -> Rows:
    return [row for row in rows if not row["path"].endswith("/share/keeper")]


def as_a_single_file(rows: Rows) -> Rows:
    for row in rows:
        if row["path"].endswith(".config/keeper"):
            row |= {"path": row["path"] + "/settings", "kind": "file"}
    return rows


def as_a_copied_file(rows: Rows) -> Rows:
    for row in as_a_single_file(rows):
        row["method"] = "none" if row["kind"] == "file" else row["method"]
    return rows


def of_another_owner(rows: Rows) -> Rows:
    return [row | {"user": "daemon", "group": "daemon"} for row in rows]


def as_a_cache(rows: Rows) -> Rows:
    return [row | {"level": "transient"} for row in rows]


@pytest.mark.parametrize(
    ("broken", "verdict", "troubles"),
    [
        (without_data, "lost", {"lost"}),
        (as_a_single_file, "lost", {"replaced"}),
        (as_a_copied_file, "came-back", set()),
        (of_another_owner, "misfit", {"owner"}),
        (as_a_cache, "misfit", {"level"}),
    ],
)
def test_broken_advice_is_found(
    machine: Machine,
    tmp_path: Path,
    broken: Callable[[Rows], Rows],
    verdict: str,
    troubles: set[str],
) -> None:
    told = json.loads(machine.advice)
    told["recommendations"] = broken(told["recommendations"])
    (tmp_path / "advice").write_text(json.dumps(told))
    done = machine.imptrace("rehearse", "keeper", "--advice", tmp_path / "advice", "--json")
    answer = json.loads(done.stdout)
    assert answer["schema"] == "imptrace.rehearsal/1"
    assert (answer["verdict"], {each["trouble"] for each in answer["findings"]}) == (
        verdict,
        troubles,
    )
    assert done.returncode == (1 if troubles else 0)


def test_first_and_again(machine: Machine) -> None:
    """What one command makes another one has to find; a path that nothing keeps is not there."""
    place = ".local/share/keeper/note"
    done = machine.imptrace(
        "rehearse", "keeper", "--first", f"mkdir -p ~/{place}s; echo a >~/{place}s/1",
        "--again", f"cat ~/{place}s/1",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    done = machine.imptrace(
        "rehearse", "keeper", "--first", "echo a >~/elsewhere", "--again", "cat ~/elsewhere"
    )
    assert done.returncode == 1
    assert "elsewhere" in done.stdout
    assert "exits with 1, without a wipe with 0" in done.stdout
    assert not (machine.home / "elsewhere").exists()


def test_a_bound_file_that_is_replaced(machine: Machine, tmp_path: Path) -> None:
    """The first start writes it through its link; the second finds a mount, and cannot rename."""
    told = json.loads(machine.advice)
    told["recommendations"] = as_a_single_file(told["recommendations"])
    (tmp_path / "advice").write_text(json.dumps(told))
    done = machine.imptrace(
        "rehearse", "keeper", "--advice", tmp_path / "advice", "--json",
        "--first", "mkdir -p ~/.config/keeper; echo a >~/.config/keeper/settings",
        "--again", "cd ~/.config/keeper; cp settings new; mv -f new settings; true",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    found = {each["path"]: each["words"] for each in json.loads(done.stdout)["findings"]}
    settings = f"{machine.home}/.config/keeper/settings"
    assert list(found) == [settings]
    assert "replaces it (rename): a mount refuses that with EBUSY" in found[settings]


def test_what_a_configuration_keeps(machine: Machine, tmp_path: Path) -> None:
    """As `nix eval --json` prints it, whole paths and those of a user."""
    config = tmp_path / "persistence.json"
    lists = {"home": str(machine.home), "directories": [".config/keeper"]}
    data = {"dirPath": f"{machine.home}/.local/share/keeper", "user": "root", "mode": "0755"}
    config.write_text(
        json.dumps({"/persist": {"users": {"me": lists}}, "/safe": {"directories": [data]}})
    )
    done = machine.imptrace("rehearse", "keeper", "--config", config)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("keeper: came back (2 files read as they were left)")
    config.write_text(json.dumps({"/persist": {"users": {"me": lists}}}))
    done = machine.imptrace("rehearse", "keeper", "--config", config)
    assert done.returncode == 1
    assert "LOST" in done.stdout
    assert "share/keeper/data.db" in done.stdout


@needs_root
def test_as_another_user(machine: Machine) -> None:
    """Its directory was made for it, as tmpfiles does: it is there without a wipe too."""
    with TemporaryDirectory(prefix="imptrace-keeper", dir="/var/lib") as given:
        shutil.chown(given, "nobody")
        script = f'test "$(id -un)" = nobody; echo $? >&2; cat {given}/a; echo x >>{given}/a'
        for _ in range(2):
            machine.imptrace(
                "run", "-q", "--label", "given", "--user", "nobody", "sh", "-c", script
            )
        before = Path(given, "a").read_text()
        done = machine.imptrace("rehearse", "given", "--user", "nobody")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert done.stdout.startswith("given: came back (1 file read as they were left)")
        done = machine.imptrace("rehearse", "given", "--user", "daemon")
        assert done.returncode == 3
        assert "nothing is proven: every start fails, also without a wipe: " in done.stdout
        assert "Permission denied" in done.stdout
        assert Path(given, "a").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["keeper", "--first", "a", "--", "b"], "not both"),
        (["keeper", "--advice", "/nowhere"], "cannot be read"),
        (["nosuchprogram"], "nosuchprogram"),
        (["keeper", "--user", "nosuchuser"], "no user 'nosuchuser'"),
        (["keeper", "--config", "/nowhere"], "cannot be read"),
        (["keeper", "--config", "/nowhere", "--advice", "/nowhere"], "exclude each other"),
    ],
)
def test_bad_input(machine: Machine, arguments: list[str], words: str) -> None:
    done = machine.imptrace("rehearse", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr


NAMED_ANEW = """#!/bin/sh
cat ~/backup/* 2>/dev/null
mkdir -p ~/backup
date +%s%N >~/backup/$(date +%s%N).manifest
"""


def test_what_has_another_name_at_every_start(tmp_path: Path) -> None:
    """Nothing is looked for in vain, and yet all is gone."""
    made = Machine(tmp_path)
    saver = tmp_path / "saver"
    saver.write_text(NAMED_ANEW)
    saver.chmod(0o755)
    rows = [{"path": f"{made.home}/other", "kind": "directory", "level": "normal"}]
    for path in ("other", "backup/none"):
        rows[0]["path"] = f"{made.home}/{path}"
        rows[0]["kind"] = "file" if path == "backup/none" else "directory"
        (tmp_path / "advice").write_text(json.dumps({"recommendations": rows}))
        done = made.imptrace(
            "rehearse", "keeper", "--advice", tmp_path / "advice", "--json", "--", saver
        )
        if "no private copy" in done.stderr:
            pytest.skip(done.stderr)
        lost = [each["path"] for each in json.loads(done.stdout)["findings"]]
        assert lost == [f"{made.home}/backup"]


PROFILES = """
import os, pathlib, secrets
data = pathlib.Path(os.environ["HOME"]) / ".config/keeper"
data.mkdir(parents=True, exist_ok=True)
listed = data / "profiles"
if not listed.exists():
    listed.write_text(secrets.token_hex(8))
profile = data / listed.read_text()
profile.mkdir(exist_ok=True)
for name in ("settings", "places", "windows", "pages", "fonts", "password"):
    file = profile / name
    file.write_text(file.read_text() + "x" if file.exists() else "x")
"""


def test_a_profile_with_a_name_of_chance_is_as_its_advice_says(tmp_path: Path) -> None:
    """Each fresh start makes another one; the secrets in it are called alike."""
    machine = Machine(tmp_path, PROFILES)
    done = machine.imptrace("rehearse", "keeper", "--json")
    if "no private copy" in done.stderr:
        pytest.skip(done.stderr)
    told = json.loads(done.stdout)
    assert (told["verdict"], told["findings"]) == ("came-back", []), done.stdout
