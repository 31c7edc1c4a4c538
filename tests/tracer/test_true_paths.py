"""Paths that are easily recorded wrong are true, or it is said that they may not be."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_programs import PATIENCE, Recorder, needs_bpf, needs_root

from imptrace.db.records import Effect
from imptrace.tracer.events import Op, Outcome

OPENAT2 = """
import ctypes, os, struct
c = ctypes.CDLL(None, use_errno=True)
def openat2(directory, path, flags, resolve):
    how = struct.pack("QQQ", flags, 0o600 if flags & os.O_CREAT else 0, resolve)
    fd = c.syscall(437, directory, path, how, len(how))
    return os.close(fd) or 0 if fd >= 0 else ctypes.get_errno()
IN_ROOT, BENEATH, NO_SYMLINKS, NO_MAGICLINKS, NO_XDEV = 0x10, 0x08, 0x04, 0x02, 0x01
NEW = os.O_WRONLY | os.O_CREAT
"""


def files(top: Path) -> set[bytes]:
    """List the files below a directory, links resolved."""
    return {
        os.fsencode(os.path.join(directory, name))
        for directory, _, names in os.walk(top)
        for name in names
        if not os.path.islink(os.path.join(directory, name))
    }


def missing_and_wrong(record: Recorder, top: Path) -> tuple[set[bytes], set[bytes]]:
    """Compare the record with the disk."""
    seen, there = set(record.paths(top)), files(top)
    return there - seen, {path for path in seen if not os.path.lexists(path)} - {
        os.fsencode(top / "new")
    }


@pytest.mark.parametrize("readers", ["0", "1", "3"])
@pytest.mark.parametrize("recorder", ["auto", "notify", "ptrace"])
def test_link_that_is_swapped(
    record: Recorder, work: Path, compiled: Callable[..., Path], recorder: str, readers: str
) -> None:
    """A deployment: what another process looks up meanwhile leads nobody astray."""
    options = ("--recorder", recorder)
    record(str(compiled("relink")), "300", readers, cwd=work, options=options)
    assert missing_and_wrong(record, work) == (set(), set())


NOTIFY = ("--recorder", "notify")


def test_path_changed_by_another_thread(
    record: Recorder, work: Path, compiled: Callable[..., Path]
) -> None:
    """It cannot be known; that it happened is said, and of an ordinary program nothing is."""
    for _ in range(5):  # whether the threads ever meet is up to the scheduler
        record(str(compiled("flip")), "1000", options=NOTIFY, cwd=work)
        if codes := {code for code, _ in record.details().run.warnings}:
            break
    assert codes == {"changed-path"}
    _, wrong = missing_and_wrong(record, work)
    assert len(wrong) <= 2 * said_to_be_changed(record)  # a lower bound, under load
    record(str(compiled("crowd")), "20", options=NOTIFY, cwd=work)
    assert not record.details().run.warnings


def said_to_be_changed(record: Recorder) -> int:
    """Tell how many paths are said to be other ones, perhaps."""
    texts = [text for code, text in record.details().run.warnings if code == "changed-path"]
    return int(texts[0].removeprefix("at least ").split()[0]) if texts else 0


RENAMED = """
import os
os.mkdir("d0"); os.mkdir("d1")
for number in range(40):
    open(f"d{number % 2}/{number}", "w").close()
    if "exchange" in MODE:
        libc.renameat2(-100, b"d0", -100, b"d1", 2)
    else:
        os.rename("d0", "d2"); os.rename("d1", "d0"); os.rename("d2", "d1")
    open(f"d{number % 2}/again", "w").close()
"""


@pytest.mark.parametrize("options", [(), ("--recorder", "ptrace")])
@pytest.mark.parametrize("mode", ["exchange", "rename"])
def test_directories_that_change_places(
    record: Recorder, work: Path, mode: str, options: tuple[str, ...]
) -> None:
    """The same renames over and over are no repeats: each takes along what came since the last."""
    code = f"import ctypes; libc = ctypes.CDLL(None); MODE = {mode!r}\n{RENAMED}"
    assert record(sys.executable, "-c", code, cwd=work, options=options).returncode == 0
    assert missing_and_wrong(record, work)[0] == set()
    assert not record.details().run.warnings


@pytest.mark.parametrize("recorder", ["notify", "ptrace", pytest.param("bpf", marks=needs_bpf)])
def test_directories_that_another_process_moves(
    record: Recorder, work: Path, compiled: Callable[..., Path], recorder: str
) -> None:
    """Where it is not known which of two processes came first, that is said."""
    options = ("--recorder", recorder)
    record(str(compiled("movers")), "300", "2", options=options, cwd=work)
    missing, _ = missing_and_wrong(record, work)
    assert len(missing) <= said_to_be_changed(record)


def test_a_call_that_waits_holds_up_nobody(record: Recorder, work: Path) -> None:
    """A directory is renamed while another thread stands at a FIFO for whoever renames it."""
    code = """
import os, threading
os.mkfifo("fifo"); os.mkdir("d")
reader = threading.Thread(target=lambda: open("fifo").read()); reader.start()
for _ in range(50):
    os.rename("d", "e"); os.rename("e", "d")
open("d/made", "w").close(); open("fifo", "w").close(); reader.join()
"""
    done = record(sys.executable, "-c", code, cwd=work, options=("--recorder", "ptrace"))
    assert done.returncode == 0, done.stderr
    assert os.fsencode(work / "d/made") in record.paths(work)
    assert not record.details().run.warnings


@needs_root
@pytest.mark.parametrize("inside", [True, False])
def test_mount_points(record: Recorder, work: Path, *, inside: bool) -> None:
    """No entry that is a mount point is removed or renamed, nor is one that is none."""
    code = """
