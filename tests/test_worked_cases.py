"""The pages of the examples are what imptrace says today about their recordings."""

from pathlib import Path

import forked
import pytest

from examples.regenerate import cases, regenerated


def answered(words: list[str], environment: dict[str, str]) -> str:
    done = forked.run_text(*words, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_page_is_what_imptrace_says(case: Path) -> None:
    """If this fails by intention: python examples/regenerate.py, and look at the difference."""
    assert (case / "README.md").read_text() == regenerated(case, answered)


def test_there_are_three_cases() -> None:
    """So that a folder cannot get lost unseen."""
    assert [case.name for case in cases()] == ["firefox", "git", "networkmanager"]
