"""Logs of programs that change what a path means: chroot, mounts, pid namespaces; and torn logs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from reading import changes, needs_strace, read_files, strace, told

from imptrace.tracer.events import Access, AccessFlag, Op, Outcome, ProcessExited, ProcessStarted

needs_root = [
    pytest.mark.root,
    pytest.mark.skipif(os.getuid() != 0, reason="mounts and chroot need root"),
]
needs_bwrap = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")


def _ok(events: list[object], op: Op) -> set[bytes]:
    return {
        event.path
        for event in events
        if isinstance(event, Access) and event.op is op and event.outcome is Outcome.OK
    }


@needs_strace
@pytest.mark.parametrize("notes", [["-y"], []], ids=["-y", "plain"])
@pytest.mark.root
@needs_root[1]
def test_chroot(notes: list[str], tmp_path: Path) -> None:
    """Paths inside a new root are told as the host sees them, also through `..` and links."""
    (tmp_path / "jail/d").mkdir(parents=True)
    (tmp_path / "jail/link").symlink_to("/d")
    script = """if True:
        import os
        os.chroot("jail"); os.chdir("/d")
        os.readlink("/link")
        for name in ("/a", "rel", "../../../up", "/link/c"):
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    """
    log = tmp_path / "log"
    strace(["-f", *notes], [sys.executable, "-c", script], tmp_path, log)
    _, events = read_files([log], cwd=bytes(tmp_path))
    found = {path for op, path, _ in changes(events, tmp_path) if op is Op.CREATE}
    assert found == {b"jail/a", b"jail/d/rel", b"jail/up", b"jail/d/c"}


@needs_strace
@pytest.mark.root
@needs_root[1]
def test_a_mount_namespace(tmp_path: Path) -> None:
    """Bind mounts of a private namespace lead to where the host has the files."""
    for name in ("src", "dst", "tmpfs"):
        (tmp_path / name).mkdir()
    script = (
        "mount --bind src dst; mount -t tmpfs none tmpfs; : >dst/bound; : >tmpfs/hidden; : >plain"
        "; umount dst; : >dst/below"
    )
    log = tmp_path / "log"
    strace(["-f"], ["unshare", "-m", "sh", "-c", script], tmp_path, log)
    _, events = read_files([log], cwd=bytes(tmp_path))
    top = bytes(tmp_path)
    written = _ok(events, Op.WRITE)
    assert {top + b"/src/bound", top + b"/plain", top + b"/dst/below"} <= written
    hidden = [event for event in events if isinstance(event, Access) and b"hidden" in event.path]
    assert hidden
    assert all(AccessFlag.PRIVATE_MOUNT in event.flags for event in hidden)
    assert (tmp_path / "src/bound").exists()
    assert (tmp_path / "dst/below").exists()
    assert not (tmp_path / "tmpfs/hidden").exists()


@needs_strace
@needs_bwrap
@pytest.mark.parametrize("notes", [["-y"], []], ids=["-y", "plain"])
def test_bubblewrap(notes: list[str], tmp_path: Path) -> None:
    """A sandbox with two pivot_roots and a pid namespace: names inside are mapped to the host's."""
    for name in ("home", "state"):
        (tmp_path / name).mkdir()
    log = tmp_path / "log"
    command = ["bwrap", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib64", "/lib64"]
    command += ["--symlink", "usr/lib", "/lib", "--symlink", "usr/bin", "/bin", "--unshare-pid"]
    command += ["--bind", str(tmp_path / "home"), "/home/me", "--tmpfs", "/var"]
    command += ["--bind", str(tmp_path / "state"), "/var/lib/x", "--chdir", "/home/me"]
    command += ["sh", "-c", "(: >a); : >/var/lib/x/b; : >/var/c; mkdir d; cat a >d/e"]
    strace(["-f", *notes], command, tmp_path, log)
    if not (tmp_path / "home/a").exists():
        pytest.skip("bubblewrap may not make namespaces here")
    _, events = read_files([log], cwd=bytes(tmp_path))
    written = _ok(events, Op.WRITE)
    top = bytes(tmp_path)
    assert {top + b"/home/a", top + b"/state/b", top + b"/home/d/e"} <= written
    assert _ok(events, Op.MKDIR) >= {top + b"/home/d"}
    hidden = [event for event in events if isinstance(event, Access) and event.path == b"/var/c"]
    assert hidden
    assert all(AccessFlag.PRIVATE_MOUNT in event.flags for event in hidden)


@needs_strace
def test_a_log_on_stderr_between_the_programs_own_words(tmp_path: Path) -> None:
    """Without -o strace breaks its own lines, drops ids, and shares stderr with the program."""
    script = (
        "echo hello >&2; mkdir d; (cd d; mkdir e; (: >e/f) & wait) & wait; "
        'python3 -c \'import threading, os; t = threading.Thread(target=os.mkdir, args=["t"]); '
        't.start(); t.join(); threading.Thread(target=lambda: os.execlp("mkdir", "mkdir", "x"))'
        ".start(); import time; time.sleep(5)'"
    )
    command = ["strace", "-f", "sh", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    log = tmp_path / "log"
    log.write_bytes(done.stderr)
    reader, events = read_files([log], cwd=bytes(tmp_path))
    made = {path for op, path, _ in changes(events, tmp_path) if op is Op.MKDIR}
    assert made == {b"d", b"d/e", b"t", b"x"}
    assert bytes(tmp_path / "d/e/f") in _ok(events, Op.WRITE)
    assert reader.not_understood == 1  # "hello", which may stand in a line of its own or not
    starts = {event.process: event for event in events if isinstance(event, ProcessStarted)}
    assert [start for start in starts.values() if start.parent is None] == [starts[1]]
    ended = {event.process for event in events if isinstance(event, ProcessExited)}
    replaced = {start.previous for start in starts.values()}
    assert set(starts) == ended | (replaced - {None})


@needs_strace
def test_a_strace_that_was_killed_leaves_a_log_that_can_be_read(tmp_path: Path) -> None:
    """What was begun has an unknown outcome; a line cut in the middle is counted, or nothing."""
    log = tmp_path / "log"
    script = "i=0; while [ $i -lt 300 ]; do : >f$i; mkdir d$i; i=$((i+1)); done"
    process = subprocess.Popen(["strace", "-f", "-o", log, "sh", "-c", script], cwd=tmp_path)
    while not log.exists() or log.stat().st_size < 150_000:
        assert process.poll() is None
    process.kill()
    process.wait(timeout=60)
    reader, events = read_files([log], cwd=bytes(tmp_path))
    assert reader.not_understood <= 1
    assert bytes(tmp_path / "d2") in _ok(events, Op.MKDIR)
    assert 1 not in {event.process for event in events if isinstance(event, ProcessExited)}


def test_a_log_may_end_anywhere() -> None:
    """A log cut off at any byte tells what stood before the cut, and nothing that is not so."""
    whole = (
        b'7 openat(AT_FDCWD, "/a", O_WRONLY|O_CREAT|O_EXCL, 0600) = 3\n'
        b'7 mkdir("/b", 0700) = 0\n'
        b'7 rename("/b", "/c" <unfinished ...>\n'
        b"8 +++ exited with 0 +++\n"
        b"7 <... rename resumed>) = 0\n"
        b'7 unlink("/a") = -1 EPERM (Operation not permitted)\n'
        b"7 +++ killed by SIGSEGV (core dumped) +++\n"
    )
    full = {(event.op, event.path) for event in told(whole) if isinstance(event, Access)}
    for size in range(len(whole)):
        seen = [event for event in told(whole[:size]) if isinstance(event, Access)]
        assert {(event.op, event.path) for event in seen} <= full


def test_the_end_of_a_killed_process() -> None:
    """A call that the end left without a result may have happened; the status is waitpid's."""
    events = told(
        b'7 unlink("/a" <unfinished ...>\n7 +++ killed by SIGSEGV (core dumped) +++\n'
        b'8 mkdir("/b", 0700) = ?\n8 +++ exited with 3 +++\n'
    )
    outcomes = [event.outcome for event in events if isinstance(event, Access)]
    assert outcomes == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert [e.status for e in events if isinstance(e, ProcessExited)] == [11 | 0x80, 3 << 8]
