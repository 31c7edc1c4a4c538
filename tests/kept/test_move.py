"""`imptrace move`: what arrives in the store, and what is left of an interrupted one."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import forked
import pytest
from directories import contents
from forked import IMPTRACE

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="owners are given by root")


def move(*arguments: str | Path, user: int | None = None) -> "subprocess.CompletedProcess[str]":
    if user is None:
        return forked.run_text("move", *arguments)
    return subprocess.run(
        [IMPTRACE, "move", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        user=user,
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Make a tree of everything that a copy can lose."""
    top = tmp_path / "src"
    (top / "closed").mkdir(parents=True)
    (top / "closed" / "key").write_text("secret")
    (top / "closed" / "key").chmod(0o400)
    (top / "closed").chmod(0o2750)
    (top / "one").write_text("twice")
    os.link(top / "one", top / "two")
    os.symlink("nowhere", top / "link")
    with (top / "sparse").open("wb") as file:
        file.truncate(50_000_000)
        file.seek(20_000_000)
        file.write(b"x")
    os.mkfifo(top / "fifo")
    Path(os.fsdecode(os.fsencode(top) + b"/\n\xff $(x)")).write_text("odd")
    os.setxattr(top / "one", "user.note", b"n")
    os.utime(top / "closed" / "key", ns=(1, 123_456_789))
    return top


def test_everything_arrives(source: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    if os.geteuid() == 0:
        os.chown(source / "closed", 12345, 23456)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(source / "sock"))
        done = move(source, "--store", store)
    assert done.returncode == 0, done.stderr
    assert "sock: a socket" in done.stderr
    copy = Path(f"{store}{source}")
    (source / "sock").unlink()
    here = {name[len(os.fsencode(source)) :]: found for name, found in contents(source).items()}
    there = {name[len(os.fsencode(copy)) :]: found for name, found in contents(copy).items()}
    assert {name: found._replace(inode=0) for name, found in here.items()} == {
        name: found._replace(inode=0) for name, found in there.items()
    }
    assert (copy / "one").samefile(copy / "two")
    assert (copy / "sparse").stat().st_blocks * 512 < 1_000_000
    assert not list(copy.parent.glob(".*"))


