"""git, run in one repository: quietly, in English, without hooks, and without its optional writes.

A change is built from objects, in an index of its own. The work tree, the index and the branch
that the user has checked out are read and never written.

Root works in somebody else's repository as that user: what is made there is his, and what the
repository's own configuration runs, it runs with no more than his rights.
"""

import os
import pwd
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypedDict

from imptrace.errors import ImptraceError

# A repository's own configuration may name programs to run, and the user's may change what is
# printed: neither is wanted here.
SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "color.ui=false",
    "diff.noprefix=false",
    "diff.mnemonicPrefix=false",
    "format.useAutoBase=false",
    "log.showSignature=false",
    "user.useConfigOnly=true",  # a guessed identity would carry the name of user and host
)
PATIENCE_SECONDS = 120.0
"""How long git may take for one step, in a large repository on a slow disk."""


class GitError(ImptraceError):
    """A git command failed; `detail` is the first line of what it said."""

    def __init__(self, command: str, detail: str) -> None:
        super().__init__(f"git {command} failed: {detail}")
        self.detail = detail


class TreeEntry(NamedTuple):
    """A file of a tree: its mode as git writes it (100644, 120000), and its blob."""

    mode: str
    blob: str


class FileChange(NamedTuple):
    """A file as it shall be. `path` is relative to the top of the repository."""

    path: str
    content: bytes


