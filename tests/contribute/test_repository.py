"""A repository is only ever given a branch; in any state but a clean one it is left alone."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sample_repositories import git, make_repository, state

from imptrace.contribute.git import FileChange
from imptrace.contribute.repository import Repository, RepositoryError, open_repository
from imptrace.errors import ImptraceError

CHANGE = (
    FileChange("flake.nix", b"{ }\n"),
    FileChange("nixos-modules/new/persistence.nix", b"1\n"),
)


def test_a_branch_is_made_and_nothing_else(impermanence_repository: Path) -> None:
    """Status, other refs, HEAD and work tree are as before; the new branch holds the change."""
    before = state(impermanence_repository)
    repository = open_repository(impermanence_repository)
    commit = repository.commit_on_branch("new-persistence", CHANGE, "new: persistence\n\nBody.\n")
    assert git(impermanence_repository, "rev-parse", "new-persistence").strip() == commit
    assert git(impermanence_repository, "show", "-s", "--format=%an %s%n%b", commit) == (
        "Somebody new: persistence\nBody.\n\n"
    )
    files = git(impermanence_repository, "diff", "--name-only", "main", "new-persistence")
    assert files.split() == ["flake.nix", "nixos-modules/new/persistence.nix"]
    git(impermanence_repository, "branch", "--quiet", "-D", "new-persistence")
    assert state(impermanence_repository) == before
    git(impermanence_repository, "fsck", "--strict")


def test_a_diff_and_a_patch_leave_no_trace(impermanence_repository: Path) -> None:
    """Not even an object: they are made elsewhere."""
    objects = git(impermanence_repository, "count-objects", "-v")
    before = state(impermanence_repository)
    repository = open_repository(impermanence_repository)
    assert b"+{ }" in repository.diff(CHANGE)
    assert b"Subject: [PATCH] new: persistence" in repository.patch(CHANGE, "new: persistence\n")
    assert state(impermanence_repository) == before
    assert git(impermanence_repository, "count-objects", "-v") == objects


def test_git_am_applies_the_patch(impermanence_repository: Path, tmp_path: Path) -> None:
    """Into another clone, with the message as it was."""
    patch = open_repository(impermanence_repository).patch(CHANGE, "new: persistence\n\nä ü\n")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", impermanence_repository, clone], check=True)
    file = tmp_path / "0001.patch"
    file.write_bytes(patch)
    git(clone, "am", "--quiet", str(file))
    assert git(clone, "log", "-1", "--format=%B").strip() == "new: persistence\n\nä ü"
    assert (clone / "nixos-modules/new/persistence.nix").read_bytes() == b"1\n"


def test_the_mode_of_a_file_stays(impermanence_repository: Path) -> None:
    """A file that can be executed still can."""
    (impermanence_repository / "flake.nix").chmod(0o755)
    git(impermanence_repository, "commit", "--quiet", "--all", "-m", "Make it executable")
    commit = open_repository(impermanence_repository).commit_on_branch("b", CHANGE, "x\n")
    assert git(impermanence_repository, "ls-tree", commit, "flake.nix").startswith("100755")


def test_hooks_do_not_run(impermanence_repository: Path, tmp_path: Path) -> None:
    """The user's hooks are about the user's commits; one that fails does not stop the branch."""
    for name in ("pre-commit", "commit-msg", "reference-transaction", "post-commit"):
        hook = impermanence_repository / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        hook.chmod(0o755)
    open_repository(impermanence_repository).commit_on_branch("b", CHANGE, "x\n")
    assert not (tmp_path / "ran").exists()


def test_it_works_from_a_subdirectory_and_in_a_linked_work_tree(
    impermanence_repository: Path, tmp_path: Path
) -> None:
    """The top of the work tree is found; branches are the repository's."""
    linked = tmp_path / "linked"
    git(impermanence_repository, "worktree", "add", "--quiet", "-b", "linked", str(linked))
    repository = open_repository(linked / "nixos-modules")
    assert repository.top == linked
    assert repository.branch == "linked"
    repository.commit_on_branch("b", CHANGE, "x\n")
    assert git(impermanence_repository, "rev-parse", "--verify", "b")


SETTINGS = """
[color]
    ui = always
[diff]
    noprefix = true
    external = false
[format]
    useAutoBase = true
    coverLetter = true
    numbered = true
[log]
    showSignature = true
[status]
    branch = true
    showUntrackedFiles = all
"""


def test_settings_of_the_user_change_nothing(impermanence_repository: Path, tmp_path: Path) -> None:
    """Colours, prefixes and cover letters are for the user's own eyes."""
    (tmp_path / "home/.gitconfig").write_text(SETTINGS)
    repository = open_repository(impermanence_repository)
    assert repository.subjects()[0] == "sudo: persistence"
    assert repository.diff(CHANGE).startswith(b"diff --git a/flake.nix b/flake.nix\n")
    patch = repository.patch(CHANGE, "new: persistence\n")
    assert patch.count(b"\nSubject: ") == 1
    assert b"+++ b/flake.nix\n" in patch
    assert b"\x1b" not in patch


