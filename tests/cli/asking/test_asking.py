"""The commands that ask, as a user sees them: answers, errors, exit codes."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Ask
from recordings import HOME, START, process, read, record

from imptrace.db.location import unwritable
from imptrace.db.names import runs_in_file

pytestmark = pytest.mark.usefixtures("place")

COMMAND = [sys.executable, "-c", "from imptrace.cli.app import main; main()"]


def test_runs(ask: Ask) -> None:
    heading, first, second = ask("runs").out.splitlines()
    assert heading.split() == ["ID", "LABEL", "STARTED", "TOOK", "RESULT", "COMMAND"]
    assert first.split()[:2] == ["1", "first"]
    assert first.endswith(r"2.5 s  exit 0  demo --fast 'it'\''s \x1b[31mred'")
    assert second.split()[:2] == ["2", "-"]


def test_runs_in_json(ask: Ask) -> None:
    answer = json.loads(ask("runs", "--json").out)
    assert answer["schema"] == "imptrace.runs/1"
    shown = json.loads(ask("show", "1", "--json").out)
    assert answer["runs"][0] == shown["run"]
    assert len(answer["runs"]) == 2


def test_files(ask: Ask) -> None:
    out = ask("files", "demo").out
    assert "Changed (6)\n" in out
    assert "  modified  run 1  read write  ~/.demo/state.db\n" in out
    assert "Not shown: 4 paths not changed (--reads shows them)" in out
    assert "read " in ask("files", "demo", "--reads").out
    assert "/etc/passwd" in ask("files", "demo", "--reads").out


def test_files_in_json(ask: Ask) -> None:
    answer = json.loads(ask("files", "helper", "--json").out)
    assert (answer["schema"], answer["program"]) == ("imptrace.files/1", "helper")
    assert answer["uses"] == [
        {
            "path": "/etc/shadow",
            "run": 1,
            "program": "helper",
            "exe": "/usr/bin/helper",
            "ops": {"read": 1},
            "outcome": "denied",
            "effect": None,
        },
        {
            "path": "/home/someone/.demo/state.db",
            "run": 1,
            "program": "helper",
            "exe": "/usr/bin/helper",
            "ops": {"read": 1},
            "outcome": "ok",
            "effect": None,
        },
    ]


def test_who(ask: Ask) -> None:
    out = ask("who", "/home/someone/.demo").out
    assert out.startswith("demo  changed 6 paths, touched 1 without changing, in run 1\n")
    assert "  deleted   run 1  delete  " in out
    assert "\n\nhelper  changed 0 paths, touched 1 without changing, in run 1" in out


def test_who_of_one_file_tells_also_of_readers(ask: Ask) -> None:
    out = ask("who", "/etc/passwd").out
    assert out == (
        "demo  changed 0 paths, touched 1 without changing, in 2 runs\n"
        "  read  2 runs  read  /etc/passwd\n"
    )


def test_who_takes_a_path_as_the_shell_gives_it(
    place: Path, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to("elsewhere")
    record(place, [read(os.fsencode(link))])
    monkeypatch.chdir(tmp_path)
    assert "link" in ask("who", "./link").out
    answer = json.loads(ask("who", "../" + tmp_path.name + "/link", "--json").out)
    assert (answer["schema"], answer["path"]) == ("imptrace.who/1", str(link))
    assert [use["run"] for use in answer["uses"]] == [3]


def test_who_nobody(ask: Ask) -> None:
    code, out, err = ask("who", "/no/such\npath")
    assert (code, out) == (0, "")
    assert err == "imptrace: no recorded program touched /no/such\\x0apath\n"
    assert json.loads(ask("who", "/no/such", "--json").out)["uses"] == []


def test_rm(ask: Ask) -> None:
    assert ask("rm", "first", "1").out == "removed run 1\n"
    assert [run["id"] for run in json.loads(ask("runs", "--json").out)["runs"]] == [2]
    code, out, err = ask("rm", "2", "nonesuch")
    assert (code, out) == (2, "")
    assert "no run is called 'nonesuch'" in err
    assert ask("rm", "latest").out == "removed run 2\n"
    code, out, err = ask("runs")
    assert (code, out) == (0, "")
    assert err == "imptrace: no run is recorded; begin with: imptrace run PROGRAM\n"


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["show", "fisrt"], 2, "no run is called 'fisrt'; did you mean 'first'? imptrace runs"),
        (["show", "\x1b[2J"], 2, "no run is called '\\\\x1b[2J'; imptrace runs lists them"),
        (["files", "dmo"], 2, "no program called 'dmo' was recorded; did you mean 'demo'?"),
        (["show", "--bogus"], 2, "No such option: --bogus"),
        (["nonesuch"], 2, "No such command 'nonesuch'; see: imptrace --help"),
        (["show", "1", "2"], 2, "see: imptrace show --help"),
        (["who"], 2, "Missing argument 'PATH'; see: imptrace who --help"),
        (["runs", "--db", "/nonexistent/x.db"], 2, "nothing is recorded yet: there is no"),
        (["runs", "--db", "/"], 125, "database /: it is a directory; name a file in it"),
        (["runs", "--db", "nosuch://x"], 2, "neither a path nor a database URL"),
        (
            ["runs", "--db", "postgresql://me:secret@localhost:1/x"],
            125,
            "postgresql://me@localhost",
        ),
    ],
)
def test_an_error_is_one_line(ask: Ask, words: list[str], code: int, error: str) -> None:
    answer = ask(*words)
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.startswith("imptrace: ")
    assert answer.err.count("\n") == 1
    assert error in answer.err
    assert "secret" not in answer.err


@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "circle", "link into a directory"])
def test_what_is_no_file_is_not_opened_as_a_database(
    ask: Ask, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens a FIFO waits for somebody who may never come."""
    place = tmp_path / "x.db"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "socket":
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(place.name)
    elif kind == "device":
        place.symlink_to("/dev/null")
    else:
        place.symlink_to(place if kind == "circle" else tmp_path / "none" / "x.db")
    for words in (["runs"], ["who", "/etc/passwd"], ["recommend", "latest"]):
        answer = ask(*words, "--db", str(place))
        assert (answer.code, answer.out, answer.err.count("\n")) == (125, "", 1)
        assert f" a {kind}" in answer.err.lower()
    assert unwritable(place) is not None
    assert runs_in_file(str(place)) == []