def test_again_brings_it_up_to_date_and_undo_takes_it_out(source: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    copy = Path(f"{store}{source}")
    assert move(source, "--store", store).returncode == 0
    assert "there already" in move(source, "--store", store).stdout
    (source / "one").write_text("changed")
    (source / "link").unlink()
    done = move(source, "--store", store)
    assert (done.returncode, "brought up to date" in done.stdout) == (0, True)
    assert (copy / "two").read_text() == "changed"
    assert not os.path.lexists(copy / "link")
    assert move("--undo", "--store", store).returncode == 0
    assert not list(store.iterdir())


def test_what_the_store_has_newer_is_left(source: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    copy = Path(f"{store}{source}")
    move(source, "--store", store)
    (copy / "one").write_text("of the store")
    (source / "fifo").unlink()
    done = move(source, "--store", store)
    assert done.returncode == 1
    assert "newer" in done.stdout
    assert (copy / "one").read_text() == "of the store"
    assert move("--undo", "--store", store).returncode == 1
    assert (copy / "one").read_text() == "of the store"


def test_a_program_that_writes_is_named_and_waited_for(source: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    with (source / "log").open("w"):
        done = move(source, "--store", store, "--json")
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert [each["outcome"] for each in answer["paths"]] == ["in-use"]
    assert [each["pid"] for each in answer["holders"] if each["writes"]] == [os.getpid()]
    assert not Path(f"{store}{source}").exists()
    with (source / "log").open("w"):
        assert move(source, "--store", store, "--live").returncode == 0


def test_a_dry_run_writes_nothing(source: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    done = move(source, "--store", store, "--dry-run")
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["to", "copy"])
    assert not store.exists()


@needs_root
def test_without_root_it_says_how(source: Path, tmp_path: Path) -> None:
    for path in (tmp_path, *tmp_path.parents):
        if path.owner() == "root" and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o755)
    done = move(source / "one", "--store", tmp_path / "store", user=65534)
    assert done.returncode == 125
    assert "needs root: sudo" in done.stderr


@needs_root
def test_a_link_in_the_store_leads_nowhere_else(tmp_path: Path) -> None:
    """Whoever owns a directory of the store could put one there while root copies."""
    source, victim = tmp_path / "a" / "b", tmp_path / "victim"
    (source).mkdir(parents=True)
    victim.mkdir()
    store = tmp_path / "store"
    Path(f"{store}{tmp_path}").mkdir(parents=True)
    os.symlink(victim, Path(f"{store}{tmp_path}/a"))
    assert move(source, "--store", store).returncode == 1
    assert not list(victim.iterdir())


def test_killed_at_any_moment_it_goes_on(tmp_path: Path) -> None:
    """Nothing is lost, and nothing half is ever under its own name: benchmarks/moves.py, short."""
    source, store = tmp_path / "src", tmp_path / "store"
    source.mkdir()
    for number in range(300):
        (source / str(number)).write_bytes(os.urandom(3000))
    copy = Path(f"{store}{source}")
    for attempt in range(8):
        process = subprocess.Popen([IMPTRACE, "move", source, "--store", store])
        time.sleep(0.25 + attempt * 0.03)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if copy.exists():
            assert len(list(copy.iterdir())) == 300
    assert move(source, "--store", store).returncode == 0
    for number in range(300):
        assert (copy / str(number)).read_bytes() == (source / str(number)).read_bytes()


def test_what_an_interrupted_exchange_left_goes(source: Path, tmp_path: Path) -> None:
    """Killed between the exchange and its end, the older copy stands under the temporary name."""
    store = tmp_path / "store"
    assert move(source, "--store", store).returncode == 0
    copy = Path(f"{store}{source}")
    left = copy.with_name(".src.imptrace-part")
    left.mkdir()
    (left / "old").write_text("older")
    assert move(source, "--store", store, "--dry-run").returncode == 0
    assert left.exists()
    assert move(source, "--store", store).returncode == 0
    assert [each.name for each in copy.parent.iterdir()] == ["src"]


def test_what_chattr_has_set_is_said(tmp_path: Path) -> None:
    source, store = tmp_path / "src", tmp_path / "store"
    source.mkdir()
    (source / "fixed").write_text("x")
    if os.geteuid() or subprocess.run(["chattr", "+i", source / "fixed"], check=False).returncode:
        pytest.skip("no root, or no file system for it")
    try:
        done = move(source, "--store", store)
        again = move(source, "--store", store)
    finally:
        subprocess.run(["chattr", "-i", source / "fixed"], check=True)
    assert (done.returncode, again.returncode) == (0, 0)
    assert "fixed: the flags of chattr" in done.stdout + done.stderr


@needs_root
@pytest.mark.skipif(shutil.which("mount") is None, reason="needs mount")
def test_a_full_store_is_refused_before_anything_is_copied(tmp_path: Path) -> None:
    source, store = tmp_path / "src", tmp_path / "store"
    source.mkdir()
    store.mkdir()
    (source / "big").write_bytes(os.urandom(3_000_000))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", store], check=True)
    try:
        done = move(source, "--store", store)
        assert (done.returncode, "make room first" in done.stderr) == (125, True)
        assert not list(store.iterdir())
    finally:
        subprocess.run(["umount", store], check=True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name what to move"),
        (["nosuchprogram"], ""),
        (["/etc/hostname", "--store", "store"], "--store must be"),
        (["/", "--store", "/tmp/s"], "the root itself"),
        (["/etc", "--store", "/etc/s"], "holds the store itself"),
        (["--undo", "--store", "/tmp/no/such/store"], "nothing was moved"),
    ],
)
def test_bad_input(arguments: list[str], words: str) -> None:
    done = move(*arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr


FILLER = """#!{python}
import os, pathlib
top = pathlib.Path(os.environ["HOME"], ".local/share/filler")
(top / "closed").mkdir(parents=True)
for number in range(200):
    (top / "closed" / str(number)).write_bytes(os.urandom(3000))
(top / "closed").chmod(0o2750)
(top / "one").write_text("twice")
os.link(top / "one", top / "two")
os.symlink("nowhere", top / "link")
with (top / "sparse").open("wb") as file:
    file.seek(20_000_000)
    file.write(b"x")
os.setxattr(top / "one", "user.note", b"n")
os.utime(top / "one", ns=(1, 123_456_789))
"""


def without_inodes(top: Path) -> dict[bytes, object]:
    """Look at all in a directory, wherever that stands."""
    prefix = os.fsencode(top)
    found = contents(top)
    return {path.removeprefix(prefix): each._replace(inode=0) for path, each in found.items()}


def test_the_plan_is_the_same_copy_also_after_interruptions(tmp_path: Path) -> None:
    """Of `recommend --format plan`, killed again and again, and of `move`."""
    home = tmp_path / "home"
    home.mkdir()
    program = tmp_path / "filler"
    program.write_text(FILLER.format(python=sys.executable))
    program.chmod(0o755)
    environment = {**os.environ, "HOME": str(home), "IMPTRACE_DB": str(tmp_path / "db")}
    environment.pop("XDG_DATA_HOME", None)

    def imptrace(*words: str | Path) -> str:
        return subprocess.run(
            [IMPTRACE, *words], env=environment, check=True, capture_output=True, text=True
        ).stdout

    imptrace("run", "-q", program)
    by_plan, by_move = tmp_path / "plan", tmp_path / "move"
    script = imptrace("recommend", "filler", "--format", "plan", "--storage", by_plan)
    kept = Path(f"{by_plan}{home}/.local/share/filler")
    for hundredths in range(1, 8):
        with subprocess.Popen(["bash", "-c", script], start_new_session=True) as plan:
            time.sleep(hundredths / 50)
            os.killpg(plan.pid, signal.SIGKILL)
        assert not kept.exists() or (kept / "two").exists()
    subprocess.run(["bash", "-c", script], check=True)
    imptrace("move", "filler", "--store", by_move)
    for store in (by_plan, by_move):
        copy = Path(f"{store}{home}/.local/share/filler")
        assert without_inodes(copy) == without_inodes(home / ".local/share/filler")
        assert (copy / "one").stat().st_ino == (copy / "two").stat().st_ino
        assert (copy / "sparse").stat().st_blocks * 512 < 1_000_000
        assert os.getxattr(copy / "one", "user.note") == b"n"
        assert (copy / "one").stat().st_mtime_ns == 123_456_789
        assert not [*copy.parent.glob(".*imptrace-part")]
    named = {line.split()[1] for line in script.splitlines() if line.startswith("move ")}
    moved = json.loads(
        imptrace("move", "filler", "--store", tmp_path / "dry", "--dry-run", "--json")
    )
    assert {each["path"] for each in moved["paths"]} == named
