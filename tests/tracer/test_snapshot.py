"""What is seen at paths after a run: every kind of object, and the hint of what a file holds."""

import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imptrace.facts.content import ANYWHERE, CLUES, hint_of
from imptrace.tracer import snapshot
from imptrace.tracer._look import look
from imptrace.tracer.events import ABSENT, FileState, FileType
from imptrace.tracer.snapshot import snapshots

clues = st.sampled_from([clue.swapcase() if at == ANYWHERE else clue for at, clue in CLUES])


def seen(*paths: Path) -> list[tuple[bytes, FileState]]:
    return list(snapshots([os.fsencode(path) for path in paths]))


def test_each_kind_of_object_is_seen_as_lstat_sees_it(tmp_path: Path) -> None:
    """A file, a directory, a link to nowhere, a pipe, a socket."""
    (tmp_path / "file").write_bytes(b"x" * 7)
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to("nowhere\n")
    os.mkfifo(tmp_path / "pipe", 0o601)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    paths = sorted(tmp_path.iterdir())
    for path, found in zip(paths, seen(*paths), strict=True):
        expected = path.lstat()
        name, state = found
        assert name == os.fsencode(path)
        assert (state.size, state.mode) == (expected.st_size, stat.S_IMODE(expected.st_mode))
        assert (state.uid, state.gid) == (expected.st_uid, expected.st_gid)
        assert (state.inode, state.device) == (expected.st_ino, expected.st_dev)
        assert (state.mtime_ns, state.ctime_ns) == (expected.st_mtime_ns, expected.st_ctime_ns)
    kinds = {os.path.basename(path): state.type for path, state in seen(*paths)}
    assert kinds == {
        b"file": FileType.FILE,
        b"directory": FileType.DIRECTORY,
        b"link": FileType.SYMLINK,
        b"pipe": FileType.FIFO,
        b"socket": FileType.SOCKET,
    }
    assert [state.link for _, state in seen(tmp_path / "link")] == [b"nowhere\n"]


def test_what_is_gone_is_absent_and_what_cannot_be_asked_is_left_out(tmp_path: Path) -> None:
    """Nothing there, a file in the way, a name that no file system takes."""
    (tmp_path / "file").touch()
    gone, below_file = tmp_path / "gone", tmp_path / "file" / "below"
    assert [state for _, state in seen(gone, below_file)] == [ABSENT, ABSENT]
    assert seen(tmp_path / ("n" * 256)) == []


def test_many_paths_come_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one batch."""
    monkeypatch.setattr(snapshot, "BATCH", 3)
    paths = [tmp_path / f"{number}" for number in range(20)]
    for path in paths[::2]:
        path.write_text("token = abcdefgh")
    found = seen(*paths)
    assert [path for path, _ in found] == [os.fsencode(path) for path in paths]
    assert [state.hint for _, state in found] == ["credentials", None] * 10


def test_no_head_is_read_when_time_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The states still come."""
    monkeypatch.setattr(snapshot, "HINT_SECONDS", -1)
    (tmp_path / "file").write_text("token = abcdefgh")
    assert [(state.size, state.hint) for _, state in seen(tmp_path / "file")] == [(16, None)]


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=40), clues), max_size=5).map(b"".join),
    st.sampled_from(CLUES),
)
def test_a_head_with_a_hint_has_a_clue(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, clue: tuple[int, bytes]
) -> None:
    """What the fast search passes over would have given nothing; what it finds is the file's."""
    file = tmp_path_factory.getbasetemp() / "head"
    at = max(clue[0], 0)
    with_clue = text[:at].ljust(at, b"-") + clue[1] + text[at:]
    for head in (text, with_clue):
        file.write_bytes(head)
        kept = _head(file)
        assert kept in (None, head)
        assert kept is not None or hint_of(head) is None
    assert _head(file) == with_clue


def _head(file: Path) -> bytes | None:
    (sight,) = look([os.fsencode(file)], CLUES)
    assert not isinstance(sight, int)
    return sight[-1]


def test_what_a_link_leads_to_now_has_another_name(tmp_path: Path) -> None:
    """A path that led through no link is not there because a link leads on now."""
    file = tmp_path / "file"
    file.write_text("x")
    (tmp_path / "link").symlink_to(".")
    through = [os.fsencode(tmp_path / "link/file"), os.fsencode(tmp_path / "link/link")]
    assert [path for path, _ in snapshots([*through, os.fsencode(file)])] == [os.fsencode(file)]
    assert len(list(snapshots(through, direct=False))) == len(through)
    below_file = os.fsencode(file / "none")
    assert [state.type for _, state in snapshots([below_file])] == [FileType.ABSENT]


def test_only_the_file_that_was_seen_is_opened(tmp_path: Path) -> None:
    """Whose file it is may exchange it, and what is above it, for what only we may open."""
    token = b'{"token": "gho_0123456789abcdef0123456789abcdef0123"}'
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/file").write_bytes(token)
    (tmp_path / "link").symlink_to("secret")
    through_link = os.fsencode(tmp_path / "link/file")
    direct = os.fsencode(tmp_path / "secret/file")
    clue = ((-1, b"token"),)
    (seen_direct,) = look([direct], clue)
    (seen_through_link,) = look([through_link], clue)
    assert not isinstance(seen_direct, int)
    assert not isinstance(seen_through_link, int)
    assert seen_direct[-1] == token
    assert seen_through_link[-1] is None
