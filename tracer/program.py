"""What is to be run: the program's file, its arguments, environment and user."""

import os
import pwd
import signal
import stat
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from imptrace.errors import (
    ProgramNotExecutableError,
    ProgramNotFoundError,
    UsageError,
)
from imptrace.facts.programs import script_name

DEFAULT_PATH = b"/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account to run a program as."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: bytes
    shell: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that can be executed; argv[0] is as the user gave it."""

    path: bytes
    """What execve(2) gets."""
    argv: tuple[bytes, ...]
    environ: Mapping[bytes, bytes]
    user: Account | None = None
    """None: the caller's own."""


def find_user(name: str) -> Account:
    """Look up an account. Raises UsageError if there is none, or the caller is not root."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError as error:
        raise UsageError(f"there is no user {name!r} here; see: getent passwd") from error
    if os.geteuid() != 0:
        raise UsageError(
            f"only root can run a program as another user; try: sudo imptrace run --user {name} ..."
        )
    return Account(
        name=entry.pw_name,
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        groups=tuple(os.getgrouplist(entry.pw_name, entry.pw_gid)),
        home=os.fsencode(entry.pw_dir),
        shell=os.fsencode(entry.pw_shell),
    )


def user_name(uid: int) -> str:
    """Name an account; its number where it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSubject:
    """What a run is about, as its row in the database says."""

    program: bytes
    """Base name of what was asked for."""
    argv: tuple[bytes, ...]
    cwd: bytes
    user: str
    uid: int


def working_directory() -> bytes:
    """Name the working directory, which may be gone."""
    try:
        return os.getcwdb()
    except OSError:
        pass
    try:
        return os.readlink(b"/proc/self/cwd").removesuffix(b" (deleted)")
    except OSError:
        return b"/"


def subject_of(program: Program) -> RunSubject:
    """Describe a program that is about to be started from here."""
    uid = program.user.uid if program.user else os.getuid()
    cwd = working_directory()
    return RunSubject(
        program=_script(program, cwd) or os.path.basename(program.argv[0]),
        argv=program.argv,
        cwd=cwd,
        user=program.user.name if program.user else user_name(uid),
        uid=uid,
    )


def _script(program: Program, cwd: bytes) -> bytes | None:
    """Name the script that an interpreter is asked to run: that is what the run is about."""
    script = script_name(program.path, program.argv)
    if script is None and len(program.argv) > 1:
        # Without a slash it is sought in the working directory, before anywhere else.
        beside = os.path.join(cwd, program.argv[1])
        if os.path.isfile(beside):
            script = script_name(program.path, (program.argv[0], beside))
    return script


def find_program(
    command: Sequence[bytes], user: Account | None = None, keep: Iterable[bytes] = ()
) -> Program:
    """Find the file of a command as a shell would.

    Another user gets a clean environment, and of ours only the variables of `keep` besides.

    Raises ProgramNotFoundError, ProgramNotExecutableError.
    """
    environ = _environment() if user is None else _environ_of(user, frozenset(keep))
    name = command[0]
    path = name if b"/" in name else _search(name, environ.get(b"PATH", DEFAULT_PATH))
    _check(path)
    return Program(path=path, argv=tuple(command), environ=environ, user=user)


def _environment() -> dict[bytes, bytes]:
    """Give our environment as we got it: Python sets LC_CTYPE in the C locale (PEP 538)."""
    variables = dict(os.environb)
    try:
        with open("/proc/self/environ", "rb") as first:
            given = first.read().split(b"\0")
    except OSError:
        return variables
    if not any(each.startswith(b"LC_CTYPE=") for each in given):
        variables.pop(b"LC_CTYPE", None)
    return variables


_HARMLESS = frozenset(
    {b"PATH", b"TERM", b"COLORTERM", b"NO_COLOR", b"LANG", b"LANGUAGE", b"LOCALE_ARCHIVE", b"TZ"}
)
"""What another user gets of our environment, with LC_*: neither secrets nor places."""


def _environ_of(user: Account, keep: Container[bytes]) -> dict[bytes, bytes]:
    ours = _environment()
    variables = {
        name: value for name, value in ours.items() if name in _HARMLESS or name.startswith(b"LC_")
    }
    kept = {name: value for name, value in ours.items() if name in keep}
    name = user.name.encode()
    variables |= {b"HOME": user.home, b"USER": name, b"LOGNAME": name, b"SHELL": user.shell}
    runtime = b"/run/user/%d" % user.uid
    if os.path.isdir(runtime):
        variables[b"XDG_RUNTIME_DIR"] = runtime
    return variables | kept


def _search(name: bytes, search_path: bytes) -> bytes:
    found_file = None
    for directory in search_path.split(b":"):
        candidate = os.path.join(directory or b".", name)
        if os.path.isfile(candidate):
            if os.access(candidate, os.X_OK):
                return candidate
            found_file = found_file or candidate
    if found_file is not None:
        return found_file
    raise ProgramNotFoundError(f"{shown(name)}: there is no such program in PATH")


def _check(path: bytes) -> None:
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ProgramNotFoundError(f"{shown(path)}: there is no such program") from error
    except OSError as error:
        raise ProgramNotExecutableError(f"{shown(path)}: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        raise ProgramNotExecutableError(f"{shown(path)} is a directory, not a program")
    if not os.access(path, os.X_OK):
        raise ProgramNotExecutableError(f"{shown(path)} is not executable; see: chmod +x")


def heed_signals(blocked: Iterable[int]) -> None:
    """Let signals that came before the program began do to us what they would have done to it.

    They are held by then, but for those that were `blocked` before. To be called right before the
    program starts: what is sent to the process group later reaches it by itself.
    """
    waiting = signal.sigpending() - {signal.SIGCHLD} - set(blocked)
    if waiting:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, waiting)
        signal.pthread_sigmask(signal.SIG_BLOCK, waiting)


def shown(path: bytes) -> str:
    """Quote a path for a message: whatever it holds stays visible and on its line."""
    return repr(os.fsdecode(path))
