"""`imptrace watch --install` and `--keep`: the recorder as a service."""

import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from recorded_programs import IMPTRACE
from recordings import ENDED_NS, START, read, record

from imptrace.db import queries
from imptrace.db.engine import driver_of, open_database
from imptrace.db.writer import RunWriter
from imptrace.errors import UsageError
from imptrace.record import always
from imptrace.tracer.events import RunScope

DAY = 86400


def printed(*words: str) -> str:
    """Ask for the unit, which needs no privilege and records nothing."""
    command = [str(IMPTRACE), "watch", "--install", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_unit_runs_what_was_asked_for() -> None:
    """Each option beside it, quoted for systemd; a day and a month where nothing is said."""
    always = "--at-most 500M --socket /run/imptrace/imptrace.sock"
    start = next(line for line in printed("--path", "/a b%").splitlines() if "ExecStart=" in line)
    assert start.endswith(f'watch --quiet --every 1d --keep 30d {always} --path "/a b%%"')
    words = printed("--keep", "7d", "--every", "12h", "--all-mounts", "--unit", "x.service")
    assert f"--every 12h --keep 7d {always} --unit x.service --all-mounts\n" in words


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    """Without a word of complaint about it; the machine's other units may have their faults."""
    file = tmp_path / "imptrace.service"
    file.write_text(printed())
    command = ["systemd-analyze", "verify", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if file.name in line]
    assert (done.returncode, done.stdout, complaints) == (0, "", [])


def test_a_wrong_age_is_refused() -> None:
    """Before anything else is done."""
    command = [str(IMPTRACE), "watch", "--keep", "month"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "imptrace: 'month' is no duration: write 30s, 5m, 1h or 2d\n"


def test_only_old_runs_of_the_machine_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By when they ended; what else was recorded stays, and what is being recorded."""
    database = tmp_path / "runs.db"
    of_machine = replace(START, scope=RunScope.MACHINE)
    record(database, [read(b"/etc/a")], start=of_machine)
    record(database, [read(b"/etc/b")])
    engine = open_database(str(database), create=False, read_only=False)
    now = RunWriter(driver_of(engine), of_machine)
    now.commit()
    for days, left in [(29, [1, 2, 3]), (31, [2, 3])]:
        monkeypatch.setattr(time, "time_ns", lambda days=days: ENDED_NS + days * DAY * 10**9)
        always.forget(str(database), 30 * DAY)
        assert [run.id for run in queries.runs(engine)] == left
    now.close()
    engine.dispose()


def test_the_oldest_runs_make_room(tmp_path: Path) -> None:
    """As many as are too much, and no others; then the file gives the room back."""
    database = tmp_path / "runs.db"
    of_machine = replace(START, scope=RunScope.MACHINE)
    for run in range(4):
        names = [b"/d%d/%s%d" % (run, b"x" * 200, number) for number in range(2000)]
        record(database, [read(name) for name in names], start=of_machine)
    record(database, [read(b"/etc/b")])
    large = database.stat().st_size
    assert always.bound(str(database), large // 2)
    engine = open_database(str(database), create=False, read_only=False)
    assert [run.id for run in queries.runs(engine)] in ([3, 4, 5], [4, 5])
    assert database.stat().st_size <= large // 2
    assert not always.bound(str(database), 1000)
    assert [run.id for run in queries.runs(engine)] == [5]
    engine.dispose()


@pytest.mark.parametrize("text", ["", "0M", "12", "3T", "-1M"])
def test_a_wrong_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        always.read_size(text)


def test_nothing_recorded_yet(tmp_path: Path) -> None:
    """The first start of the service has nothing to forget."""
    always.forget(str(tmp_path / "runs.db"), DAY)
