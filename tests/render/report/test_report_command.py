"""`imptrace report`, of runs and of what the next boot takes."""

import subprocess
import sys
from pathlib import Path

from recordings import create, process, record

COMMAND = [sys.executable, "-c", "from imptrace.cli.main import main; main()", "report"]


def run(database: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--db", str(database), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_run_becomes_a_page_once(tmp_path: Path) -> None:
    database = tmp_path / "runs.db"
    record(database, [process(), create(b"/home/someone/.demo/<b>state")])
    page = tmp_path / "page.html"
    done = run(database, "demo", "-o", str(page))
    assert (done.returncode, done.stdout) == (0, "")
    assert "imptrace: demo" in page.read_text()
    assert "<b>state" not in page.read_text()
    again = run(database, "demo", "-o", str(page))
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert run(database, "demo", "-o", str(page), "--force").returncode == 0


def test_leaks_become_a_page_without_any_record(tmp_path: Path) -> None:
    (tmp_path / "wiped/state").mkdir(parents=True)
    (tmp_path / "wiped/state/file").write_text("x")
    done = run(tmp_path / "none.db", "--leaks", "--ephemeral", str(tmp_path / "wiped"))
    assert done.returncode == 0
    assert done.stdout.startswith("<!DOCTYPE html>")


def test_an_error_is_one_line(tmp_path: Path) -> None:
    for arguments in (["x", "--leaks"], ["--ephemeral", "/"], ["nothing"]):
        done = run(tmp_path / "none.db", *arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
