"""Every command that answers takes --json: one object with a schema, also where it fails."""

import json
import os
from pathlib import Path

import pytest
from recordings import DIRECTORY, FILE, HOME, LATER, access, create, process, record

from imptrace.cli.app import main
from imptrace.cli.commands import COMMANDS, loaded, subcommands
from imptrace.tracer.events import ABSENT, Op

DOCS = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
WITHOUT = {"run", "attach", "watch", "report", "service start", "service reset", "service"}
"""Their stdout is the program's, or nobody's, or a page."""
ODD = HOME + b"/.config/demo/\xff\n"

ANSWERS = (
    "runs", "runs --parts 1", "show 1", "show 1 --reads", "files demo", "who ODD", "who /etc",
    "services", "services firefox", "services --check", "doctor", "recommend 1",
    "recommend --all", "recommend --service redis", "leaks /nosuch", "diff --service firefox",
    "move --dry-run demo", "export 1 --dry-run", "export 1 -o FILE", "export demo --for restic",
    "keep demo --config CONFIG --dry-run", "keep demo --config CONFIG", "import LOG", "rm 1",
    "stray STORE --declared DECLARED", "audit INVENTORY",
)  # fmt: skip
ERRORS = (
    "show nosuch", "files nosuch", "services nosuch", "recommend nosuch", "recommend --nosuch",
    "diff --service nosuch", "rm nosuch", "export nosuch --dry-run",
    "keep nosuch --config CONFIG", "import /nosuch", "stray /nosuch", "lost --old-root /nosuch",
    "contribute --service firefox --repo /nosuch", "rehearse nosuch", "audit /nosuch",
    "move --undo /nosuch --store /nosuch", "leaks --root /nosuch", "who --unit x --user nosuch /",
    "runs --parts nosuch",
)  # fmt: skip


@pytest.fixture(name="words")
def _words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Record what has a hostile name, and give what stands for files in the command lines."""
    database = tmp_path / "imptrace.db"
    made = [HOME + b"/.config/demo", ODD]
    record(
        database,
        [process(), access(Op.MKDIR, made[0], before=ABSENT), create(ODD)],
        {made[0]: DIRECTORY, ODD: FILE, b"/etc": LATER},
    )
    monkeypatch.setenv("IMPTRACE_DB", str(database))
    files = {
        "CONFIG": b'{ environment.persistence."/persistent".directories = [ "/var/log" ]; }\n',
        "LOG": b'7 execve("/bin/x", ["x"], 0x7ff /* 1 var */) = 0\n',
        "DECLARED": b'{"%b": {"directories": ["/var/log"]}}' % bytes(tmp_path / "STORE"),
        "INVENTORY": b"[]",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "STORE" / "astray").mkdir(parents=True)
    names = [*files, "STORE", "FILE"]
    return {"ODD": os.fsdecode(ODD)} | {name: str(tmp_path / name) for name in names}


def code_of(words: list[str], monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr("sys.argv", ["imptrace", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.mark.parametrize("line", [*ANSWERS, *ERRORS])
def test_an_answer_is_one_object(
    words: dict[str, str],
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = [words.get(word, word) for word in line.split()]
    code = code_of([*command, "--json"], monkeypatch)
    out, err = capsys.readouterr()
    assert out.isascii()
    found = json.loads(out)
    assert f"`{found['schema']}`" in DOCS or f"{found['schema']}\n" in DOCS
    if line in ERRORS:
        assert (found["schema"], found["exit"]) == ("imptrace.error/1", code)
        assert err == f"imptrace: {found['message']}\n"
    else:
        assert found["schema"] != "imptrace.error/1", found
    if line.startswith(("rm", "export 1 -o")):
        return  # the second time it is not the same
    assert code_of(command, monkeypatch) == code


def test_every_command_has_it() -> None:
    for name, listed in COMMANDS.items():
        command = loaded(name, listed)
        options = {opt for each in command.params for opt in each.opts}
        assert ("--json" in options) is (name not in WITHOUT), name
        for below, _ in subcommands(name):
            options = {opt for each in command.commands[below].params for opt in each.opts}
            assert ("--json" in options) is (f"{name} {below}" not in WITHOUT), below


def test_a_path_that_is_not_text_has_its_bytes_beside_it(
    words: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in ("show 1 --reads", "who ODD", "files demo"):
        code_of([*(words.get(word, word) for word in line.split()), "--json"], monkeypatch)
        assert '"path_b64"' in capsys.readouterr().out