def test_long_hashes_are_as_good(tmp_path: Path) -> None:
    """A repository may name its objects by SHA-256."""
    directory = tmp_path / "sha256"
    subprocess.run(
        ["git", "init", "--quiet", "--object-format=sha256", "-b", "main", directory], check=True
    )
    git(directory, "commit", "--quiet", "--allow-empty", "-m", "Begin")
    repository = open_repository(directory)
    assert b"+{ }" in repository.diff(CHANGE)
    commit = repository.commit_on_branch("b", CHANGE, "x\n")
    assert git(directory, "rev-parse", "b").strip() == commit


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
def test_root_works_in_somebody_elses_repository_as_that_user(
    impermanence_repository: Path,
) -> None:
    """Nothing of root's is left in it, and nothing of it is run as root."""
    nobody, ran = 65534, impermanence_repository / "ran"
    for directory in list(impermanence_repository.parents)[:-1]:
        directory.chmod(directory.stat().st_mode | 0o011)
    git(impermanence_repository, "config", "user.name", "Nobody")
    git(impermanence_repository, "config", "user.email", "nobody@example.org")
    git(impermanence_repository, "config", "filter.spy.clean", f"id -u > {ran}; cat")
    (impermanence_repository / ".git/info/attributes").write_text("* filter=spy\n")
    (impermanence_repository / "flake.nix").touch()
    everything = [impermanence_repository, *impermanence_repository.rglob("*")]
    for path in everything:
        os.chown(path, nobody, nobody, follow_symlinks=False)
    repository = open_repository(impermanence_repository)
    ran.unlink(missing_ok=True)
    repository.diff(CHANGE)
    repository.commit_on_branch("new-persistence", CHANGE, "new: persistence\n")
    owners = {path.lstat().st_uid for path in impermanence_repository.rglob("*")}
    assert owners == {nobody}


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
def test_repository_of_two_users_is_refused(impermanence_repository: Path) -> None:
    """Git does not work in it, because its configuration could run programs."""
    for directory in list(impermanence_repository.parents)[:-1]:
        directory.chmod(directory.stat().st_mode | 0o011)
    shutil.chown(impermanence_repository / ".git", 65534)
    with pytest.raises(RepositoryError, match="belongs to another user"):
        open_repository(impermanence_repository)


def test_inside_a_hook_git_is_not_misled(
    impermanence_repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIT_DIR and its kin, which git sets for hooks, name another repository."""
    other = make_repository(tmp_path / "other", {"a": "b"}, ("Initial commit",))
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    assert open_repository(impermanence_repository).top == impermanence_repository


def dirty(repository: Path) -> None:
    """Change a file."""
    (repository / "flake.nix").write_text("{}")


def staged(repository: Path) -> None:
    """Change the index only."""
    dirty(repository)
    git(repository, "add", "flake.nix")


def detached(repository: Path) -> None:
    """Leave the branch."""
    git(repository, "checkout", "--quiet", "--detach")


def conflicting(repository: Path) -> None:
    """Make two branches that change the same line."""
    git(repository, "checkout", "--quiet", "-b", "side")
    (repository / "flake.nix").write_text("1")
    git(repository, "commit", "--quiet", "--all", "-m", "One")
    git(repository, "checkout", "--quiet", "main")
    (repository / "flake.nix").write_text("2")
    git(repository, "commit", "--quiet", "--all", "-m", "Two")


def stopped(*command: str) -> Callable[[Path], None]:
    """Begin an operation that stops for its user."""

    def stop(repository: Path) -> None:
        conflicting(repository)
        done = subprocess.run(
            ["git", "-C", str(repository), *command], capture_output=True, check=False
        )
        assert done.returncode != 0

    return stop


def bisecting(repository: Path) -> None:
    """Look for a bug."""
    git(repository, "bisect", "start", "HEAD", "HEAD~2")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (dirty, r"uncommitted changes \('flake\.nix'\)"),
        (staged, r"uncommitted changes \('flake\.nix'\)"),
        (detached, "HEAD is detached"),
        (stopped("rebase", "side"), "a rebase is in progress"),
        (stopped("merge", "side"), "a merge is in progress"),
        (stopped("cherry-pick", "side"), "a cherry-pick is in progress"),
        (bisecting, "a bisect is in progress"),
    ],
    ids=["dirty", "staged", "detached", "rebase", "merge", "cherry-pick", "bisect"],
)
def test_a_repository_in_use_is_left_alone(
    impermanence_repository: Path, spoil: Callable[[Path], None], message: str
) -> None:
    """One line says what is in the way, and all is as before."""
    spoil(impermanence_repository)
    before = state(impermanence_repository)
    with pytest.raises(RepositoryError, match=message) as caught:
        open_repository(impermanence_repository)
    assert "\n" not in str(caught.value)
    assert state(impermanence_repository) == before


def test_an_untracked_file_is_in_the_way_only_where_the_change_has_one(
    impermanence_repository: Path,
) -> None:
    """Notes that lie around are nobody's business; a file that a checkout would hit is."""
    (impermanence_repository / "notes.txt").write_text("x")
    repository = open_repository(impermanence_repository)
    repository.check_untracked(CHANGE)
    (impermanence_repository / "nixos-modules/new").mkdir()
    (impermanence_repository / CHANGE[1].path).write_text("mine")
    with pytest.raises(RepositoryError, match="exists and is not committed"):
        repository.check_untracked(CHANGE)


def test_places_that_are_no_repository(tmp_path: Path) -> None:
    """No directory, no repository, a bare one, a git directory, one without commits."""
    with pytest.raises(RepositoryError, match="is not a directory"):
        open_repository(tmp_path / "nowhere")
    with pytest.raises(RepositoryError, match="is not a git repository"):
        open_repository(tmp_path)
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "init", "--quiet", "--bare", bare], check=True)
    with pytest.raises(RepositoryError, match="bare repository"):
        open_repository(bare)
    empty = tmp_path / "empty"
    subprocess.run(["git", "init", "--quiet", empty], check=True)
    with pytest.raises(RepositoryError, match="no commit yet"):
        open_repository(empty)
    with pytest.raises(RepositoryError, match="git directory"):
        open_repository(empty / ".git")


