"""The interactive view, by Textual's pilot and in a real terminal."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest
from textual.pilot import Pilot
from textual.widgets import Static, Tree

from imptrace.facts.levels import Kind, Level
from imptrace.judge.model import Scope
from imptrace.kept.leaks.model import Leak
from imptrace.kept.writers import Attributed, Writer
from imptrace.render.browse.app import Browser
from imptrace.render.browse.forest import ForestNode, SortOrder, forest, matching

Marked = tuple[bytes, ...] | None
HOSTILE = b"/home/a/\x1b[31m\xff[b]\n"


def leak(path: bytes, level: Level, size: int) -> Leak:
    return Leak(
        path=path, kind=Kind.FILE, size=size, files=1, mtime_ns=0, level=level, scope=Scope.OWNED,
        user="a", writers=(Writer(program=b"maker", unit=None, user="a"),),
        attributed=Attributed.CATALOGUE, option=None, reasons=(),
    )  # fmt: skip


FOLDER = replace(leak(b"/srv/folder", Level.NORMAL, 7), kind=Kind.DIRECTORY)
LEAKS = [
    leak(b"/var/lib/key", Level.SECRET, 10),
    leak(b"/var/lib/large", Level.NORMAL, 10_000),
    leak(b"/var/cache/x", Level.TRANSIENT, 5),
    leak(HOSTILE, Level.IMPORTANT, 20),
]


def names(node: ForestNode, order: SortOrder) -> list[bytes]:
    return [each.name for each in node.ordered(order)]


def test_the_tree_adds_up_and_joins_chains() -> None:
    root = forest(LEAKS)
    assert root.size == 10_035
    assert root.level is Level.SECRET
    assert names(root, SortOrder.CARE)[0] == b"var"
    lib = root.inside[b"var"].inside[b"lib"]
    assert names(lib, SortOrder.CARE) == [b"key", b"large"]
    assert names(lib, SortOrder.SIZE) == [b"large", b"key"]
    assert root.inside[b"home"].path == HOSTILE


def test_words_choose_by_all_that_is_shown() -> None:
    assert [each.path for each in matching(LEAKS, "MAKER secret")] == [b"/var/lib/key"]
    assert matching(LEAKS, "") == LEAKS


def played(
    script: Callable[[Pilot[Marked], Browser], Awaitable[None]], ignored: list[bytes] | None = None
) -> Marked:
    """Open the view in 80x24, and do something in it."""

    def ignore(path: bytes) -> bytes:
        if ignored is not None:
            ignored.append(path)
        return b"/file"

    def look(path: bytes) -> list[ForestNode]:
        return [ForestNode(path + b"/part", b"part", held=7, is_directory=False)]

    browser = Browser([*LEAKS, FOLDER], "summary", ignore, look)

    async def play() -> Marked:
        async with browser.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await script(pilot, browser)
            await pilot.pause()
        return browser.return_value

    return asyncio.run(play())


def labels(browser: Browser) -> list[str]:
    tree = browser.query_one(Tree)
    nodes = (tree.get_node_at_line(line) for line in range(tree.last_line + 1))
    return [str(node.label) for node in nodes if node is not None]


def words(browser: Browser, place: str) -> str:
    return str(browser.query_one(place, Static).render())


def test_what_is_marked_is_the_answer() -> None:
    async def script(pilot: Pilot[Marked], browser: Browser) -> None:
        assert not any("cache" in label for label in labels(browser))
        await pilot.press("down", "k")
        assert browser.marked.keys() == {b"/var/lib/key"}
        assert any("[k]" in label for label in labels(browser))
        await pilot.press("w")

    assert played(script) == (b"/var/lib/key",)


def test_a_directory_marks_all_in_it_and_again_none() -> None:
    async def script(pilot: Pilot[Marked], browser: Browser) -> None:
        await pilot.press("k")
        assert browser.marked.keys() == {b"/var/lib/key", b"/var/lib/large"}
        await pilot.press("up", "k")
        assert not browser.marked
        await pilot.press("w")
        assert "nothing is marked" in words(browser, "#told")
        await pilot.press("q")

    assert played(script) is None


def test_what_is_ignored_is_gone_and_written_down() -> None:
    ignored: list[bytes] = []

    async def script(pilot: Pilot[Marked], browser: Browser) -> None:
        await pilot.press("down", "i")
        await pilot.pause()
        assert not any("key" in label for label in labels(browser))
        assert "/file" in words(browser, "#told")

    played(script, ignored)
    assert ignored == [b"/var/lib/key"]


def test_filter_sort_and_transient() -> None:
    async def script(pilot: Pilot[Marked], browser: Browser) -> None:
        await pilot.press("slash", *"large", "enter")
        await pilot.pause()
        assert len(labels(browser)) == 1
        await pilot.press("escape", "t", "s", "s")
        await pilot.pause()
        assert any("cache" in label for label in labels(browser))
        assert "by name" in words(browser, "#told")

    played(script)


def test_a_directory_shows_what_is_in_it() -> None:
    async def script(pilot: Pilot[Marked], browser: Browser) -> None:
        await pilot.press("end", "enter")
        await pilot.pause()
        assert "part" in labels(browser)[-1]
        await pilot.press("end", "k")
        assert browser.marked.keys() == {b"/srv/folder/part"}

    played(script)


def test_any_byte_in_a_name_is_text() -> None:
    async def script(pilot: Pilot[Marked], browser: Browser) -> None:
        await pilot.press("end", "up")
        await pilot.pause()
        assert r"\x1b[31m\xff[b]\x0a" in words(browser, "#words")
        assert r"\x1b[31m\xff[b]\x0a" in labels(browser)[-2]

    played(script)


GREYS = {0, 7, 8, 15, 16, 231, *range(232, 256)}
"""Of 256 colours."""


class Pane:
    """A terminal of 80 by 24 characters without colours, held by tmux, in which leaks are shown."""

    def __init__(self, directory: Path, wiped: Path) -> None:
        self._tmux = ["tmux", "-S", str(directory / "socket"), "-f", "/dev/null"]
        done = directory / "done"
        ours = f"{sys.executable} -c 'from imptrace.cli.main import main; main()'"
        asked = f"leaks --ephemeral {wiped} --db {directory}/none.db {wiped}"
        command = f"{ours} {asked}; echo $? >{done}; echo ended with $(cat {done}); cat"
        environment = os.environ | {"NO_COLOR": "1", "TERM": "screen"}
        size = ("-x", "80", "-y", "24")
        command_line = [*self._tmux, "new-session", "-d", *size, command]
        subprocess.run(command_line, env=environment, check=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False)

    def press(self, *keys: str) -> None:
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def screen(self, *options: str) -> str:
        command = [*self._tmux, "capture-pane", "-p", *options]
        shown = subprocess.run(command, capture_output=True, check=True).stdout
        return shown.decode()

    def wait_for(self, text: str) -> str:
        until = time.monotonic() + 60
        while text not in (shown := self.screen()):
            assert time.monotonic() < until, shown
            time.sleep(0.2)
        return shown


needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@needs_tmux
def test_in_a_terminal_of_eighty_columns(tmp_path: Path) -> None:
    wiped = tmp_path / "wiped"
    wiped.mkdir()
    (wiped / "state").write_text("x")
    with Pane(tmp_path, wiped) as pane:
        assert "wiped" in pane.wait_for("write Nix")
        pane.press("k")
        pane.wait_for("[k]")
        pane.press("w")
        shown = pane.wait_for("ended with 0")
        assert "environment.persistence" in shown
        assert "wiped" in shown


@needs_tmux
def test_every_key_in_a_terminal_without_colours(tmp_path: Path) -> None:
    """Names of any bytes change neither colours nor lines."""
    wiped = tmp_path / "wiped"
    for name in (b"one", b"two", b"\x1b[31mred\xff\n", b"x" * 200):
        (wiped / os.fsdecode(name)).mkdir(parents=True)
        (wiped / os.fsdecode(name) / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\nMC4C\n")
    with Pane(tmp_path, wiped) as pane:
        shown = pane.wait_for("write Nix")
        assert r"\x1b[31mred\xff\x0a" in shown
        assert "by care" in shown
        assert max(map(len, shown.splitlines())) <= 80
        numbers = {int(each) for each in re.findall(r"[34]8;5;(\d+)", pane.screen("-e"))}
        assert numbers <= GREYS
        assert not re.search(r"\x1b\[(?:[0-9;]*;)?[349][1-6]m", pane.screen("-e"))
        pane.press("s")
        pane.wait_for("by size")
        pane.press("/")
        pane.wait_for("words of a path")
        pane.press("t", "w", "o", "Enter")
        assert "one" not in pane.wait_for("filter: two").split("filter: two")[1].split("written")[0]
        pane.press("Escape")
        pane.wait_for("one")
        pane.press("w")
        pane.wait_for("nothing is marked")
        pane.press("q")
        pane.wait_for("ended with")


def test_a_path_of_two_thousand_directories() -> None:
    path = b"/a" * 2000
    node = forest([leak(path, Level.SECRET, 3), leak(path + b"/b", Level.NORMAL, 4)])
    while node.inside:
        (node,) = list(node.inside.values())[:1]
    assert (node.path, node.size) == (path, 3)
