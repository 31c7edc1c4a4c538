"""Nothing that was recorded can act on a terminal, and figures read well."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imptrace.render.screen import aligned
from imptrace.render.text import printable
from imptrace.render.words import command_line, counted, size, tilde


@given(st.binary(max_size=200))
def test_no_bytes_reach_a_terminal_unescaped(raw: bytes) -> None:
    shown = printable(raw)
    shown.encode()
    for character in shown:
        assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(max_size=100))
def test_no_text_reaches_a_terminal_unescaped(raw: str) -> None:
    shown = printable(raw)
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert not any(unicodedata.bidirectional(c) in {"RLO", "LRO", "RLE", "RLI"} for c in shown)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_different_names_look_different(one: bytes, other: bytes) -> None:
    assert (printable(one) == printable(other)) == (one == other)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain name", "plain name"),
        ("café 日本".encode(), "café 日本"),
        (b"\x1b[31m", r"\x1b[31m"),
        (b"new\nline", r"new\x0aline"),
        (b"\xff", r"\xff"),
        (rb"\xff", r"\\xff"),
        ("\u202eexe.txt".encode(), r"\xe2\x80\xaeexe.txt"),
        ("zero\u200bwidth".encode(), r"zero\xe2\x80\x8bwidth"),
        ("no\u00a0break".encode(), r"no\xc2\xa0break"),
        ("e\u0301".encode(), r"e\xcc\x81"),
        ("\udcff", r"\xff"),
    ],
)
def test_what_is_shown(raw: bytes | str, shown: str) -> None:
    assert printable(raw) == shown


def test_sizes_are_short_and_round_up_to_the_next_unit() -> None:
    counts = (0, 999, 1000, 51_200, 999_499, 999_999, 2_500_000, 9_999_999, 3 * 10**9, 2**64)
    assert [size(count) for count in counts] == [
        "0 B", "999 B", "1.0 kB", "51 kB", "999 kB", "1.0 MB", "2.5 MB", "10 MB", "3.0 GB", "18 EB",
    ]  # fmt: skip


def test_a_command_line_is_quoted_as_for_a_shell() -> None:
    assert command_line((b"sh", b"-c", b"it's", b"", b"a=b")) == "sh -c 'it'\\''s' '' a=b"


def test_the_home_directory_is_a_tilde_only_where_it_is_one() -> None:
    home = b"/home/me"
    names = (b"/home/me", b"/home/me/.x", b"/home/meow", b"/etc")
    assert [tilde(name, home) for name in names] == ["~", "~/.x", "/home/meow", "/etc"]
    assert tilde(b"/etc", b"/") == "/etc"
    assert tilde(b"/etc", None) == "/etc"


def test_numbers_agree_with_their_nouns() -> None:
    assert counted(1, "path") == "1 path"
    assert counted(12345, "process", "processes") == "12,345 processes"


def test_columns_are_aligned_by_terminal_cells() -> None:
    lines = aligned([("日本", "x"), ("abc", "y")])
    assert lines == ["日本  x", "abc   y"]
