"""A machine that was watched is asked by unit, program and user, as if each had been recorded."""

import subprocess
import sys
from pathlib import Path

import forked
import pytest
from recorded_programs import NOBODY, Recorder
from test_watch import pytestmark as needs_bpf
from test_watch import watching

from imptrace.db import queries
from imptrace.db.engine import reading
from imptrace.db.models import PathTable
from imptrace.db.records import Part

pytestmark = needs_bpf


def asked(database: Path, *words: str) -> forked.Done:
    return forked.run_text(*words, "--db", database)


def keeper(directory: Path) -> Path:
    """Write a program of one's own: a script that keeps state, with the help of others."""
    script = directory / "keeper"
    script.write_text(
        f"#!{sys.executable}\n"
        "import os, subprocess, sqlite3, sys\n"
        "home = sys.argv[1]\n"
        "os.makedirs(home + '/.keeper/cache', exist_ok=True)\n"
        "open(home + '/.keeper/settings.new', 'w').write('a')\n"
        "os.rename(home + '/.keeper/settings.new', home + '/.keeper/settings')\n"
        "sqlite3.connect(home + '/.keeper/state.db').executescript('create table t(a)')\n"
        "subprocess.run(['touch', home + '/.keeper/touched'], check=True)\n"
    )
    script.chmod(0o755)
    return script


def test_a_part_is_as_a_run_of_the_program(
    tmp_path: Path, open_work: Path, record: Recorder
) -> None:
    """Two users and other programs at once; what a helper did belongs to who started it."""
    script, homes = keeper(open_work), []
    for name in ("alone", "ours", "his"):
        home = open_work / name
        home.mkdir(mode=0o777)
        home.chmod(0o777)
        homes.append(home)
    alone, ours, his = homes
    assert record(str(script), str(alone), options=["--recorder", "notify"]).returncode == 0
    watched = tmp_path / "watched.db"
    with watching(watched, "--path", str(open_work)) as end:
        secret = [str(script), str(ours), "--password=verysecret"]
        subprocess.run(secret, check=True)
        subprocess.run([str(script), str(his)], check=True, user=NOBODY.pw_uid)
        subprocess.run(["touch", str(open_work / "other")], check=True)
        end()

    def changed(database: Path, home: Path, part: Part) -> dict[bytes, object]:
        with reading(str(database)) as engine:
            found = queries.run_part(engine, 1, part)
        top = bytes(home) + b"/"
        return {
            path.path.removeprefix(top): path.effect
            for path in found.paths
            if path.path.startswith(top) and path.effect is not None
        }

    expected = changed(record.database, alone, Part())
    assert b".keeper/touched" in expected
    root, nobody = Part(program=b"keeper", uid=0), Part(program=b"keeper", uid=NOBODY.pw_uid)
    assert changed(watched, ours, root) == expected
    assert changed(watched, his, nobody) == expected
    assert changed(watched, his, root) == {}
    assert b"other" not in changed(watched, open_work, Part(program=b"keeper"))
    for file in watched.parent.glob("watched.db*"):
        assert b"verysecret" not in file.read_bytes()

    table = asked(watched, "runs", "--parts", "latest").stdout
    assert {"keeper", "touch"} <= {line.split()[0] for line in table.splitlines()}
    advice = asked(watched, "recommend", "keeper", "--set-aside")
    assert (advice.returncode, ".keeper" in advice.stdout) == (0, True)
    assert ".keeper" in asked(watched, "show", "keeper", "--user", "nobody").stdout
    assert str(ours) not in asked(watched, "show", "keeper", "--user", "nobody").stdout
    assert str(ours) in asked(watched, "files", "keeper").stdout
    assert str(ours) not in asked(watched, "files", "keeper", "--user", "nobody").stdout
    page = asked(watched, "report", "keeper")
    assert (page.returncode, page.stdout.startswith("<!")) == (0, True)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("show", "latest", "--program", "tuch"), "did you mean 'touch'? "),
        (("show", "latest", "--unit", "nothing"), "has nothing of a unit 'nothing'"),
        (("show", "latest", "--user", "4242"), "has nothing of a user with the uid 4242"),
        (("show", "latest", "--user", "no-such-user"), "there is no user 'no-such-user'"),
        (("recommend", "tuch"), "did you mean 'touch'? "),
        (("recommend", "latest"), "run 1 is of the whole machine: name a program"),
        (("recommend",), "run 1 is of the whole machine: name a program"),
        (("recommend", "--unit", "nothing"), "has nothing of a unit 'nothing'"),
    ],
)
def test_what_is_not_there_is_said(words: tuple[str, ...], hint: str, touched: Path) -> None:
    found = asked(touched, *words)
    assert (found.returncode, found.stderr.count("\n")) == (2, 1), found.stderr
    assert hint in found.stderr


@pytest.fixture(scope="module")
def touched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Watch a program."""
    place = tmp_path_factory.mktemp("touched")
    with watching(place / "runs.db", "--path", str(place)) as end:
        subprocess.run(["touch", str(place / "file")], check=True)
        end()
    return place / "runs.db"


def test_temporary_names_do_not_pile_up(tmp_path: Path) -> None:
    """Thousands come and go; what a rename put in place stays known for what it is."""
    work = tmp_path / "work"
    work.mkdir()
    saves = (
        "import os\n"
        "for number in range(3000):\n"
        "    open(f'tmp.{number}', 'w').close(); os.rename(f'tmp.{number}', 'saved')\n"
    )
    with watching(tmp_path / "runs.db", "--path", str(work)) as end:
        subprocess.run([sys.executable, "-c", saves], check=True, cwd=work)
        details = end()
    names = {path.path for path in details.paths}
    assert len(names) < 30
    saved = next(path for path in details.paths if path.path == bytes(work / "saved"))
    assert any(access.origin is not None for access in saved.accesses)
    with reading(str(tmp_path / "runs.db")) as engine, engine.connect() as connection:
        assert len(connection.execute(PathTable.__table__.select()).all()) < 30
