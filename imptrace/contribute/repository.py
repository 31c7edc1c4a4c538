"""The repository that a contribution goes to: its state is checked, then a branch is made in it.

The checks come first and change nothing; the last step, which creates the branch, is one atomic
update of one ref. Work tree, index and the branch that is checked out stay as they are.
"""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from imptrace.contribute.git import FileChange, Git, GitError, TreeEntry, scratch_git
from imptrace.contribute.proposal import shown
from imptrace.errors import UsageError

# What stands in the git directory while an operation waits for its user.
UNFINISHED = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase or am",
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}
READ_BY_GIT = (
    "HEAD", "commondir", "config", "index", "packed-refs", "shallow",
    "info/attributes", "info/exclude", "info/grafts", "objects/info/alternates",
)  # fmt: skip
LARGEST_FILE = 1 << 24
"""Nobody writes more by hand."""
REGULAR_MODES = ("100644", "100755")


class RepositoryError(UsageError):
    """The repository is not in a state in which a contribution can be made to it."""


@dataclass(frozen=True, slots=True)
class CommittedFiles:
    """One commit's files, read as they were committed."""

    git: Git
    commit: str
    entries: dict[str, TreeEntry]

    def paths(self, prefix: str, suffix: str) -> list[str]:
        """List the regular files below `prefix` whose name ends with `suffix`, sorted."""
        return sorted(
            path
            for path, entry in self.entries.items()
            if path.startswith(prefix) and path.endswith(suffix) and entry.mode in REGULAR_MODES
        )

    def read(self, path: str) -> bytes | None:
        """Read a file, None where there is none. Raises for what is no regular file."""
        entry = self.entries.get(path)
        if entry is None:
            if any(other.startswith(f"{path}/") for other in self.entries):
                raise RepositoryError(f"{shown(path)} is a directory in the repository")
            return None
        if entry.mode not in REGULAR_MODES:
            raise RepositoryError(
                f"{shown(path)} is a link or a submodule in the repository, not a file: "
                "change it by hand"
            )
        size = self.git.size(entry.blob)
        if size > LARGEST_FILE:
            raise RepositoryError(f"{shown(path)} has {size:,} bytes, too many to be edited")
        return self.git.blob(entry.blob)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository whose state was found fit for a change. `top` is its work tree."""

    top: Path
    git: Git
    branch: str
    """The branch that is checked out; the change starts from its last commit."""
    commit: str

    def snapshot(self) -> CommittedFiles:
        """Read the commit that the change starts from."""
        return CommittedFiles(self.git, self.commit, self.git.files(self.commit))

    def subjects(self) -> list[str]:
        """List the first lines of the commit messages, newest first."""
        log = self.git.run("log", "--no-merges", "-n", "200", "--format=%s", self.commit)
        return log.decode(errors="replace").splitlines()

    def diff(self, changes: tuple[FileChange, ...]) -> bytes:
        """Give the change as a unified diff. Writes nothing into the repository."""
        with scratch_git(self.top) as git:
            tree = git.write_tree(self.commit, changes)
            return git.run(
                "diff", "--no-ext-diff", "--no-textconv", "--no-color", self.commit, tree
            )

    def patch(self, changes: tuple[FileChange, ...], message: str) -> bytes:
        """Give the change as a mail that `git am` applies. Writes nothing into the repository."""
        self.check_identity()
        with scratch_git(self.top) as git:
            tree = git.write_tree(self.commit, changes)
            commit = git.write_commit(tree, self.commit, message)
            return git.run(
                "format-patch", "-1", "--stdout", "--no-cover-letter", "--no-ext-diff", commit
            )

    def check_branch(self, name: str) -> None:
        """Raise unless a branch of this name can be made."""
        if name.startswith("-") or not self.git.succeeds("check-ref-format", "--branch", name):
            raise RepositoryError(f"{shown(name)} is no name for a branch: give another --branch")
        if self.git.succeeds("show-ref", "--verify", "--quiet", f"refs/heads/{name}"):
            raise RepositoryError(
                f"the branch {shown(name)} exists already: name another with --branch, or delete "
                f"it with `git branch -D {name}`"
            )

    def check_identity(self) -> None:
        """Raise unless git knows whom to name as the author."""
        for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            if not self.git.succeeds("var", who):
                raise RepositoryError(
                    "git does not know who you are: set user.name and user.email with "
                    "`git config --global`"
                )

    def check_writable(self) -> None:
        """Raise unless objects and refs can be written."""
        for name in ("objects", "refs/heads"):
            path = self.git.git_path(name)
            if not os.access(path, os.W_OK):
                raise RepositoryError(
                    f"{shown(str(path))} cannot be written: make a clone of your own, or use "
                    "--patch FILE"
                )

    def check_untracked(self, changes: Iterable[FileChange]) -> None:
        """Raise if a file that git does not know stands where the change has one."""
        for change in changes:
            path = self.top / change.path
            if change.path not in self.git.files(self.commit) and os.path.lexists(path):
                raise RepositoryError(
                    f"{shown(change.path)} exists and is not committed: commit or remove it"
                )

    def commit_on_branch(self, branch: str, changes: tuple[FileChange, ...], message: str) -> str:
        """Create `branch` with one commit that holds `changes`; the answer is the commit's id."""
        self.check_branch(branch)
        self.check_identity()
        self.check_writable()
        tree = self.git.write_tree(self.commit, changes)
        commit = self.git.write_commit(tree, self.commit, message)
        reason = f"imptrace contribute: from {self.branch}"
        nothing = "0" * len(commit)
        self.git.run("update-ref", "-m", reason, f"refs/heads/{branch}", commit, nothing)
        return commit

    def remote(self) -> str | None:
        """Choose where to push: the remote that the branch follows, else origin or the only one."""
        followed = self.git.setting(f"branch.{self.branch}.remote", "path")
        remotes = self.git.run("remote").decode(errors="surrogateescape").split()
        if followed in remotes:
            return followed
        if "origin" in remotes or len(remotes) == 1:
            return "origin" if "origin" in remotes else remotes[0]
        return None

    def fork(self, upstream: str) -> str | None:
        """Find a remote that is somebody's own copy of the project: called so, or a user's."""
        remotes = self.git.run("remote").decode(errors="surrogateescape").split()
        others = [each for each in remotes if each not in (upstream, "upstream")]
        return "fork" if "fork" in others else next(iter(others), None)

    def remote_url(self, remote: str) -> str:
        """Say where a remote is."""
        return self.git.line("remote", "get-url", "--push", remote)


