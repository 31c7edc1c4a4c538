"""`imptrace export --for`: real backup programs read the lists, and give back what is kept."""

import os
import shutil
import subprocess
from pathlib import Path

import forked
import pytest

from imptrace.facts.levels import Kind, Level
from imptrace.judge.model import Recommendation, Scope
from imptrace.kept.backup import BackupProgram, backup, restic_excludes

SERVICES = ("one", "two", "three", "four", "five", "six", "seven")
DYNAMIC = ("eight", "nine", "ten")


def kept(path: Path, level: Level, kind: Kind = Kind.DIRECTORY) -> Recommendation:
    return Recommendation(
        path=os.fsencode(path),
        kind=kind,
        scope=Scope.OWNED,
        level=level,
        user=None,
        group=None,
        mode=None,
        confidence=1,
        observed=True,
        covers=1,
        reasons=(),
    )


@pytest.fixture
def services(tmp_path: Path) -> list[Recommendation]:
    """Make the state of ten services, three of them with DynamicUser, each with a cache in it."""
    found = []
    # A variable that restic would replace, a blank that it would strip, a pattern.
    caches = ("cache", "cache$HOME", "cache ", "cache[1]*")
    for name in (*SERVICES, *(f"private/{name}" for name in DYNAMIC)):
        top = tmp_path / "machine" / "lib" / name
        found.append(kept(top, Level.IMPORTANT))
        for cache in caches:
            (top / cache).mkdir(parents=True)
            (top / cache / "big").write_text("again")
            found.append(kept(top / cache, Level.TRANSIENT))
        (top / "state [1]").write_text(name)
        (top / "cache1x").write_text("no cache")
    key = tmp_path / "machine" / "key*?"
    key.write_text("k")
    (tmp_path / "machine" / "keyring").write_text("no")
    (tmp_path / "machine" / "other").write_text("no")
    return [*found, kept(key, Level.SECRET, Kind.FILE)]


def check(restored: Path, machine: Path) -> None:
    """Compare what came back."""
    for name in (*SERVICES, *(f"private/{name}" for name in DYNAMIC)):
        top = Path(f"{restored}{machine}/lib/{name}")
        assert (top / "state [1]").read_text() == name
        assert list(top.glob("cache*/*")) == []
        assert (top / "cache1x").exists()
    there = Path(f"{restored}{machine}")
    assert {each.name for each in there.iterdir()} == {"lib", "key*?"}


def written(services: list[Recommendation], program: BackupProgram, directory: Path) -> Path:
    file = directory / "list"
    dumps = {each.path: ("dump-it '*' ${x} | tee",) for each in services}
    lines = backup(services, program, "all", dumps)
    assert sum(b"# dump: dump-it '*' ${x} | tee" in line for line in lines) == len(DYNAMIC) + 8
    file.write_bytes(b"\n".join(lines) + b"\n")
    return file


@pytest.mark.skipif(shutil.which("restic") is None, reason="restic is not installed")
def test_restic(services: list[Recommendation], tmp_path: Path) -> None:
    listed = written(services, BackupProgram.RESTIC, tmp_path)
    excludes = tmp_path / "list.exclude"
    excludes.write_bytes(b"\n".join(restic_excludes(services)))
    environment = os.environ | {
        "RESTIC_PASSWORD": "x",
        "RESTIC_REPOSITORY": str(tmp_path / "repository"),
        "RESTIC_CACHE_DIR": str(tmp_path / "restic-cache"),
    }
    for words in (
        ["init"],
        ["backup", "--files-from", str(listed), "--exclude-file", str(excludes)],
        ["restore", "latest", "--target", str(tmp_path / "back")],
    ):
        subprocess.run(["restic", "-q", *words], env=environment, check=True, timeout=60)
    check(tmp_path / "back", tmp_path / "machine")


@pytest.mark.skipif(shutil.which("borg") is None, reason="borg is not installed")
def test_borg(services: list[Recommendation], tmp_path: Path) -> None:
    listed = written(services, BackupProgram.BORG, tmp_path)
    back = tmp_path / "back"
    back.mkdir()
    environment = os.environ | {
        "BORG_BASE_DIR": str(tmp_path / "borg"),
        "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
    }
    repository = str(tmp_path / "repository")
    for words in (
        ["init", "-e", "none", repository],
        ["create", "--patterns-from", str(listed), f"{repository}::a"],
        ["extract", f"{repository}::a"],
    ):
        subprocess.run(["borg", *words], env=environment, cwd=back, check=True, timeout=60)
    check(back, tmp_path / "machine")


@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
def test_rsync(services: list[Recommendation], tmp_path: Path) -> None:
    listed = written(services, BackupProgram.RSYNC, tmp_path)
    command = ["rsync", "-aH", "--filter", f"merge {listed}", "/", f"{tmp_path}/back/"]
    subprocess.run(command, check=True, timeout=60)
    check(tmp_path / "back", tmp_path / "machine")


def test_clan_gets_a_module(services: list[Recommendation], tmp_path: Path) -> None:
    listed = written(services, BackupProgram.CLAN, tmp_path)
    assert 'clan.core.state."all".folders = [' in listed.read_text()
    if shutil.which("nix-instantiate"):
        command = ["nix-instantiate", "--eval", "--strict", "--json", str(listed)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert said.count("/lib/") == 10


def test_a_service_of_the_catalogue(tmp_path: Path) -> None:
    command = ["export", "--for", "borg", "networkmanager", "--db", tmp_path / "db"]
    said = forked.run_text(*command).stdout
    assert "# secret\nR /etc/NetworkManager/system-connections\n" in said


@pytest.mark.parametrize("program", [*BackupProgram])
def test_a_database_has_the_command_that_dumps_it(program: BackupProgram, tmp_path: Path) -> None:
    command = ["export", "--for", program, "postgresql", "--db", tmp_path / "db"]
    lines = forked.run_text(*command).stdout.split("\n")
    at = [line.strip() for line in lines].index("# dump: runuser -u postgres -- pg_dumpall")
    assert "/var/lib/postgresql" in lines[at + 1]


def test_both_lists_of_restic_are_written_or_none(tmp_path: Path) -> None:
    command = ["export", "--for", "restic", "networkmanager", "--db", tmp_path / "db"]
    list_, excludes = tmp_path / "kept", tmp_path / "kept.exclude"
    excludes.write_text("mine")
    done = forked.run_text(*command, "-o", list_)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert (list_.exists(), excludes.read_text()) == (False, "mine")
    excludes.unlink()
    assert forked.run_text(*command, "-o", list_).returncode == 0
    assert "/etc/NetworkManager/system-connections" in list_.read_text()
    assert "--exclude-file THIS_FILE.exclude" in list_.read_text()
    assert excludes.read_text().startswith("# restic backup")