def test_the_unexpected_is_one_line_too(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("imptrace.db.queries.runs", fail)
    code, _, err = ask("runs")
    assert code == 125
    assert err == (
        "imptrace: internal error: RuntimeError: two\\x0alines; IMPTRACE_DEBUG=1 shows more\n"
    )
    monkeypatch.setenv("IMPTRACE_DEBUG", "1")
    assert "Traceback (most recent call last)" in ask("runs").err


def test_an_interrupt_ends_quietly(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("imptrace.db.queries.runs", interrupt)
    assert ask("runs") == (130, "", "")


def test_a_reader_that_stops_early_is_no_error(tmp_path: Path) -> None:
    place = tmp_path / "x.db"
    record(place, [process(), *(read(b"/%d" % number) for number in range(20_000))])
    with subprocess.Popen(
        [*COMMAND, "show", "--reads", "--db", place],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as shown:
        assert shown.stdout is not None
        assert shown.stderr is not None
        assert shown.stdout.readline().startswith(b"Run 1")
        shown.stdout.close()
        assert shown.stderr.read() == b""
    assert shown.returncode in (0, 1)


@pytest.mark.parametrize("command", ["runs", "show", "files", "who", "rm"])
def test_every_command_has_help_with_an_example(ask: Ask, command: str) -> None:
    short, long = ask(command, "-h"), ask(command, "--help")
    assert short == long
    assert (short.code, short.err) == (0, "")
    assert f"Example: imptrace {command}" in short.out
    assert "IMPTRACE_DB" in short.out


def test_help_needs_no_database_library() -> None:
    code = (
        "import sys\ntry:\n import imptrace.cli.app as app; sys.argv[1:] = ['--help']; app.main()\n"
        "except SystemExit:\n print(*{'sqlalchemy', 'alembic', 'rich'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""
    assert "runs" in done.stdout


@pytest.mark.parametrize(
    ("words", "completed"),
    [("imptrace show f", ["first"]), ("imptrace rm ", ["latest", "demo2", "demo", "first"])],
)
def test_the_shell_completes_the_names_of_runs(words: str, completed: list[str]) -> None:
    asked = {"COMP_WORDS": words, "COMP_CWORD": "2", "_IMPTRACE_COMPLETE": "complete_bash"}
    done = subprocess.run(
        COMMAND, env=os.environ | asked, capture_output=True, text=True, check=False
    )
    assert (done.stdout.split(), done.stderr) == (completed, "")


def test_no_command_shows_the_help(ask: Ask) -> None:
    assert ask() == ask("--help")
    assert ask("--version").out.startswith("imptrace 0.")


def test_home_is_a_tilde_in_answers_across_runs(ask: Ask) -> None:
    assert HOME.decode() not in ask("files", "demo").out
    assert START.user not in ask("who", "/home/someone").out
