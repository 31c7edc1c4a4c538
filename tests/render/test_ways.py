"""The settings that are named for files that no entry can keep, tried with their programs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from imptrace.facts.ways import way_for

TRIED = [
    (".sqlite_history", "SQLITE_HISTORY", "sqlite3", b"select 1;\n"),
    (".node_repl_history", "NODE_REPL_HISTORY", "node", b"1+1\n.exit\n"),
    (".lesshst", "LESSHISTFILE", "less text", b"/b\rq"),
]


def in_terminal(command: str, home: Path, typed: bytes, **variables: str) -> None:
    """Run a command in a terminal, as a user types into it."""
    subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        input=typed,
        cwd=home,
        env=os.environ | {"HOME": str(home), "TERM": "xterm", **variables},
        stdout=subprocess.DEVNULL,
        timeout=20,
        check=False,
    )


def need(program: str) -> None:
    if not shutil.which("script") or not shutil.which(program):
        pytest.skip(f"needs script and {program}")


@pytest.mark.parametrize(("name", "variable", "command", "typed"), TRIED)
def test_variable_moves_a_history(
    tmp_path: Path, name: str, variable: str, command: str, typed: bytes
) -> None:
    need(command.split(maxsplit=1)[0])
    (tmp_path / "text").write_text("a\nb\n")
    (tmp_path / "kept").mkdir()

    in_terminal(command, tmp_path, typed, **{variable: str(tmp_path / "kept" / "history")})

    assert variable in (way_for(os.fsencode(tmp_path / name)) or "")
    assert (tmp_path / "kept" / "history").exists()
    assert not (tmp_path / name).exists()


def test_option_moves_what_vim_remembers(tmp_path: Path) -> None:
    need("vim")
    way = way_for(b"/home/alice/.viminfo")
    assert way is not None
    setting = way.removeprefix("in vim: ")
    place = tmp_path / ".local/state/vim"
    place.mkdir(parents=True)
    (tmp_path / ".vimrc").write_text(setting + "\n")

    in_terminal("vim -c wviminfo -c q", tmp_path, b"")

    assert (place / "viminfo").exists()
    assert not (tmp_path / ".viminfo").exists()


@pytest.mark.parametrize(
    ("name", "inner", "command"),
    [
        (".gitconfig", "config", ["git", "config", "--global", "user.name", "Alice"]),
        (".git-credentials", "credentials", ["git", "credential-store", "store"]),
    ],
)
def test_git_writes_below_config(tmp_path: Path, name: str, inner: str, command: list[str]) -> None:
    need("git")
    place = tmp_path / ".config/git" / inner
    place.parent.mkdir(parents=True)
    place.touch()
    login = b"protocol=https\nhost=example.org\nusername=alice\npassword=guess\n\n"
    without = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}

    subprocess.run(command, input=login, env=without | {"HOME": str(tmp_path)}, check=True)

    assert f"~/.config/git/{inner}" in (way_for(os.fsencode(tmp_path / name)) or "")
    assert place.read_bytes()
    assert not (tmp_path / name).exists()
