"""What there are of recorders: the registry, its modules, and the page that tells of them."""

from pathlib import Path

import pytest

from imptrace.tracer.recorder import AUTO, LAUNCHERS, RECORDERS, RecorderInfo, launchers

PAGE = Path(__file__).parents[2] / "docs/recorders.md"
HEADINGS = ("recorder", "command", "launches", "attaches", "whole machine", "needs", "cost")


def row(info: RecorderInfo) -> tuple[str, ...]:
    """Say what a line of the registry says."""
    can = (info.launches, info.attaches, info.whole_machine)
    words = ("yes" if each else "no" for each in can)
    return (f"`{info.name}`", info.command, *words, info.needs, info.costs)


def test_the_page_has_the_same_table() -> None:
    """Row for row."""
    table = ["| " + " | ".join(line) + " |" for line in (HEADINGS, *map(row, RECORDERS))]
    table.insert(1, "| " + " | ".join("---" for _ in HEADINGS) + " |")
    assert "\n".join(table) in PAGE.read_text()


@pytest.mark.parametrize("info", RECORDERS, ids=lambda info: info.name)
def test_modules_have_what_their_line_says(info: RecorderInfo) -> None:
    """A name in the registry is a module that can do it."""
    module = info.load()
    assert hasattr(module, "launch") == info.launches
    assert hasattr(module, "attach") == info.attaches
    assert hasattr(module, "probe") == info.probes


def test_auto_tries_them_in_order() -> None:
    """All that can launch, for whoever may use them."""
    names = [info.name for info in launchers(AUTO)]
    assert [name for name in LAUNCHERS if name in names] == names
    assert [info.name for info in launchers("ptrace")] == ["ptrace"]
