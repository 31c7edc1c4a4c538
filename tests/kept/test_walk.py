"""Directories read in C hold what Python's own calls say of them."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imptrace.judge.words import BACKUP, NOTABLE, STREAM, is_ordinary
from imptrace.kept.walk import Tree, read
from imptrace.tracer import _scan

WORDS = frozenset(word.encode() for word in NOTABLE) | {b"goutputstream"}
PARTS = st.one_of(
    st.sampled_from(sorted(NOTABLE)),
    st.text("abcdeXYZ019._-~é", min_size=1, max_size=6),
    st.sampled_from(["trustdb", "XMLKey", "PublicKEY", "myDb", "aB"]),
)


@given(st.lists(PARTS, min_size=1, max_size=4))
def test_no_name_that_a_rule_looks_at_is_overlooked(parts: list[str]) -> None:
    name = "".join(parts).encode()
    found = bool(_scan.notable([name], WORDS))
    assert found or is_ordinary(name)
    if not found:
        assert BACKUP not in name[-1:]
        assert STREAM not in name


def test_a_directory_has_what_lstat_says(tmp_path: Path) -> None:
    for number in range(20_000):
        (tmp_path / f"file{number}").touch()
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "file7").write_bytes(b"x" * 12345)
    tree = Tree()
    directory = tree.open(os.fsencode(tmp_path))
    pieces = list(read(directory))
    os.close(directory)
    assert len(pieces) > 2
    assert [name for piece in pieces for name in piece.directories] == [b"directory"]
    seen = {
        name: (piece.modes[i], piece.sizes[i], piece.mtimes[i], piece.inodes[i], piece.links[i])
        for piece in pieces
        for i, name in enumerate(piece.names)
    }
    assert len(seen) == 20_001
    for name in (b"file7", b"file19999", b"link"):
        found = os.lstat(os.fsencode(tmp_path) + b"/" + name)
        assert seen[name] == (
            found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino, found.st_nlink,
        )  # fmt: skip
    assert stat.S_ISLNK(seen[b"link"][0])


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real/inside").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    tree = Tree(os.fsencode(tmp_path))
    for path in (b"/link", b"/link/inside", b"/../../etc"):
        with pytest.raises(OSError, match=r"symbolic|cross-device|Not a directory|No such"):
            tree.open(path)
    os.close(tree.open(b"/real/inside"))