class Git:
    """Runs git in `directory`. `scratch`: objects go there instead of into the repository."""

    def __init__(self, directory: Path, scratch: Path | None = None) -> None:
        self.directory = directory
        self._owner = _other_owner(directory)
        self._environment = _environment(self._owner)
        if scratch is not None:
            objects = self._absolute_path("objects")
            self._environment["GIT_OBJECT_DIRECTORY"] = str(scratch)
            self._environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = _quoted(objects)

    def run(
        self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> bytes:
        """Run a git command and give its stdout. Raises GitError when it fails."""
        settings = [word for setting in SETTINGS for word in ("-c", setting)]
        # Who signs may be asked for a passphrase, for which there is no hurry.
        asks_user = "-S" in arguments
        try:
            process = subprocess.Popen(
                ["git", *settings, "-C", str(self.directory), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**self._environment, **(environment or {})},
                process_group=None if asks_user else 0,
                **_identity(self._owner),
            )
        except FileNotFoundError as error:
            raise ImptraceError(
                "git is not installed: install it, on NixOS with `nix-shell -p git`"
            ) from error
        with process:
            stdout, stderr = _answer(process, arguments[0], stdin, is_bounded=not asks_user)
        if process.returncode != 0:
            raise GitError(arguments[0], _first_line(stderr))
        return stdout

    def line(self, *arguments: str) -> str:
        """Give the stdout of a git command that answers with one line."""
        return self.run(*arguments).decode(errors="surrogateescape").removesuffix("\n")

    def succeeds(self, *arguments: str) -> bool:
        """Whether a git command that asks a question says yes."""
        try:
            self.run(*arguments)
        except GitError:
            return False
        return True

    def setting(self, name: str, kind: str = "path") -> str | None:
        """Give the value of a setting, None where it is not set."""
        try:
            return self.line("config", f"--type={kind}", "--get", name)
        except GitError:
            return None

    def git_path(self, name: str) -> Path:
        """Say where the repository keeps one of its own files, worktrees taken into account."""
        return self._absolute_path(name)

    def files(self, commit: str) -> dict[str, TreeEntry]:
        """List every file of a commit, by path."""
        listing = self.run("ls-tree", "-r", "-z", "--full-tree", commit)
        entries: dict[str, TreeEntry] = {}
        for line in listing.split(b"\0"):
            if line:
                facts, _, path = line.partition(b"\t")
                mode, _, blob = facts.decode().split(" ")
                entries[os.fsdecode(path)] = TreeEntry(mode, blob)
        return entries

    def blob(self, blob: str) -> bytes:
        """Give the content of a blob."""
        return self.run("cat-file", "blob", blob)

    def size(self, blob: str) -> int:
        """Tell how many bytes a blob has."""
        return int(self.line("cat-file", "-s", blob))

    def write_tree(self, base: str, changes: tuple[FileChange, ...]) -> str:
        """Write the tree of commit `base` with `changes` in it; the answer is its id."""
        modes = self.files(base)
        with _index(self._owner) as environment:
            self.run("read-tree", base, environment=environment)
            for change in changes:
                blob = self.run("hash-object", "-w", "--stdin", stdin=change.content).decode()
                mode = modes[change.path].mode if change.path in modes else "100644"
                entry = f"{mode},{blob.strip()},{change.path}"
                self.run("update-index", "--add", "--cacheinfo", entry, environment=environment)
            return self.run("write-tree", environment=environment).decode().strip()

    def write_commit(self, tree: str, parent: str, message: str) -> str:
        """Write a commit that nothing points to yet; signed where the user signs commits."""
        options = ["-S"] if self.setting("commit.gpgSign", "bool") == "true" else []
        commit = self.run(
            "commit-tree", *options, "-p", parent, "-F", "-", tree, stdin=message.encode()
        )
        return commit.decode().strip()

    def _absolute_path(self, name: str) -> Path:
        answer = self.run("rev-parse", "--git-path", name).removesuffix(b"\n")
        return self.directory / os.fsdecode(answer)


def _answer(
    process: subprocess.Popen[bytes], command: str, stdin: bytes, *, is_bounded: bool
) -> tuple[bytes, bytes]:
    """Give what git says; a filter, or a FIFO in a file's place, may keep it for ever."""
    try:
        return process.communicate(stdin, PATIENCE_SECONDS if is_bounded else None)
    except subprocess.TimeoutExpired as error:
        # No GitError: that would be taken for an answer, "no".
        raise ImptraceError(
            f"git {command} gave no answer in {PATIENCE_SECONDS:g} seconds"
        ) from error
    finally:
        # What it started, too: that holds the pipes.
        if is_bounded and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def scratch_git(directory: Path) -> Iterator[Git]:
    """Give a Git whose new objects vanish: for a diff or a patch that leaves nothing behind."""
    with _temporary(_other_owner(directory)) as scratch:
        yield Git(directory, scratch)


@contextmanager
def _index(owner: pwd.struct_passwd | None) -> Iterator[dict[str, str]]:
    """Make an index that is not the user's."""
    with _temporary(owner) as directory:
        yield {"GIT_INDEX_FILE": str(directory / "index")}


@contextmanager
def _temporary(owner: pwd.struct_passwd | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="imptrace-") as directory:
        if owner is not None:
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        yield Path(directory)


def _other_owner(directory: Path) -> pwd.struct_passwd | None:
    """Give the account that owns a directory, if this is root and the directory is not root's."""
    try:
        uid = directory.stat().st_uid
    except OSError:
        return None  # git says what is wrong with it
    if os.geteuid() != 0 or uid == 0:
        return None
    try:
        return pwd.getpwuid(uid)
    except KeyError as error:
        raise ImptraceError(
            f"{str(directory)!r} belongs to uid {uid}, which has no account here: "
            "run this as that user"
        ) from error


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _identity(owner: pwd.struct_passwd | None) -> _Identity:
    """Tell subprocess whose rights to use."""
    if owner is None:
        return {}
    groups = os.getgrouplist(owner.pw_name, owner.pw_gid)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": groups}


def _environment(owner: pwd.struct_passwd | None) -> dict[str, str]:
    """Give the environment less what would point git at another repository (as inside a hook)."""
    kept = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(kept)
    }
    if owner is not None:
        names = {"PATH", "TERM", "TZ"}
        environment = {name: value for name, value in environment.items() if name in names}
        environment |= {"HOME": owner.pw_dir, "USER": owner.pw_name, "LOGNAME": owner.pw_name}
    return environment | {
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _quoted(path: Path) -> str:
    """Quote a path for a list that git splits at colons: it may hold colons itself."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _first_line(stderr: bytes) -> str:
    text = stderr.decode(errors="backslashreplace").strip()
    line = text.splitlines()[0] if text else "it gave no reason"
    shown = line.removeprefix("fatal: ").removeprefix("error: ")
    return "".join(character if character.isprintable() else "?" for character in shown)
