"""Work in a process of its own: what it returns and raises, and that it is done at all."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from imptrace.errors import ImptraceError
from imptrace.record.apart import Apart


def whose(*words: str) -> tuple[int, tuple[str, ...]]:
    """Tell who does the work."""
    return os.getpid(), words


def failing(error: Exception) -> None:
    raise error


def end(number: int) -> int:
    """End without an answer, unless it is this process that would."""
    if os.getpid() != number:
        os._exit(1)
    return os.getpid()


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended, also where nobody has waited for it yet."""
    deadline = time.monotonic() + 30
    while stat := _stat(pid):
        if "Z" in stat:
            return
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _stat(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    with closing(Apart()) as made:
        yield made


def test_it_is_done_by_others(apart: Apart) -> None:
    """Each by a process that is gone then; that which they come from stays."""
    first, words = apart.do(whose, "a", "b")
    second, _ = apart.do(whose)
    assert words == ("a", "b")
    assert len({first, second, apart.pid, os.getpid()}) == 4
    wait_until_gone(first)


@pytest.mark.parametrize("error", [ImptraceError("words"), OSError(28, "full")])
def test_what_it_raises(apart: Apart, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error.args[-1])):
        apart.do(failing, error)


def test_without_an_answer_it_is_done_here(apart: Apart) -> None:
    assert apart.do(end, os.getpid()) == os.getpid()


def test_when_it_is_killed_all_is_done_here() -> None:
    with closing(Apart()) as apart:
        os.kill(apart.pid, signal.SIGKILL)
        os.waitpid(apart.pid, 0)
        assert apart.do(whose)[0] == os.getpid()


def test_it_ends_with_who_made_it() -> None:
    """However that ends, and by no signal to the group before."""
    said, theirs = os.pipe()
    child = os.fork()
    if not child:
        apart = Apart()
        os.kill(apart.pid, signal.SIGTERM)
        os.write(theirs, b"%d" % apart.pid)
        signal.pause()
    pid = int(os.read(said, 100))
    time.sleep(0.2)
    assert Path(f"/proc/{pid}").exists()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    wait_until_gone(pid)