import os
for act in (lambda: os.rmdir("m"), lambda: os.rename("m", "q"), lambda: os.rename("d", "m"),
            lambda: os.unlink("n/f"), lambda: os.rename("n/f", "n/g"),
            lambda: os.rename("n/g", "n/f"),
            lambda: os.rmdir("d/."), lambda: os.rename("d/..", "y")):
    try:
        act()
    except OSError:
        continue
    raise SystemExit(1)
"""
    made = "mkdir m n d; touch n/f n/g; mount -t tmpfs none m; mount --bind n/g n/f"
    apart = ["unshare", "-m", "sh", "-c", f'{made}; exec "$@"', "sh"]
    if inside:
        done = record(*apart, sys.executable, "-c", code, cwd=work)
    else:
        words = record.command(sys.executable, "-c", code)
        done = subprocess.run([*apart, *words], cwd=work, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = {
        (path.removeprefix(os.fsencode(work)), access.op): access
        for path, seen in record.paths(work).items()
        for access in seen.accesses
        if access.op in (Op.DELETE, Op.RENAME)
    }
    assert len(outcomes) >= 4
    assert {access.outcome for access in outcomes.values()} == {Outcome.FAILED}


def test_resolved_in_a_root(record: Recorder, work: Path) -> None:
    """openat2(2) with RESOLVE_IN_ROOT: links, ".." and "/" stay below the directory."""
    code = f"""{OPENAT2}
os.makedirs("R/etc"); os.makedirs("R/sub")
os.symlink("../../../../etc/up", "R/sub/up"); os.symlink("/etc/new", "R/newlink")
os.symlink("/sub/..", "R/round")
d = os.open("R", os.O_PATH | os.O_DIRECTORY)
for path in (b"sub/up", b"newlink", b"/../../etc/abs", b"round/etc/round", b"/top"):
    assert openat2(d, path, NEW, IN_ROOT) == 0, path
"""
    result = record(sys.executable, "-c", code, cwd=work)
    assert result.returncode == 0, result.stderr
    assert missing_and_wrong(record, work) == (set(), set())
    assert not [path for path in record.paths("/etc") if path.endswith((b"/new", b"/up", b"/abs"))]


def test_refused_by_resolve_flags(record: Recorder, work: Path) -> None:
    """What openat2(2) refuses is recorded as refused."""
    code = f"""{OPENAT2}
os.mkdir("d"); os.symlink("real", "d/link"); open("d/real", "w").close(); os.mkdir("out")
d = os.open("d", os.O_PATH | os.O_DIRECTORY)
print(openat2(d, b"real", os.O_RDONLY, BENEATH | NO_SYMLINKS),
      openat2(d, b"link", os.O_RDONLY, NO_SYMLINKS),
      openat2(d, b"../out/x", NEW, BENEATH),
      openat2(d, b"/proc/self/mounts", os.O_RDONLY, NO_XDEV))
"""
    result = record(sys.executable, "-c", code, cwd=work)
    assert result.stdout.split() == [
        str(number).encode() for number in (0, errno.ELOOP, errno.EXDEV, errno.EXDEV)
    ]
    paths = record.paths(work)
    assert os.fsencode(work / "d/real") in paths
    assert paths[os.fsencode(work / "out/x")].accesses[-1].outcome is Outcome.FAILED


def test_deeper_than_the_kernel_tells(record: Recorder, work: Path) -> None:
    """Directories whose names are longer than a page: counted and said."""
    code = """
import os
for _ in range(30):
    os.mkdir("d" * 200); os.chdir("d" * 200); open("file", "w").close()
"""
    record(sys.executable, "-c", code, options=NOTIFY, cwd=work)
    (text,) = (text for code, text in record.details().run.warnings if code == "too-long")
    assert int(text.split()[0]) >= 19
    subprocess.run(["rm", "-rf", str(work)], check=True)


@needs_root
def test_overlay_of_its_own(record: Recorder, tmp_path: Path) -> None:
    """What is changed on an overlay that only the program has lies in the upper directory."""
    for name in ("base", "upper", "work", "merged"):
        (tmp_path / "over" / name).mkdir(parents=True)
    (tmp_path / "over/base/old").write_text("old")
    (tmp_path / "over/base/kept").write_text("kept")
    script = (
        "mount -t overlay overlay -o lowerdir=base,upperdir=$PWD/upper,workdir=work merged;"
        " cd merged; echo state > state; cat kept; echo more >> old; mkdir sub; mv state sub/moved;"
        " rm kept"
    )
    # The bpf recorder has the program's names for it: docs/recorders.md.
    place = tmp_path / "over"
    result = record("unshare", "-m", "sh", "-c", script, options=NOTIFY, cwd=place)
    if result.returncode:
        pytest.skip("no overlay here")
    upper = {
        path.removeprefix(os.fsencode(tmp_path / "over/upper") + b"/"): seen.effect
        for path, seen in record.paths(tmp_path / "over/upper").items()
    }
    assert upper[b"sub"] is Effect.CREATED
    assert upper[b"sub/moved"] is Effect.CREATED
    assert upper[b"old"] is Effect.CREATED


@pytest.mark.parametrize("limit", [20, 64])
def test_few_descriptors(record: Recorder, work: Path, limit: int) -> None:
    """Sixty processes at once, and not enough descriptors for one each."""
    script = "for i in $(seq 60); do (sleep 1; echo > $i.a; mv $i.a $i.b) & done; wait"
    command = record.command("sh", "-c", script)
    subprocess.run(
        ["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *command],
        cwd=work, check=True, timeout=PATIENCE, capture_output=True,
    )  # fmt: skip
    missing, _ = missing_and_wrong(record, work)
    assert not missing
