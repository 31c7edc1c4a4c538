"""Four starts of a program: two on a machine that is never wiped, and two with a wipe between."""

import hashlib
import os
import pickle
import shutil
import signal
import stat
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from imptrace.errors import ImptraceError
from imptrace.facts.paths import is_within
from imptrace.kept import kernel
from imptrace.kept.regular import open_regular
from imptrace.kept.rehearse.copy_of_machine import (
    Copy,
    changes,
    is_whiteout,
)
from imptrace.kept.rehearse.keeping import fill_store, put_in_place, take_out
from imptrace.kept.rehearse.model import Launch, Launcher, Plan, Rehearsed, Start, Thing

BEFORE, UNWIPED, FIRST, AGAIN = "before", "unwiped", "first", "again"
"""Labels of the recordings: twice without a wipe, then twice with one between."""
EXCHANGE = b"/run/imptrace-rehearsal"
_GRACE = 5.0
_LARGEST = 64 << 20
_HIDDEN_VARIABLES = ("DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "NOTIFY_SOCKET", "GPG_AGENT_INFO")


def rehearse(plan: Plan, launch: Launcher, exchange: Path) -> Rehearsed:
    """Rehearse in a child of its own. `exchange` receives the database. Raises ImptraceError."""
    scratch = tempfile.mkdtemp(prefix="imptrace-rehearsal-")
    answer = exchange / "answer"
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        _in_child(plan, launch, exchange, os.fsencode(scratch), answer)
    _, status = os.waitpid(child, 0)
    os.rmdir(scratch)
    if status or not answer.exists():
        raise ImptraceError("the rehearsal ended early: see above")
    found = pickle.loads(answer.read_bytes())  # noqa: S301 (written by our own child)
    if isinstance(found, str):
        raise ImptraceError(f"no private copy of the machine can be made here: {found}")
    assert isinstance(found, Rehearsed)  # noqa: S101 (the child writes nothing else)
    return found


def _in_child(plan: Plan, launch: Launcher, exchange: Path, scratch: bytes, answer: Path) -> None:
    """Do all of it, and never return: what the parent has at its end is not ours to run."""
    code = 1
    try:
        try:
            found: object = _Stage(plan, launch, exchange, scratch).play()
        except OSError as error:
            found = f"{os.fsdecode(error.filename or b'')}: {error.strerror}".lstrip(": ")
        answer.write_bytes(pickle.dumps(found))
        code = 0
    except BaseException:  # noqa: BLE001 (the process ends here)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


class _Stage:
    """The namespace, and the starts in it."""

    def __init__(self, plan: Plan, launch: Launcher, exchange: Path, scratch: bytes) -> None:
        self._plan = plan
        self._launch = launch
        self._exchange = os.fsencode(exchange)
        self._scratch = scratch
        self._unprivileged = os.geteuid() != 0

    def play(self) -> Rehearsed:
        self._enter()
        plan, found = self._plan, Rehearsed(starts=[])
        store = {b"": self._scratch + b"/store"}
        if plan.existing:
            store |= fill_store(self._scratch, plan.keeps, unprivileged=self._unprivileged)
        if not plan.interactive:
            reference = self._copy(b"reference", ())
            found.starts.append(self._start(reference, BEFORE, plan.first, keep=False))
            found.starts.append(self._start(reference, UNWIPED, plan.again, keep=False))
            found.reference = dict(self._things(reference))
        first = self._copy(b"first", ())
        found.starts.append(self._start(first, FIRST, plan.first, keep=True))
        found.made = dict(self._things(first)) | dict(self._left_out())
        again = self._copy(b"again", self._wiped(first))
        found.starts.append(self._start(again, AGAIN, plan.again, keep=True))
        found.kept = {
            os.path.join(b"/", path): _thing(there, st) for path, there, st in changes(store)
        }
        return found

    def _left_out(self) -> Iterator[tuple[bytes, Thing]]:
        """Yield what is there, is state, and is not kept: after a wipe it is gone."""
        for top in self._plan.hidden if self._plan.existing else ():
            for path in _walk(top):
                if not any(is_within(path, keep.path) for keep in self._plan.keeps):
                    with suppress(OSError):
                        yield path, _thing(path, os.lstat(path))

    def _enter(self) -> None:
        uid, gid = os.geteuid(), os.getegid()
        kernel.adopt_orphans()
        kernel.unshare(kernel.CLONE_NEWNS | (kernel.CLONE_NEWUSER if self._unprivileged else 0))
        if self._unprivileged:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        kernel.mount(b"", b"/", b"", kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.mount(b"tmpfs", self._scratch, b"tmpfs", 0, b"mode=755")
        os.mkdir(self._scratch + b"/store")

    def _copy(self, name: bytes, wiped: tuple[bytes, ...]) -> Copy:
        plan = self._plan
        base = self._scratch + b"/" + name
        os.mkdir(base)
        return Copy(
            base=base,
            unprivileged=self._unprivileged,
            hidden=frozenset(wiped if plan.existing else (*plan.hidden, *wiped)),
            homes=() if plan.existing else (plan.home,),
            protected=tuple(_needed(plan)),
        )

    def _wiped(self, first: Copy) -> tuple[bytes, ...]:
        """Name what the machine has and the first start changed: after a wipe that is gone too."""
        there = self._plan.hidden if self._plan.existing else ()
        return (
            *there,
            *self._changed(first),
        )

    def _changed(self, first: Copy) -> Iterator[bytes]:
        return (
            path
            for path, _, st in changes(first.uppers)
            if not stat.S_ISDIR(st.st_mode) and not is_whiteout(st) and os.path.lexists(path)
        )

    def _things(self, copy: Copy) -> Iterator[tuple[bytes, Thing]]:
        in_place = {keep.path for keep in self._plan.keeps if b"reference" not in copy.base}
        for path, there, st in changes(copy.uppers):
            # Where a kept path is mounted or linked, its program may have put a file of its own.
            is_ours = path in in_place and (not stat.S_ISREG(st.st_mode) or not st.st_size)
            if not is_whiteout(st) and not is_ours:
                yield path, _thing(there, st)

    def _start(self, copy: Copy, label: str, command: tuple[str, ...], *, keep: bool) -> Start:
        """Start the program in a copy, and wait for it and all that it has started."""
        errors = self._scratch + b"/stderr." + label.encode()
        uppers = copy.base + b"/uppers"
        child = os.fork()
        if not child:
            self._become(copy, label, command, errors, keep=keep)
        code, was_ended = self._wait(child)
        _kill_descendants(signal.SIGKILL)
        with suppress(FileNotFoundError):
            copy.uppers = pickle.loads(Path(os.fsdecode(uppers)).read_bytes())  # noqa: S301 (ours)
        said = b""
        with suppress(FileNotFoundError):
            said = Path(os.fsdecode(errors)).read_bytes()
        return Start(label, code, was_ended, said.decode(errors="backslashreplace"))

    def _become(
        self, copy: Copy, label: str, command: tuple[str, ...], errors: bytes, *, keep: bool
    ) -> None:
        """Build the copy in a mount namespace of its own, and start the program in it."""
        code = 1
        try:
            kernel.unshare(kernel.CLONE_NEWNS)
            copy.uppers = {}
            copy.build()
            place = copy.root + EXCHANGE
            os.makedirs(place, exist_ok=True)
            kernel.mount(self._exchange, place, b"", kernel.MS_BIND)
            store = self._scratch + b"/store"
            if keep:
                put_in_place(copy.root, store, self._plan.storage, self._plan.keeps)
            Path(os.fsdecode(copy.base + b"/uppers")).write_bytes(pickle.dumps(copy.uppers))
            directory = os.getcwd()
            program = os.fork()
            if not program:
                self._run(copy, label, command, errors, directory)
            _, status = os.waitpid(program, 0)
            if keep:
                take_out(copy.root, store, self._plan.keeps)
            if os.WIFSIGNALED(status):
                signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
                os.kill(os.getpid(), os.WTERMSIG(status))
            code = os.waitstatus_to_exitcode(status)
        except BaseException:  # noqa: BLE001 (the process ends here)
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _run(
        self, copy: Copy, label: str, command: tuple[str, ...], errors: bytes, directory: str
    ) -> None:
        code = 1
        try:
            if not self._plan.interactive:
                _redirect(errors)
            kernel.unshare(kernel.CLONE_NEWNS)
            kernel.change_root(copy.root)
            with suppress(OSError):
                os.chdir(directory)
            for name in _HIDDEN_VARIABLES:
                os.environ.pop(name, None)
            os.environ["XDG_RUNTIME_DIR"] = f"/run/user/{os.getuid()}"
            database = os.fsdecode(EXCHANGE) + "/imptrace.db"
            code = self._launch(Launch(command, label, database))
        except ImptraceError as error:
            sys.stderr.write(f"imptrace: {error}\n")
            code = error.exit_code
        except BaseException:  # noqa: BLE001 (the process ends here)
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _wait(self, child: int) -> tuple[int, bool]:
        """Wait for a start; after its time is over its program is asked to end, then made to."""
        end = time.monotonic() + self._plan.seconds
        asked = False
        while True:
            pid, status = os.waitpid(child, os.WNOHANG if not self._plan.interactive else 0)
            if pid:
                return os.waitstatus_to_exitcode(status), asked
            if time.monotonic() > end:
                _kill_descendants(signal.SIGKILL if asked else signal.SIGTERM, youngest=True)
                asked = True
                end = time.monotonic() + _GRACE
            time.sleep(0.02)


def _walk(top: bytes) -> Iterator[bytes]:
    """Yield a path and all below it."""
    yield top
    if os.path.isdir(top) and not os.path.islink(top):
        for directory, names, files in os.walk(top):
            yield from (os.path.join(directory, name) for name in (*names, *files))


def _redirect(errors: bytes) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    said = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(said, 2)


def _needed(plan: Plan) -> Iterator[bytes]:
    """Name what the program cannot start without: itself, what it is given, and imptrace."""
    for word in (*plan.first, *plan.again):
        found = shutil.which(word) or (word if os.path.lexists(word) else None)
        if found:
            path = os.fsencode(os.path.abspath(found))
            yield path
            yield os.path.realpath(path)
    yield os.fsencode(os.getcwd())
    for directory in (sys.prefix, sys.base_prefix, *sys.path):
        if directory:
            yield os.fsencode(os.path.realpath(directory))


def _thing(path: bytes, st: os.stat_result) -> Thing:
    kind, mark = "file", ""
    if stat.S_ISDIR(st.st_mode):
        kind = "directory"
    elif stat.S_ISLNK(st.st_mode):
        kind, mark = "link", os.fsdecode(os.readlink(path))
    elif stat.S_ISREG(st.st_mode):
        inode = (st.st_dev, st.st_ino)
        with suppress(OSError), open(open_regular(path, inode), "rb") as file:
            mark = hashlib.blake2b(file.read(_LARGEST), digest_size=16).hexdigest()
    else:
        kind = "other"
    return Thing(kind, st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode), mark)


def _kill_descendants(number: int, *, youngest: bool = False) -> None:
    """End what we have started: all of it, or only what has no children itself."""
    parents = dict(_parents())
    mine = {os.getpid()}
    for _ in parents:
        grown = mine | {pid for pid, parent in parents.items() if parent in mine}
        if grown == mine:
            break
        mine = grown
    mine.discard(os.getpid())
    if youngest:
        mine -= set(parents.values())
    for pid in mine:
        with suppress(OSError):
            os.kill(pid, number)
    if not youngest:
        with suppress(ChildProcessError):
            while os.waitpid(-1, 0)[0]:
                pass


def _parents() -> Iterator[tuple[int, int]]:
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                line = Path("/proc", name, "stat").read_text(errors="replace")
                yield int(name), int(line.rpartition(")")[2].split()[1])
