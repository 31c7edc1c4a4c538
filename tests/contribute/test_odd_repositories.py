"""A repository may hold anything: contributing to it answers soon, in one line, harming nothing."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import forked
import pytest
from sample_repositories import git

from imptrace.contribute import git as running
from imptrace.contribute.repository import LARGEST_FILE, RepositoryError, open_repository
from imptrace.errors import ImptraceError

Odd = Callable[[Path], object]
MODULE = "nixos-modules/networkmanager"
COMMITTED: dict[str, Odd] = {
    "binary flake": lambda top: (top / "flake.nix").write_bytes(bytes(range(256)) * 40),
    "deep flake": lambda top: (top / "flake.nix").write_bytes(b"[" * 100_000),
    "empty flake": lambda top: (top / "flake.nix").write_bytes(b""),
    "large flake": lambda top: os.truncate(top / "flake.nix", LARGEST_FILE + 1),
    "flake elsewhere": lambda top: _linked(top / "flake.nix"),
    "modules elsewhere": lambda top: _linked(top / "nixos-modules"),
    "module elsewhere": lambda top: _linked(top / MODULE),
    "binary module": lambda top: _written(top / MODULE / "persistence.nix", b"\0\xff{"),
    "a directory as module": lambda top: _written(top / MODULE / "persistence.nix/x", b"1"),
    "names": lambda top: _written(top / os.fsdecode(b"nixos-modules/\xff\n\x1b[31m/a.nix"), b"{}"),
}
OF_GIT: dict[str, Odd] = {
    "garbage in HEAD": lambda top: (top / ".git/HEAD").write_bytes(b"\0\xff\n" * 99),
    "HEAD to nowhere": lambda top: (top / ".git/HEAD").write_text("ref: refs/heads/../../../x\n"),
    "garbage in index": lambda top: (top / ".git/index").write_bytes(b"\0\xff\n" * 99),
    "garbage in config": lambda top: (top / ".git/config").write_bytes(b"\0\xff\x1b\n" * 99),
    "garbage in packed-refs": lambda top: (top / ".git/packed-refs").write_bytes(b"\x1b[3m" * 99),
    "no objects": lambda top: shutil.rmtree(top / ".git/objects"),
    "no blobs": lambda top: [each.unlink() for each in (top / ".git/objects").glob("??/*")],
    "git elsewhere": lambda top: _instead(top / ".git", b"gitdir: /proc/self/cwd/nowhere\n"),
    "git without end": lambda top: _instead(top / ".git", b"gitdir: .git\n"),
    "untracked module": lambda top: _linked(top / MODULE),
}  # fmt: skip


def _linked(path: Path) -> None:
    """Put a link in its place that leads out of the repository."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to("/proc/self/cwd/outside")


def _written(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def _instead(path: Path, content: bytes) -> None:
    shutil.rmtree(path)
    path.write_bytes(content)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", [*COMMITTED, *OF_GIT])
def test_odd_repository(impermanence_repository: Path, tmp_path: Path, name: str) -> None:
    """Content that no module has, what git itself cannot read, links that lead out."""
    outside = tmp_path / "outside"
    outside.mkdir()
    top = impermanence_repository
    (COMMITTED | OF_GIT)[name](top)
    if name in COMMITTED:
        git(top, "add", "--all")
        git(top, "commit", "--quiet", "-m", "Odd")
    done = forked.run_text(
        "contribute", "--service", "networkmanager", "--repo", str(top), cwd=tmp_path
    )
    assert all(each.isprintable() or each == "\n" for each in done.stderr), done.stderr
    assert "internal error" not in done.stderr
    assert done.returncode in (0, 2, 125), done.stderr
    if done.returncode:
        assert done.stderr.count("\n") == 1, done.stderr
    assert not list(outside.iterdir())


@pytest.mark.parametrize("name", ["HEAD", "config", "index", "packed-refs", "info/attributes"])
def test_what_git_would_wait_for(impermanence_repository: Path, name: str) -> None:
    """Nobody ever writes into a FIFO, and a device has no end."""
    path = impermanence_repository / ".git" / name
    path.parent.mkdir(exist_ok=True)
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        path.unlink(missing_ok=True)
        make(path)
        with pytest.raises(RepositoryError, match="is neither a file nor a directory"):
            open_repository(impermanence_repository)


def test_a_filter_without_an_end(
    impermanence_repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is ended with git, whose output it holds open."""
    monkeypatch.setattr(running, "PATIENCE_SECONDS", 0.5)
    git(impermanence_repository, "config", "filter.slow.clean", "exec sleep 98765")
    (impermanence_repository / ".git/info").mkdir(exist_ok=True)
    (impermanence_repository / ".git/info/attributes").write_text("* filter=slow\n")
    (impermanence_repository / "flake.nix").touch()
    with pytest.raises(ImptraceError, match=r"git status gave no answer in 0\.5 seconds"):
        open_repository(impermanence_repository)
    left = subprocess.run(
        ["ps", "-eo", "stat=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert not [each for each in left if "sleep 98765" in each and not each.startswith("Z")]
