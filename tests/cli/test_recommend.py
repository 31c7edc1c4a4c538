"""`imptrace recommend`, as a user calls it, on a small program that is recorded for real."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import forked
import pytest

KEEPER = """
import os, pathlib
home = pathlib.Path(os.environ["HOME"])
config = home / ".config/keeper"
config.mkdir(parents=True, exist_ok=True)
settings = config / "settings"
old = settings.read_text() if settings.exists() else ""
(config / "settings.new").write_text(old + "x")
os.rename(config / "settings.new", settings)
(config / "token").write_text("t")
cache = home / ".cache/keeper"
cache.mkdir(parents=True, exist_ok=True)
(cache / "index").write_text("i")
"""


class Machine:
    """A home, a database, and a program that keeps things."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.home.mkdir()
        self.database = directory / "imptrace.db"
        self.program = directory / "keeper"
        self.program.write_text(f"#!{sys.executable}\n{KEEPER}")
        self.program.chmod(0o755)

    def imptrace(self, *arguments: str | Path) -> forked.Done:
        """Run imptrace."""
        environment = os.environ | {"HOME": str(self.home), "IMPTRACE_DB": str(self.database)}
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            environment.pop(name, None)
        return forked.run_text(*arguments, env=environment)

    def answer(self, *arguments: str) -> dict[str, Any]:
        """Ask for advice in JSON."""
        result = self.imptrace("recommend", "--format", "json", *arguments)
        assert result.returncode == 0, result.stderr
        found: dict[str, Any] = json.loads(result.stdout)
        return found


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Set up a machine on which the program ran twice."""
    made = Machine(tmp_path_factory.mktemp("machine"))
    for _ in range(2):
        result = made.imptrace("run", "--quiet", made.program)
        assert result.returncode == 0, result.stderr
    return made


def test_json(machine: Machine) -> None:
    """Both runs together: directories, their levels, and what was set aside."""
    answer = machine.answer("keeper")
    assert answer["schema"] == "imptrace.recommendation/1"
    assert answer["runs"] == [1, 2]
    home = str(machine.home)
    found = {each["path"].removeprefix(home): each for each in answer["recommendations"]}
    assert {path: each["level"] for path, each in found.items()} == {
        "/.cache/keeper": "transient",
        "/.config/keeper": "normal",
        "/.config/keeper/token": "secret",
    }
    assert {each["scope"] for each in found.values()} == {"owned"}
    codes = {reason["code"] for reason in found["/.config/keeper"]["reasons"]}
    assert {"named", "read-back", "replaced-by-rename"} <= codes
    moved = [each for each in answer["set_aside"] if each["path"].endswith("settings.new")]
    assert [each["why"] for each in moved] == ["temporary"]


def test_table(machine: Machine) -> None:
    """A path, what it is, how much it matters, whose, how sure, and why."""
    lines = machine.imptrace("recommend", "keeper").stdout.splitlines()
    assert lines[0] == "keeper, from 2 runs"
    assert lines[2].split() == ["KEEP", "LEVEL", "OWNER", "SURE", "WHY"]
    row = next(line for line in lines if "/.config/keeper/ " in line)
    assert "keeper is named for keeper" in row


def test_set_aside(machine: Machine) -> None:
    """Changed paths one by one, what was only read as a number."""
    text = machine.imptrace("recommend", "keeper", "--set-aside").stdout
    assert "settings.new" in text
    assert "read or looked for, never changed" in text


def test_explain_shows_the_calls_that_prove_it(machine: Machine) -> None:
    """The rename is there, with both names."""
    settings = str(machine.home / ".config/keeper/settings")
    text = machine.imptrace("recommend", "keeper", "--explain", settings).stdout
    assert f"{settings} is put in place by renaming {settings}.new" in text
    assert f"from {settings}.new" in text
    assert "read before it was written" in text


def test_level_and_confidence_filter(machine: Machine) -> None:
    """What holds something of the level is kept whole: a part alone would be lost."""
    secret = machine.answer("keeper", "--level", "secret")["recommendations"]
    home = str(machine.home)
    assert {each["path"].removeprefix(home): each["level"] for each in secret} == {
        "/.config/keeper": "normal",
        "/.config/keeper/token": "secret",
    }
    assert machine.answer("keeper", "--min-confidence", "1")["recommendations"] == []


def test_plan_copies_nothing(machine: Machine, tmp_path: Path) -> None:
    """It prints a script that does; running that script copies, with modes."""
    store = tmp_path / "store"
    result = machine.imptrace("recommend", "keeper", "--format", "plan", "--storage", store)
    assert not store.exists()
    subprocess.run(["bash", "-c", result.stdout], check=True, timeout=60)
    kept = machine.home / ".config/keeper/settings"
    copy = Path(f"{store}{kept}")
    assert copy.read_text() == kept.read_text()
    assert copy.stat().st_mtime_ns == kept.stat().st_mtime_ns


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["keepr"], "no run is called 'keepr'; did you mean 'keeper'?"),
        (["99"], "no run is called '99'"),
        (["--service", "networkmanger"], "did you mean"),
        (["--service", "tor", "keeper"], "not both"),
        (["--format", "nix", "--storage", "store"], "--storage must be an absolute path"),
        (["--format", "nix", "--storage", "/"], "--storage must name the store itself"),
        (["--format", "plan", "--storage", "/a/../b"], "--storage must name the store itself"),
        (["--target", "options"], "--target is for --format nix"),
        (["--storage", "/x"], "--storage is for --format nix"),
        (["--format", "json", "--set-aside"], "--set-aside is for the table"),
        (["--format", "json", "--explain", "/x"], "leave out --format"),
        (["--explain", "/nowhere/at/all"], "/nowhere/at/all was not seen"),
        (["--format", "nix", "--target", "options", "keeper"], "no option is known"),
        (["--level", "vital"], "--level"),
        (["--min-confidence", "2"], "--min-confidence"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    machine: Machine, arguments: list[str], words: str
) -> None:
    """What is wrong, what to do, the nearest names."""
    result = machine.imptrace("recommend", *arguments)
    assert result.returncode == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    # A program that wants JSON gets the error as JSON too.
    assert (result.stdout == "") is ("json" not in arguments)


def test_a_service_that_was_never_recorded_is_answered_from_the_catalogue(tmp_path: Path) -> None:
    """Marked as declared; without any database."""
    machine = Machine(tmp_path)
    answer = machine.answer("--service", "nm")
    found = {each["path"]: each for each in answer["recommendations"]}
    assert found["/etc/NetworkManager/system-connections"]["level"] == "secret"
    assert not any(each["observed"] for each in found.values())
    assert answer["subject"]["option"] == "networking.networkmanager"
    assert machine.answer("nm") == answer


def test_without_a_database_a_name_that_nobody_knows_is_told_to_be_recorded(
    tmp_path: Path,
) -> None:
    """Also beside one that the catalogue knows: half an answer would look whole."""
    machine = Machine(tmp_path)
    for words in (("nonesuch",), ("nm", "nonesuch"), ("nm", "--no-catalogue"), ()):
        done = machine.imptrace("recommend", *words)
        assert done.returncode == 2
        assert "begin with: imptrace run PROGRAM" in done.stderr


def test_a_service_is_what_its_units_did(tmp_path: Path) -> None:
    """Runs of each unit that the catalogue knows of it, by the name that systemd gives them."""
    machine = Machine(tmp_path)
    for unit in (
        "NetworkManager-dispatcher.service",
        "NetworkManager.service",
        "nm",
        "cron.service",
    ):
        done = machine.imptrace("run", "--service", unit, "--", machine.program)
        assert done.returncode == 0, done.stderr
    assert machine.answer("--service", "networkmanager")["runs"] == [1, 2, 3]
    assert machine.answer("--service", "cron.service")["runs"] == [4]


def test_a_run_that_saw_nothing_is_refused(tmp_path: Path) -> None:
    """From nothing follows nothing; the message says what to do."""
    empty = Machine(tmp_path)
    log = tmp_path / "log"
    log.write_text("100 +++ exited with 0 +++\n")
    imported = empty.imptrace("import", "--program", "keeper", log)
    assert imported.returncode == 0, imported.stderr
    result = empty.imptrace("recommend")
    assert (result.returncode, result.stdout) == (2, "")
    assert "saw no path at all" in result.stderr


def test_a_base_set_is_answered_with_what_belongs_to_it(tmp_path: Path) -> None:
    """Every system needs it, whatever was traced."""
    answer = Machine(tmp_path).answer("--service", "base")
    paths = {each["path"] for each in answer["recommendations"]}
    assert {"/etc/machine-id", "/var/lib/nixos", "/var/lib/systemd"} <= paths


def test_nothing_recorded_at_all(tmp_path: Path) -> None:
    """The message says how to begin."""
    result = Machine(tmp_path).imptrace("recommend")
    assert result.returncode == 2
    assert "imptrace run" in result.stderr


def test_the_private_parent_of_a_dynamic_users_cache_is_closed(tmp_path: Path) -> None:
    """Not that of state alone: systemd refuses a cache whose parent others can read."""
    command = ["recommend", "--service", "searx", "--format", "nix", "--target", "impermanence"]
    answer = forked.run_text(*command, "--db", tmp_path / "imptrace.db").stdout
    assert '"/persistent/var/cache/private".d.mode = "0700";' in answer
    assert "/var/lib/private" not in answer


def test_an_interrupted_plan_is_completed(machine: Machine, tmp_path: Path) -> None:
    """What stands under a temporary name is no copy."""
    store = tmp_path / "store"
    script = machine.imptrace("recommend", "keeper", "--format", "plan", "--storage", store).stdout
    kept = machine.home / ".config/keeper"
    half = Path(f"{store}{kept.parent}/.keeper.imptrace-part")
    half.mkdir(parents=True)
    (half / "settings").write_text("ha")
    subprocess.run(["bash", "-c", script], check=True, timeout=60)
    copy = Path(f"{store}{kept}")
    assert (copy / "settings").read_text() == (kept / "settings").read_text()
    assert not half.exists()


def test_a_plan_stops_only_what_runs_and_starts_it_again(tmp_path: Path) -> None:
    """A unit that is not loaded is no error; whatever fails, what was stopped is started."""
    machine = Machine(tmp_path)
    text = machine.imptrace("recommend", "--service", "base", "--format", "plan").stdout
    begin = text.index("stopped=()")
    functions = text[begin : text.index("\nmkdir", begin)]
    log = tmp_path / "log"
    (tmp_path / "systemctl").write_text(
        f'#!/bin/sh\necho "$*" >>{log}\ncase "$*" in *gone*) exit 4;; esac\n'
    )
    (tmp_path / "systemctl").chmod(0o755)
    script = f"set -eu\n{functions}\nstop gone.service\nstop here.service\nfalse\n"
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environment, check=False, timeout=60)
    assert done.returncode == 1
    assert log.read_text().splitlines()[1:] == [
        "is-active --quiet -- here.service",
        "stop -- here.service",
        "start -- here.service",
    ]


def test_what_was_recorded_at_home_stops_no_unit_of_the_system(tmp_path: Path) -> None:
    """Whatever service of the catalogue the program is as well."""
    machine = Machine(tmp_path)
    program = machine.program.rename(machine.program.with_name("syncthing"))
    program.write_text(program.read_text().replace("keeper", "syncthing"))
    assert machine.imptrace("run", "--quiet", program).returncode == 0
    text = machine.imptrace("recommend", "syncthing", "--format", "plan").stdout
    assert "\nstop " not in text
    assert "\nmove " in text
