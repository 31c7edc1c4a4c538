"""The command line as a whole: help, first words, mistakes, Ctrl-C, locales."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from forked import IMPTRACE, run_text

from imptrace.cli.commands import COMMANDS, function_of, subcommands

WORDS = [
    [name, *below]
    for name in COMMANDS
    for below in ([[]] + [[each] for each, _ in subcommands(name)])
]


def installed(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [IMPTRACE, *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_help_speaks_plainly(words: list[str]) -> None:
    """No Python types, no sentence that is cut, an example of the command itself."""
    text = run_text(*words, "--help").stdout
    assert "<" not in text.replace("<x", "")
    assert "..." not in text.replace("...\n", "\n").replace("]...", "").replace("...]", "").replace(
        "... ", " "
    )
    if words != ["service"]:
        flat = " ".join(text.split())
        assert f"imptrace {' '.join(words)}" in flat.partition("Example: ")[2]


def test_help_groups_commands_and_cuts_no_sentence() -> None:
    text = installed().stdout
    assert text == run_text("--help").stdout == run_text("help").stdout
    flat = " ".join(text.split())
    assert [flat.index(each) for each in ("Start here:", "Record:", "Ask:", "Act:")]
    for name, listed in COMMANDS.items():
        assert f"{name} {listed.help}" in flat


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "service"])
def test_the_list_says_what_the_command_says(name: str) -> None:
    assert (function_of(name).__doc__ or "").splitlines()[0] == COMMANDS[name].help


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["recomend"], "No such command 'recomend'; did you mean 'recommend'?"),
        (["recommend", "--min-confidence", "2"], "it must be at most 1"),
        (["attach", "foo"], "it must be a number"),
        (["recommend", "--level", "vital"], "not one of"),
    ],
)
def test_mistakes_are_told_in_our_own_words(words: list[str], message: str) -> None:
    done = run_text(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


# Sends Ctrl-C to itself when the module that the first argument names is about to be imported, or
# after all ("exit"); the moment is thus the same on any machine.
_INTERRUPTED = """
import atexit, os, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == moment:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

moment = sys.argv[1]
sys.argv = ["imptrace", *sys.argv[2:]]
sys.meta_path.insert(0, Interrupt())
if moment == "exit":
    atexit.register(os.kill, os.getpid(), signal.SIGINT)
from imptrace.cli.main import main
main()
"""


def _interrupted(moment: str, *command: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, moment, *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("moment", "command"),
    [
        ("imptrace.cli", ["services"]),
        ("imptrace.tracer.descriptors", ["recommend"]),
        ("typer", ["services"]),
        ("imptrace.cli.services", ["services"]),
        ("sqlalchemy", ["recommend"]),
        ("imptrace.cli.keep", ["keep", "--help"]),
        ("imptrace.cli.record", ["run", "true"]),
    ],
)
def test_ctrl_c_is_silent_while_anything_of_ours_is_imported(
    moment: str, command: list[str]
) -> None:
    """While Python itself starts, nothing of ours runs, and it says what it likes."""
    assert _interrupted(moment, *command) == (130, "")


def test_ctrl_c_is_silent_after_the_answer() -> None:
    assert _interrupted("exit", "services", "--help") == (0, "")


def test_any_locale_shows_an_answer(tmp_path: Path) -> None:
    database = {"IMPTRACE_DB": str(tmp_path / "x.db")}
    assert installed("run", "-q", "--label", "a", "true", **database).returncode == 0
    for encoding in ("latin-1", "ascii"):
        done = installed("show", "a", PYTHONIOENCODING=encoding, **database)
        assert (done.returncode, done.stderr) == (0, "")
        assert 'Run 1 "a"  true' in done.stdout


@pytest.mark.parametrize("words", [("services",), ("services", "--json"), ("--help",)])
def test_a_full_disk_is_one_line(words: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [IMPTRACE, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    said = "imptrace: the answer cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (125, said)


# What a fifth of a second or more goes into, and what only work needs.
_SLOW = ("sqlalchemy", "alembic", "textual", "jinja2", "tree_sitter", "tomlkit")
# Each help page in a process of its own, which has imported no more than what all of them need.
_PAGES = """
import json, os, sys
from imptrace.cli.app import main
commands, slow = map(json.loads, sys.argv[1:])
for words in commands:
    if not os.fork():
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.argv = ["imptrace", *words, "--help"]
        try:
            main()
        except SystemExit as end:
            told = [words, end.code, sorted(set(slow).intersection(sys.modules))]
            print(json.dumps(told), file=sys.stderr, flush=True)
            os._exit(0)
    os.wait()
"""


def test_no_help_waits_for_what_only_work_needs() -> None:
    """Of every command, those below `service` too."""
    done = subprocess.run(
        [sys.executable, "-c", _PAGES, json.dumps(WORDS), json.dumps(_SLOW)],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert told == [[words, 0, []] for words in WORDS]
