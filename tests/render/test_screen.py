"""Tables fit the terminal, and break where a reader would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from imptrace.render.screen import Screen

HEADING = ("KEEP", "LEVEL", "OWNER", "SURE", "WHY")
PROFILE = "~/.config/mozilla/firefox/cin0ko8a.default-esr/cookies.sqlite"
WHY = "known to the catalogue (Firefox); kept by 15 of 138 public configurations"
ROWS = [
    ("~/.cache/mozilla/", "transient", "alice:alice 0700", "very", WHY),
    (PROFILE, "secret", "alice:alice 0700", "very", WHY),
]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_table_fits_and_breaks_no_word(width: int) -> None:
    lines = Screen(width=width).table(HEADING, ROWS)
    assert max(map(cell_len, lines)) <= width
    words = {word for line in lines for word in line.split()}
    assert words >= {*WHY.split(), "transient", "alice:alice", "0700"}
    components = {part for word in words for part in word.split("/")}
    assert components >= set(PROFILE.split("/"))


def test_a_pipe_has_one_line_for_each_row() -> None:
    lines = Screen().table(HEADING, ROWS)
    assert len(lines) == 3
    assert PROFILE in lines[2]
    assert lines[2].endswith(WHY)


def test_reasons_stand_below_where_a_column_would_be_too_narrow() -> None:
    lines = Screen(width=80).table(HEADING, ROWS)
    assert lines[0].split() == [*HEADING[:-1]]
    assert lines[2].startswith("  known to the catalogue")


def test_colour_adds_nothing_but_colour() -> None:
    plain = Screen(width=100).table(HEADING, ROWS)
    coloured = "\n".join(Screen(width=100, coloured=True).table(HEADING, ROWS, ["dim", "red"]))
    for code in ("0", "2", "31"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert [line.rstrip() for line in coloured.split("\n")] == plain


TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=90)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4), st.integers(20, 200))
def test_whatever_the_cells_hold_nothing_is_lost_or_too_wide(
    rows: list[tuple[str, str, str]], width: int
) -> None:
    lines = Screen(width=width).table(("A", "B", "C"), rows)
    assert max(map(cell_len, lines)) <= width
    shown = "".join(lines)
    assert not set("".join("".join(row) for row in rows)) - set(shown) - {" "}
