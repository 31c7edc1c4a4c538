"""What a wipe took: found in the old root, brought back whole, and nothing else."""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from command_line import Ask
from trees import PRIVATE_KEY, System

from imptrace.kept.lost.old_root import old_root
from imptrace.kept.lost.restore import Restorer
from imptrace.tracer.mountinfo import parse_mountinfo

KINDS = 10


@pytest.fixture(name="was")
def _was(tmp_path: Path) -> System:
    return System(tmp_path / "was")


@pytest.fixture(name="now")
def _now(tmp_path: Path) -> System:
    system = System(tmp_path / "now")
    os.utime(system.root / "etc/passwd", (2_000_000_000, 2_000_000_000))
    return system


def plant(system: System) -> list[bytes]:
    """Lay down a hundred files, ten of each kind."""
    found = []
    for number in range(KINDS):
        found += [
            system.put(f"/var/lib/service{number}/state"),
            system.put(f"/var/lib/service{number}/data.db", b"SQLite format 3\0" + b"x" * 999),
            system.put(f"/var/lib/service{number}/key", PRIVATE_KEY, 0o600),
            system.put(f"/home/alice/.config/program{number}/settings", mode=0o640),
            system.put(f"/home/alice/.local/share/program{number}/deep/er/{number}", b""),
            system.put(b"/var/lib/hostile/\xff\n\x1b[31m %d" % number),
            system.put(f"/etc/own/{number}.conf", mode=0o400),
            system.put(f"/home/alice/Documents/letter {number}.txt"),
        ]
        top = system.root / "var/lib" / f"service{number}"
        (top / "link").symlink_to("state")
        (top / "twin").hardlink_to(top / "state")
        found += [
            os.fsencode(top / name)[len(os.fsencode(system.root)) :] for name in ("link", "twin")
        ]
        with suppress(OSError):
            os.setxattr(top / "data.db", "user.note", b"kept")
        os.utime(top / "key", ns=(1_600_000_000_123_456_789,) * 2)
    return found


def lost(ask: Ask, was: System, now: System, *arguments: str) -> dict[str, object]:
    answered = ask(
        "lost", "--old-root", str(was.root), "--root", str(now.root), "--json", *arguments
    )
    assert answered.err == ""
    found: dict[str, object] = json.loads(answered.out)
    return found


def restored(was: System, now: System, planted: list[bytes]) -> None:
    """Hold each planted path against what was."""
    for path in planted:
        old, new = (os.fsencode(each.root) + path for each in (was, now))
        before, after = os.lstat(old), os.lstat(new)
        assert (before.st_mode, before.st_uid, before.st_gid, before.st_mtime_ns) == (
            after.st_mode, after.st_uid, after.st_gid, after.st_mtime_ns,
        )  # fmt: skip
        assert before.st_nlink == after.st_nlink
        if stat.S_ISREG(before.st_mode):
            assert Path(os.fsdecode(old)).read_bytes() == Path(os.fsdecode(new)).read_bytes()
            assert os.listxattr(old) == os.listxattr(new)


def test_a_hundred_files_are_found_and_brought_back(ask: Ask, was: System, now: System) -> None:
    planted = plant(was)
    was.put("/var/lib/service1/daemon.pid", b"1\n")
    was.put("/tmp/x")
    found = lost(ask, was, now)
    assert isinstance(found["lost"], list)
    assert sum(each["missing"] + each["older"] for each in found["lost"]) == len(planted) == 100
    tops = {b"/".join(path.split(b"/")[:4]) for path in planted}
    arguments = [word for top in sorted(tops) for word in ("--restore", os.fsdecode(top))]
    again = lost(ask, was, now, *arguments)
    assert again["lost"] == []
    restored(was, now, planted)


def test_nothing_newer_is_overwritten_and_an_older_one_is(was: System, now: System) -> None:
    for name, moment in (("newer", 100), ("older", 300)):
        was.put(f"/var/lib/x/{name}", b"was")
        os.utime(was.root / f"var/lib/x/{name}", (200, 200))
        now.put(f"/var/lib/x/{name}", b"now")
        os.utime(now.root / f"var/lib/x/{name}", (400 - moment, 400 - moment))
    was.put("/var/lib/x/same", b"same")
    now.put("/var/lib/x/same", b"same")
    steps = list(Restorer(os.fsencode(was.root), os.fsencode(now.root)).restore(b"/var/lib/x"))
    said = {os.path.basename(step.path): (step.is_done, step.what) for step in steps}
    assert said[b"newer"] == (False, "left: what is there is newer")
    assert said[b"older"] == (True, "restored over an older one")
    assert said[b"same"][0] is False
    assert (now.root / "var/lib/x/newer").read_bytes() == b"now"
    assert (now.root / "var/lib/x/older").read_bytes() == b"was"