def test_a_branch_that_exists_is_not_overwritten(impermanence_repository: Path) -> None:
    """It may hold somebody's work."""
    git(impermanence_repository, "branch", "taken")
    before = state(impermanence_repository)
    repository = open_repository(impermanence_repository)
    with pytest.raises(RepositoryError, match="the branch 'taken' exists already"):
        repository.commit_on_branch("taken", CHANGE, "x\n")
    assert state(impermanence_repository) == before


@pytest.mark.parametrize(
    "name", ["", "-x", "a..b", "a b", "a\x1b[31m", "refs/../x", "@{-1}", "HEAD"]
)
def test_a_hostile_branch_name_is_refused(impermanence_repository: Path, name: str) -> None:
    """Git's own rules for names, asked before anything is written."""
    before = state(impermanence_repository)
    with pytest.raises(RepositoryError, match="no name for a branch"):
        open_repository(impermanence_repository).commit_on_branch(name, CHANGE, "x\n")
    assert state(impermanence_repository) == before


def test_without_an_identity_nothing_is_committed(
    impermanence_repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git would guess one from user and host, which must not leave the machine."""
    for name in (
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
    ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("EMAIL", "guessed@host.example")
    before = state(impermanence_repository)
    repository = open_repository(impermanence_repository)
    for attempt in (
        lambda: repository.commit_on_branch("b", CHANGE, "x\n"),
        lambda: repository.patch(CHANGE, "x\n"),
    ):
        with pytest.raises(RepositoryError, match="git does not know who you are"):
            attempt()
    assert state(impermanence_repository) == before


def test_without_git_the_error_says_so(
    impermanence_repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And how to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImptraceError, match="git is not installed"):
        open_repository(impermanence_repository)


def test_links_are_not_written_through(impermanence_repository: Path) -> None:
    """A link in the repository may point anywhere."""
    flake = impermanence_repository / "flake.nix"
    flake.unlink()
    flake.symlink_to("/etc/passwd")
    git(impermanence_repository, "commit", "--quiet", "--all", "-m", "Link")
    with pytest.raises(RepositoryError, match="is a link or a submodule"):
        open_repository(impermanence_repository).snapshot().read("flake.nix")


READ_ONLY = """
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"
"""
ATTEMPT = """
import sys
from pathlib import Path
from imptrace.contribute.git import FileChange
from imptrace.contribute.repository import RepositoryError, open_repository
repository = open_repository(Path(sys.argv[1]))
change = (FileChange("flake.nix", b"{ }"),)
print(len(repository.diff(change)) > 0)
try:
    repository.commit_on_branch("b", change, "x")
except RepositoryError as error:
    print(error)
"""


def namespaces_work() -> bool:
    """Whether this machine lets us make a mount namespace."""
    return (
        shutil.which("unshare") is not None
        and subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode
        == 0
    )


@pytest.mark.skipif(not namespaces_work(), reason="no mount namespace can be made here")
def test_a_read_only_repository_can_be_looked_at_only(impermanence_repository: Path) -> None:
    """A diff needs no writing; a branch is refused before the first object."""
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", READ_ONLY, "sh", str(impermanence_repository),
         sys.executable, "-c", ATTEMPT, str(impermanence_repository)],
        capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip
    assert done.stdout.startswith("True\n"), done.stderr
    assert "cannot be written" in done.stdout
    assert "--patch" in done.stdout


@pytest.mark.parametrize(
    ("urls", "expected"),
    [
        ({}, None),
        ({"upstream": "x"}, "upstream"),
        ({"origin": "x", "fork": "y"}, "origin"),
        ({"one": "x", "two": "y"}, None),
    ],
)
def test_the_remote_to_push_to(
    impermanence_repository: Path, urls: dict[str, str], expected: str | None
) -> None:
    """The one that the branch follows, else origin, else the only one."""
    for name, url in urls.items():
        git(impermanence_repository, "remote", "add", name, url)
    repository: Repository = open_repository(impermanence_repository)
    assert repository.remote() == expected
    if "fork" in urls:
        git(impermanence_repository, "config", "branch.main.remote", "fork")
        assert repository.remote() == "fork"
