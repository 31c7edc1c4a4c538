"""systemctl is asked in one place: what it answers, refuses, and that it may not be there."""

from pathlib import Path

import pytest

from imptrace.facts.systemctl import (
    ManagerError,
    answer_if_any,
    answer_of,
    properties_in,
    systemctl,
)
from imptrace.kept.move import units

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a systemctl into PATH that answers with what it was asked, and refuses to stop."""
    program = tmp_path / "systemctl"
    program.write_text(
        "#!/bin/sh\n"
        'case "$*" in *stop*) echo "no such unit" >&2; echo more >&2; exit 5;; esac\n'
        'printf "Asked=%s\\nLocale=%s\\n\\377\\n" "$*" "$LC_ALL"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")


@pytest.mark.usefixtures("installed")
def test_it_is_asked_of_either_manager_in_plain_words() -> None:
    found = properties_in(answer_of("show", "--", "a.service"))
    assert found == {"Asked": "--system --no-pager show -- a.service", "Locale": "C.UTF-8"}
    assert properties_in(answer_of("show", user=True))["Asked"].startswith("--user ")


@pytest.mark.usefixtures("installed")
def test_a_refusal_is_told_in_its_own_words() -> None:
    with pytest.raises(ManagerError, match=r"`systemctl stop -- a`: no such unit$"):
        answer_of("stop", "--", "a")
    assert answer_if_any("stop", "--", "a") == ""
    assert systemctl("stop").returncode == 5
    assert units.stop("a") == "`systemctl stop -- a`: no such unit"
    assert units.start("a") is None


def test_a_machine_without_systemd_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ManagerError, match="is this a systemd machine"):
        answer_of("show")
    assert answer_if_any("show") == ""
    assert units.running(["a.service"]) == []
    assert "systemd machine" in (units.stop("a.service") or "")


def test_nobody_else_runs_it() -> None:
    """But in a machine of its own, which a rehearsal makes, by the path that it found outside."""
    runs = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "imptrace").glob("**/*.py")
        if '["systemctl"' in path.read_text() or '"systemctl", "' in path.read_text()
    }
    assert runs == {"imptrace/facts/systemctl.py"}
