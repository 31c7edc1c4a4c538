"""What root looks at, copies or removes, its owner exchanges all the time: nothing else is hit."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from imptrace.kept.lost.find import is_alike
from imptrace.kept.lost.restore import Restorer
from imptrace.kept.move.held_open import directory_of, inside
from imptrace.kept.move.tree import digest, read_tree
from imptrace.kept.regular import open_regular
from imptrace.kept.rehearse.rehearsing import _thing
from imptrace.kept.walk import Tree

ROUNDS = 400
EXCHANGE = """
import ctypes, sys
c, one, other = ctypes.CDLL(None), *map(str.encode, sys.argv[1:])
c.prctl(1, 9)  # it ends with the test
print(flush=True)
while True:
    c.renameat2(-100, one, -100, other, 2)
"""


@contextmanager
def exchanged(one: Path, other: Path) -> Iterator[None]:
    """Let another process exchange two names without a pause."""
    swapper = subprocess.Popen(
        [sys.executable, "-c", EXCHANGE, str(one), str(other)], stdout=subprocess.PIPE
    )
    assert swapper.stdout is not None
    swapper.stdout.readline()
    try:
        yield
    finally:
        swapper.kill()
        swapper.communicate()


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """Give a FIFO: whoever opens it for reading waits until the test is given up."""
    os.mkfifo(tmp_path / "trap")
    return tmp_path / "trap"


def content(tree: Tree, path: bytes) -> bytes:
    """Read a file."""
    with tree.open_file(path) as file:
        return file.read()


@pytest.mark.parametrize("kind", ["fifo", "device", "link", "another"])
def test_nothing_else_is_opened(tmp_path: Path, trap: Path, kind: str) -> None:
    file = tmp_path / "file"
    file.touch()
    st = file.stat()
    found = {"fifo": trap, "device": Path("/dev/null"), "link": tmp_path / "link"}
    (tmp_path / "link").symlink_to(file)
    other = tmp_path / "other"
    other.touch()
    with pytest.raises(OSError, match=r"Errno"):
        open_regular(os.fsencode(found.get(kind, other)), (st.st_dev, st.st_ino))


def test_no_link_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/file").write_text("x")
    (tmp_path / "link").symlink_to("d")
    tree = Tree(os.fsencode(tmp_path))
    assert content(tree, b"/d/file") == b"x"
    with pytest.raises(OSError, match=r"Errno"):
        content(tree, b"/link/file")
    tree.close()


@pytest.mark.parametrize("who", ["leaks", "lost", "move", "rehearse"])
def test_a_fifo_for_a_file(tmp_path: Path, trap: Path, who: str) -> None:
    """Nobody waits for it, whenever it comes."""
    file, same = tmp_path / "file", tmp_path / "same"
    file.write_text("x")
    same.write_text("x")
    st, tree = file.stat(), Tree(os.fsencode(tmp_path))
    path = os.fsencode(file)
    looks = {
        "leaks": lambda: content(tree, b"/file"),
        "lost": lambda: is_alike(path, st, os.fsencode(same), same.stat()),
        "move": lambda: digest(path),
        "rehearse": lambda: _thing(path, st),
    }
    with exchanged(file, trap):
        for _ in range(ROUNDS):
            with suppress(OSError):
                looks[who]()
    tree.close()


def test_restored_into_a_directory_that_is_exchanged(tmp_path: Path) -> None:
    """Nothing is written where a link in its place leads."""
    was, now, private = (tmp_path / name for name in ("was", "now", "private"))
    for top in (was, now):
        (top / "home/d").mkdir(parents=True)
    (was / "home/d/shadow").write_text("not root's")
    private.mkdir()
    (private / "shadow").write_text("root's")
    os.utime(private / "shadow", (1, 1))
    (now / "home/link").symlink_to(private)
    end = time.monotonic() + 2
    with exchanged(now / "home/d", now / "home/link"):
        while time.monotonic() < end:
            for _ in Restorer(os.fsencode(was), os.fsencode(now)).restore(b"/home/d/shadow"):
                pass
            with suppress(OSError), directory_of(os.fsencode(now), b"/home/d/shadow") as held:
                os.unlink(held + b"/shadow")
            assert (private / "shadow").exists()
    assert [path.name for path in private.iterdir()] == ["shadow"]
    assert (private / "shadow").read_text() == "root's"


def test_a_part_that_somebody_else_has_begun(tmp_path: Path) -> None:
    """What is copied is never put where its owner can put links in the way."""
    if os.geteuid():
        pytest.skip("needs root")
    part = tmp_path / "part"
    part.mkdir()
    (part / "sub").symlink_to("/etc")
    os.chown(part, 65534, 65534)
    with inside(os.fsencode(part), is_directory=True) as top:
        assert os.listdir(top) == []
        assert os.stat(top).st_uid == 0
    (tmp_path / "store").mkdir()
    (tmp_path / "store/d").symlink_to("/etc")
    with (
        pytest.raises(OSError, match=r"Errno"),
        directory_of(os.fsencode(tmp_path / "store"), b"/d/passwd"),
    ):
        pass
    assert read_tree(os.fsencode(part), frozenset()).nodes.keys() == {b""}