def test_a_link_in_the_way_is_not_followed(was: System, now: System, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    was.put("/var/lib/x/y/state")
    (now.root / "var/lib/x").symlink_to(tmp_path / "elsewhere")
    steps = list(Restorer(os.fsencode(was.root), os.fsencode(now.root)).restore(b"/var/lib/x/y"))
    assert [step.is_done for step in steps] == [False]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_list_answers_where_no_old_root_is_left(ask: Ask, now: System, tmp_path: Path) -> None:
    saved = {
        "schema": "imptrace.saved-leaks/1",
        "boot": "another",
        "leaks": [
            {
                "path": "L3Zhci9saWIvZ29uZQ==", "kind": "directory", "size": 5, "files": 2,
                "mtime_ns": 1, "level": "important", "scope": "owned", "user": "root",
                "option": None, "attributed": "recorded", "writers": [["goned", None, "root"]],
            }
        ],
    }  # fmt: skip
    file = tmp_path / "list.json"
    file.write_text(json.dumps(saved))
    answered = ask("lost", "--root", str(now.root), "--list", str(file))
    assert answered.code == 1
    assert "/var/lib/gone/" in answered.out
    assert "goned (recorded)" in answered.out
    file.write_text("{}")
    broken = ask("lost", "--root", str(now.root), "--list", str(file))
    assert (broken.code, broken.err.count("\n")) == (125, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--restore", "/x"),
        ("--old-root", "/no/such"),
        ("--old-root", "/", "--restore", "/no/such"),
    ],
)
def test_an_error_is_one_line(ask: Ask, now: System, arguments: tuple[str, ...]) -> None:
    nothing = str(now.root / "no-list")
    answered = ask("lost", "--root", str(now.root), "--list", nothing, *arguments)
    assert answered.code == 2
    assert answered.err.count("\n") == 1


@pytest.fixture(name="btrfs")
def _btrfs(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Make a btrfs with a root and old roots, as initrd scripts keep them."""
    if os.geteuid() != 0 or shutil.which("mkfs.btrfs") is None:
        pytest.skip("needs root and mkfs.btrfs")
    image, place = tmp_path / "disk", tmp_path / "mnt"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.btrfs", "-q", image], check=True)
    looped = subprocess.run(
        ["losetup", "--find", "--show", image], capture_output=True, text=True, check=False
    )
    if looped.returncode:
        pytest.skip(f"no loop device: {looped.stderr.strip()}")
    device = looped.stdout.strip()
    try:
        if subprocess.run(["mount", device, place], capture_output=True, check=False).returncode:
            pytest.skip("the kernel has no btrfs")
        yield place, device
    finally:
        subprocess.run(["umount", place], capture_output=True, check=False)
        subprocess.run(["losetup", "--detach", device], check=False)


def test_btrfs_keeps_the_old_root(btrfs: tuple[Path, str], ask: Ask) -> None:
    """The newest of several is taken, though it is not mounted anywhere."""
    place, device = btrfs
    (place / "old_roots").mkdir()
    for name in ("root", "old_roots/2026-01-01", "old_roots/2026-02-02"):
        subprocess.run(["btrfs", "-q", "subvolume", "create", place / name], check=True)
    older = System(place / "old_roots/2026-01-01")
    older.put("/var/lib/ancient/x")
    was, now = System(place / "old_roots/2026-02-02"), System(place / "root")
    planted = plant(was)
    subprocess.run(["sync"], check=True)
    table = f"20 1 0:40 /root / rw - btrfs {device} rw,subvol=/root"
    with old_root(None, parse_mountinfo([table.encode()])) as found:
        assert found is not None
        assert found.shown == "old_roots/2026-02-02"
        answered = ask(
            "lost", "--old-root", os.fsdecode(found.path), "--root", str(now.root), "--json"
        )
        answer = json.loads(answered.out)
        assert sum(each["missing"] + each["older"] for each in answer["lost"]) == len(planted)
        restorer = Restorer(found.path, os.fsencode(now.root))
        for top in (b"/var", b"/etc/own", b"/home"):
            assert all(step.is_done or "same" in step.what for step in restorer.restore(top))
    restored(was, now, planted)


def test_btrfs_that_is_used_fully(btrfs: tuple[Path, str], ask: Ask) -> None:
    """Nested subvolumes, snapshots, shared and compressed blocks, swap; by another name."""
    place, _ = btrfs

    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, capture_output=True)

    run("mount", "-o", "remount,compress=zstd", place)
    run("btrfs", "quota", "enable", place)
    run("btrfs", "-q", "subvolume", "create", place / "root")
    was = System(place / "root")
    run("btrfs", "-q", "subvolume", "create", was.root / "var/lib/machines")
    was.put("/var/lib/machines/m/state", b"nested")
    was.put("/var/lib/app/data.db", b"SQLite format 3\0" + bytes(200_000))
    run("cp", "--reflink=always", was.root / "var/lib/app/data.db", was.root / "var/lib/app/b.db")
    was.put("/swap/swapfile", bytes(1 << 20), 0o600)
    run("mkswap", was.root / "swap/swapfile")
    (was.root / ".snapshots").mkdir()
    run("btrfs", "-q", "subvolume", "snapshot", "-r", was.root, was.root / ".snapshots/1")
    (place / "root").rename(place / "root-2026-01-01")
    run("btrfs", "-q", "subvolume", "create", place / "root")
    was.root = place / "root-2026-01-01"
    now = System(place / "root")
    found = lost(ask, was, now, "--restore", "/var/lib/app")
    assert isinstance(found["lost"], list)
    assert [each["path"] for each in found["lost"]] == ["/var/lib/machines"]
    restored(was, now, [b"/var/lib/app/data.db", b"/var/lib/app/b.db"])
    run("btrfs", "-q", "subvolume", "snapshot", "-r", was.root, place / "copy")
    answered = ask("lost", "--old-root", str(place / "copy"), "--root", str(now.root))
    assert "/var/lib/machines: a subvolume of its own, of which" in answered.err
    assert "snapshots" not in answered.err
    listed = subprocess.run(["btrfs", "subvolume", "list", place], capture_output=True, check=True)
    assert b"root-2026-01-01" in listed.stdout
    table = f"20 1 0:40 /root / rw - btrfs {btrfs[1]} rw,subvol=/root"
    with old_root(None, parse_mountinfo([table.encode()])) as seen:
        assert seen is not None
        assert seen.shown == "root-2026-01-01"