def open_repository(directory: Path) -> Repository:
    """Open the repository at `directory`. Raises unless a change can start from it."""
    if not directory.is_dir():
        raise RepositoryError(f"{shown(str(directory))} is not a directory: give --repo DIR")
    _check_ends(directory / ".git")
    git = Git(directory)
    _check_is_work_tree(git, directory)
    git = Git(Path(os.fsdecode(git.run("rev-parse", "--show-toplevel").removesuffix(b"\n"))))
    _check_nothing_unfinished(git)
    commit, branch = _head(git)
    _check_clean(git)
    return Repository(git.directory, git, branch, commit)


def _check_ends(directory: Path) -> None:
    """Raise where git would read for ever: it opens whatever stands in its files' places."""
    for name in READ_BY_GIT:
        with suppress(OSError):
            mode = (directory / name).stat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                path = shown(str(directory / name))
                raise RepositoryError(
                    f"{path} is neither a file nor a directory: git cannot read it"
                )


def _check_is_work_tree(git: Git, directory: Path) -> None:
    try:
        inside = git.line("rev-parse", "--is-inside-work-tree") == "true"
    except GitError as error:
        if "not a git repository" in error.detail:
            raise RepositoryError(
                f"{shown(str(directory))} is not a git repository: clone the project and give "
                "its directory with --repo"
            ) from error
        if "dubious ownership" in error.detail:
            raise RepositoryError(
                f"{shown(str(directory))} belongs to another user, so git refuses to work in it: "
                "make a clone of your own"
            ) from error
        raise
    if not inside:
        raise RepositoryError(
            f"{shown(str(directory))} is a bare repository or a git directory: give a clone with "
            "a work tree"
        )


def _check_nothing_unfinished(git: Git) -> None:
    for name, operation in UNFINISHED.items():
        if git.git_path(name).exists():
            raise RepositoryError(
                f"a {operation} is in progress in {shown(str(git.directory))}: finish or abort it "
                "first"
            )


def _head(git: Git) -> tuple[str, str]:
    """Find the commit and the branch that are checked out."""
    if not git.succeeds("symbolic-ref", "--quiet", "HEAD"):
        raise RepositoryError(
            f"HEAD is detached in {shown(str(git.directory))}: check out the branch that the "
            "change shall start from"
        )
    branch = git.line("symbolic-ref", "--short", "HEAD")
    try:
        return git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}"), branch
    except GitError as error:
        raise RepositoryError(
            f"{shown(str(git.directory))} has no commit yet that git can read: nothing to build on"
        ) from error


def _check_clean(git: Git) -> None:
    changed = git.run("status", "--porcelain", "-z", "--untracked-files=no").split(b"\0")
    if changed[0]:
        path = shown(os.fsdecode(changed[0][3:]))
        raise RepositoryError(
            f"{shown(str(git.directory))} has uncommitted changes ({path}): commit or stash them"
        )
