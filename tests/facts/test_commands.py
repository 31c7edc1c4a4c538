"""Other programs are run in one place: what they answer, and that they may not be there."""

import ast
from pathlib import Path

import pytest

from imptrace.facts.commands import CommandError, answer_if_any, answer_of, run
from imptrace.facts.nix_command import NixError, ask_nix

ROOT = Path(__file__).parents[2]

ALONE = {
    "imptrace/facts/commands.py": "the place",
    "imptrace/facts/systemctl.py": "a place of its own",
    "imptrace/contribute/git.py": "a place of its own: with the rights of whose repository it is",
    "imptrace/cli/output.py": "the pager, which talks to the user",
    "imptrace/record/doctor.py": "a process to look at while it runs",
    "imptrace/kept/rehearse/unit/machine.py": "within a machine of its own, where all is another",
}


def shell(line: str) -> tuple[str, str, str]:
    """Write a program that is a line of shell."""
    return "/bin/sh", "-c", line


def test_an_answer() -> None:
    assert answer_of(*shell("printf %s \"$0$1\"; printf '\\377'")) == b"/bin/sh\xff"
    assert run("/bin/cat", given=b"in").stdout == b"in"
    assert run(*shell("exit 3")).returncode == 3
    assert run(*shell("cat"), seconds=5).stdout == b""


def test_a_refusal_is_told_in_its_own_words() -> None:
    with pytest.raises(CommandError, match=r"^no such thing$"):
        answer_of(
            *shell("echo; echo  no such thing; echo more; exit 1".replace("echo", "echo >&2"))
        )
    with pytest.raises(CommandError, match=r"^exit status 7$"):
        answer_of(*shell("exit 7"))
    assert answer_if_any(*shell("echo half an answer; exit 1")) == b""


def test_a_program_that_is_not_there_or_does_not_end() -> None:
    with pytest.raises(CommandError, match=r"^/no/such cannot be run: No such file or directory$"):
        run("/no/such")
    with pytest.raises(CommandError, match=r"^/bin/sleep did not end within 0\.1 s$"):
        run("/bin/sleep", "60", seconds=0.1)
    assert answer_if_any(b"/no/such") == b""


def test_nix_says_what_is_wrong_last() -> None:
    said = "warning: old; error: outer; error:;   … while this; error: inner; at here"
    lines = "; ".join(f"echo '{line.strip()}' >&2" for line in said.split(";"))
    with pytest.raises(NixError, match=r"^inner$"):
        ask_nix(*shell(f"{lines}; exit 1"))
    with pytest.raises(NixError, match=r"^no reason given$"):
        ask_nix(*shell("exit 1"))
    shown = ask_nix(*shell("echo $NIX_CONFIG"), defaults={"NIX_CONFIG": "mine"})
    assert shown == b"mine\n"


def test_nobody_else_runs_programs() -> None:
    """Who imports subprocess, and why each of them has to."""
    found = set()
    for path in (ROOT / "imptrace").glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import) and any(
                each.name == "subprocess" for each in node.names
            ):
                found.add(str(path.relative_to(ROOT)))
    assert found == set(ALONE)
