"""The interactive view by the mouse: a click chooses, and opens what is closed."""

import asyncio

from textual.widgets import Tree

from imptrace.render.browse.app import Browser
from tests.render.browse.test_browse import LEAKS


async def _clicked() -> tuple[int, int]:
    browser = Browser(LEAKS, "", lambda path: path, lambda _: [])
    async with browser.run_test(size=(80, 24)) as pilot:
        tree = browser.query_one(Tree)
        found = []
        for row in (1, 2):
            await pilot.click(Tree, offset=(20, row))
            await pilot.pause()
            found.append(tree.cursor_line)
        return found[0], found[1]


def test_a_click_chooses_a_line() -> None:
    assert asyncio.run(_clicked()) == (1, 2)
